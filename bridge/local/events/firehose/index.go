package firehose

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/internal/lazyregexp"
)

// document is a document on its way to an index.
type document struct {
	domain, index, id string
	source            []byte
}

// line is a document in the file of its index.
type line struct {
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
}

// lengthTable says how much of each file counts: a file is written before the
// transaction that makes it count is committed.
const lengthTable = "firehose/indexes"

// indexes are the local indexes: files Dir/opensearch/DOMAIN/INDEX.ndjson.
type indexes struct {
	env service.Env
	dir string
}

func newIndexes(env service.Env) *indexes {
	return &indexes{env, filepath.Join(env.Dir, "opensearch")}
}

const ending = ".ndjson"

// plainName is the names of domains and indexes that can be names of files.
var plainName = lazyregexp.New(`^[a-z0-9A-Z][a-zA-Z0-9._-]{0,200}$`)

func (x *indexes) path(domain, index string) (string, error) {
	if !plainName.MatchString(domain) || !plainName.MatchString(index) {
		return "", fmt.Errorf("%s/%s cannot be an index", domain, index)
	}
	return filepath.Join(x.dir, domain, index+ending), nil
}

// add writes documents behind those of their indexes, in a transaction. Where
// the transaction is run again, or the process is killed before its end, the
// same place is written again.
func (x *indexes) add(tx *store.Tx, documents []document) error {
	groups := map[string]*bytes.Buffer{}
	for i := range documents {
		d := &documents[i]
		name := d.domain + "/" + d.index
		if groups[name] == nil {
			groups[name] = &bytes.Buffer{}
		}
		var source bytes.Buffer
		if err := json.Compact(&source, d.source); err != nil {
			return err
		}
		text, err := json.Marshal(line{d.id, source.Bytes()})
		if err != nil {
			return err
		}
		groups[name].Write(append(text, '\n'))
	}
	for name, lines := range groups {
		domain, index, _ := strings.Cut(name, "/")
		if err := x.write(tx, domain, index, lines.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func (x *indexes) write(tx *store.Tx, domain, index string, lines []byte) error {
	path, err := x.path(domain, index)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	length := min(store.Uint(tx.Get(lengthTable, []byte(domain+"/"+index))), info.Size()) // the user may have emptied it
	if _, err := file.WriteAt(lines, length); err != nil {
		return err
	}
	length += int64(len(lines))
	tx.Put(lengthTable, []byte(domain+"/"+index), store.Key(uint64(length))) //nolint:gosec // a length is not negative
	if length < info.Size() {
		return file.Truncate(length)
	}
	return nil
}

// names are the indexes of a domain that a pattern means: "orders-*,other".
func (x *indexes) names(domain, pattern string) ([]string, error) {
	if !plainName.MatchString(domain) {
		return nil, notFound(domain)
	}
	entries, err := os.ReadDir(filepath.Join(x.dir, domain))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ending); ok {
			all = append(all, name)
		}
	}
	if pattern == "" || pattern == "_all" {
		return all, nil
	}
	var chosen []string
	for part := range strings.SplitSeq(pattern, ",") {
		found := false
		for _, name := range all {
			if matchStars(part, name) {
				found = true
				if !slices.Contains(chosen, name) {
					chosen = append(chosen, name)
				}
			}
		}
		if !found && !strings.Contains(part, "*") {
			return nil, notFound(part)
		}
	}
	return chosen, nil
}

// matchStars matches a name with a pattern of stars.
func matchStars(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return pattern == name
	}
	if !strings.HasPrefix(name, parts[0]) || len(name) < len(parts[0])+len(parts[last]) || !strings.HasSuffix(name, parts[last]) {
		return false
	}
	name = name[len(parts[0]) : len(name)-len(parts[last])]
	for _, part := range parts[1:last] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return true
}

func notFound(index string) error {
	return &service.Error{Code: "index_not_found_exception", Message: "no such index [" + index + "]", Status: http.StatusNotFound}
}

// maxLine bounds a document of an index.
const maxLine = 16 << 20

// scan calls fn with each document of an index, until it says false.
func (x *indexes) scan(domain, index string, fn func(l *line) bool) error {
	path, err := x.path(domain, index)
	if err != nil {
		return err
	}
	var length int64
	err = x.env.Store.View(func(tx *store.Tx) error {
		length = store.Uint(tx.Get(lengthTable, []byte(domain+"/"+index)))
		return nil
	})
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(io.LimitReader(file, length))
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			continue // the user changed it
		}
		if !fn(&l) {
			return nil
		}
	}
	return lines.Err()
}

// bulk sends documents to a real cluster, and says which ones it refuses.
func bulk(ctx context.Context, url string, documents []document) (refused map[string]string, err error) {
	if len(documents) == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	for _, d := range documents {
		action, err := json.Marshal(map[string]any{"index": map[string]string{"_index": d.index, "_id": d.id}})
		if err != nil {
			return nil, err
		}
		b.Write(append(action, '\n'))
		if err := json.Compact(&b, d.source); err != nil {
			return nil, err
		}
		b.WriteByte('\n')
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/_bulk", &b)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxLine))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s/_bulk answered %s: %.200s", url, answer.Status, text)
	}
	var result struct {
		Items []map[string]struct {
			ID     string `json:"_id"`
			Status int
			Error  json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &result); err != nil {
		return nil, fmt.Errorf("%s/_bulk answered no JSON: %w", url, err)
	}
	refused = map[string]string{}
	for _, item := range result.Items {
		for _, r := range item {
			switch {
			case r.Status == http.StatusTooManyRequests || r.Status >= 500:
				return nil, fmt.Errorf("%s/_bulk refused a document for now: %s", url, r.Error)
			case r.Status >= 400:
				refused[r.ID] = string(r.Error)
			}
		}
	}
	return refused, nil
}
