package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

type retention struct {
	domain string // https://...
	index  string
	keep   time.Duration
	now    func() time.Time
	client *http.Client
}

// Result is the answer.
type Result struct {
	Kept    []string `json:"kept"`
	Deleted []string `json:"deleted"`
}

func (r *retention) handle(ctx context.Context) (*Result, error) {
	names, err := r.indices(ctx)
	if err != nil {
		return nil, err
	}
	result := &Result{Kept: []string{}, Deleted: []string{}}
	var problems []error
	for _, name := range names {
		end, dated := rotated(r.index, name)
		if !dated || r.now().Sub(end) < r.keep {
			result.Kept = append(result.Kept, name)
			continue
		}
		if _, err := r.ask(ctx, http.MethodDelete, "/"+url.PathEscape(name)); err != nil {
			problems = append(problems, fmt.Errorf("the index %s: %w", name, err))
			continue
		}
		result.Deleted = append(result.Deleted, name)
	}
	slog.InfoContext(ctx, "indices", "kept", result.Kept, "deleted", result.Deleted)
	return result, errors.Join(problems...)
}

// indices are the names of those that may be ours.
func (r *retention) indices(ctx context.Context) ([]string, error) {
	text, err := r.ask(ctx, http.MethodGet, "/_cat/indices/"+url.PathEscape(r.index)+"-*?format=json&h=index")
	if err != nil {
		return nil, fmt.Errorf("the indices can't be listed: %w", err)
	}
	var list []struct {
		Index string `json:"index"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("the list of indices can't be read: %w", err)
	}
	names := make([]string, len(list))
	for i, l := range list {
		names[i] = l.Index
	}
	slices.Sort(names)
	return names, nil
}

func (r *retention) ask(ctx context.Context, method, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(r.domain, "/")+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s answers %s: %.300s", r.domain, response.Status, text)
	}
	return text, err
}

// The endings of rotated indices, by period. Source: "Index rotation for the
// OpenSearch destination",
// https://docs.aws.amazon.com/firehose/latest/dev/es-index-rotation.html
var (
	hourly  = regexp.MustCompile(`^\d{4}-\d\d-\d\d-\d\d$`)
	daily   = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	weekly  = regexp.MustCompile(`^(\d{4})-w(\d\d)$`)
	monthly = regexp.MustCompile(`^\d{4}-\d\d$`)
)

// rotated is the end of the period that an index is of; false for an index that
// is no rotation of ours, which is never deleted.
func rotated(index, name string) (time.Time, bool) {
	suffix, ours := strings.CutPrefix(name, index+"-")
	if !ours {
		return time.Time{}, false
	}
	var begin, end time.Time
	var err error
	switch {
	case hourly.MatchString(suffix):
		begin, err = time.Parse("2006-01-02-15", suffix)
		end = begin.Add(time.Hour)
	case daily.MatchString(suffix):
		begin, err = time.Parse("2006-01-02", suffix)
		end = begin.AddDate(0, 0, 1)
	case weekly.MatchString(suffix):
		parts := weekly.FindStringSubmatch(suffix)
		year, _ := strconv.Atoi(parts[1])
		week, _ := strconv.Atoi(parts[2])
		// A week number counts from the year's first days or from its first
		// Monday: the later end is the safe one.
		end = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 7*(week+1))
	case monthly.MatchString(suffix):
		begin, err = time.Parse("2006-01", suffix)
		end = begin.AddDate(0, 1, 0)
	default:
		return time.Time{}, false
	}
	return end, err == nil
}
