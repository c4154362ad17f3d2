// Package forks knows the forks of an application: the constructs of
// constructs/eventfork, as they look in the model. What says that a function is
// a fork's replayer is the environment that the construct gives it, which
// internal/fork names.
package forks

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/client"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/internal/fork"
)

// Replayer finds the function that replays the events of a fork, which is named
// by its construct id or path, or by those of its Replay branch. The error is a
// [*model.NotFoundError].
func Replayer(app *model.Application, name string) (*model.Function, error) {
	var found []*model.Function
	var known []string
	for _, f := range app.Functions {
		if f.Environment[fork.Buffer] == "" {
			continue
		}
		branch := path.Dir(f.Path) // ".../Orders/Replay" of ".../Orders/Replay/Replayer"
		known = append(known, path.Base(path.Dir(branch)))
		for _, construct := range []string{f.Path, branch, path.Dir(branch)} {
			if matches(construct, name) {
				found = append(found, f)
				break
			}
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	notFound := &model.NotFoundError{Kind: "fork that replays", Name: name, Known: slices.Compact(known)}
	for _, f := range found {
		notFound.Ambiguous = append(notFound.Ambiguous, path.Dir(f.Path))
	}
	return nil, notFound
}

// Needed are the functions that a replay runs: the replayer, and the one that it
// replays to, where that is a function.
func Needed(app *model.Application, replayer *model.Function) []*model.Function {
	needed := []*model.Function{replayer}
	if destination, err := app.Function(replayer.Environment[fork.Destination]); err == nil {
		needed = append(needed, destination)
	}
	return needed
}

// Resent is how a resend ended.
type Resent struct {
	Sent   int  `json:"sent"`
	Failed int  `json:"failed"`
	Done   bool `json:"done"`
}

// Resender finds the function that sends the events in a fork's failure record
// round again. The fork is named by its construct id or path, or by that of one
// of its branches, which branch then is. The error is a [*model.NotFoundError].
func Resender(app *model.Application, name string) (f *model.Function, branch string, err error) {
	var found []*model.Function
	var known []string
	for _, candidate := range app.Functions {
		if path.Base(candidate.Path) != "Resender" || candidate.Environment[fork.Bucket] == "" {
			continue
		}
		construct := path.Dir(path.Dir(candidate.Path)) // ".../Orders" of ".../Orders/Record/Resender"
		known = append(known, path.Base(construct))
		if matches(construct, name) {
			found, branch = append(found, candidate), ""
			continue
		}
		for _, b := range branchesOf(candidate) {
			if matches(construct+"/"+b, name) {
				found, branch = append(found, candidate), b
			}
		}
	}
	if len(found) == 1 {
		return found[0], branch, nil
	}
	notFound := &model.NotFoundError{Kind: "fork with a failure record", Name: name, Known: known}
	for _, f := range found {
		notFound.Ambiguous = append(notFound.Ambiguous, path.Dir(path.Dir(f.Path)))
	}
	return nil, "", notFound
}

func branchesOf(f *model.Function) (names []string) {
	var environment []string
	for name, value := range f.Environment {
		environment = append(environment, name+"="+value)
	}
	branches, err := fork.BranchesFrom(environment)
	if err != nil {
		return nil // the function itself says so, when it runs
	}
	for _, b := range branches {
		names = append(names, b.Name)
	}
	return names
}

// matches says that a construct's path is what a name means.
func matches(construct, name string) bool {
	return construct == name || name != "" && strings.HasSuffix(construct, "/"+strings.TrimPrefix(name, "/"))
}

// Resend has a resender send all events of a branch, "" for all branches, and
// again where the function's time was over before.
func Resend(ctx context.Context, plane *client.Client, resender *model.Function, branch string) (*Resent, error) {
	command := map[string]string{}
	if branch != "" {
		command["branch"] = branch
	}
	payload, err := json.Marshal(command)
	if err != nil {
		return nil, err
	}
	total := &Resent{}
	for {
		answer, err := plane.Invoke(ctx, cmp.Or(resender.FunctionName, resender.Path), payload)
		if err != nil {
			return nil, err
		}
		var one Resent
		if err := json.Unmarshal(answer, &one); err != nil {
			return nil, fmt.Errorf("%s answered with no result: %w", resender.Path, err)
		}
		total.Sent += one.Sent
		total.Failed, total.Done = one.Failed, one.Done
		if one.Done || one.Sent == 0 {
			return total, nil
		}
	}
}

// Command asks a replayer for a replay. Its texts are in RFC 3339, "" for no
// limit.
type Command struct {
	From  string  `json:"from,omitempty"`
	To    string  `json:"to,omitempty"`
	Rate  float64 `json:"rate,omitempty"`
	Limit int     `json:"limit,omitempty"`
}

// Result is how a replay ended.
type Result struct {
	Replayed   int  `json:"replayed"`
	PassedOver int  `json:"passedOver"`
	Failed     int  `json:"failed"`
	Done       bool `json:"done"`
}

// ReplayCommand makes a command of what a user wrote: see [ParseTime].
func ReplayCommand(from, to string, rate float64, limit int, now time.Time) (*Command, error) {
	c := &Command{Rate: rate, Limit: limit}
	var begin, end time.Time
	for _, one := range []struct {
		name, text string
		at         *time.Time
		to         *string
	}{{"from", from, &begin, &c.From}, {"to", to, &end, &c.To}} {
		if one.text == "" {
			continue
		}
		at, err := ParseTime(one.text, now)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", one.name, err)
		}
		*one.at, *one.to = at, at.UTC().Format(time.RFC3339Nano)
	}
	if !begin.IsZero() && !end.IsZero() && end.Before(begin) {
		return nil, fmt.Errorf("--to %s is before --from %s", to, from)
	}
	if rate < 0 || limit < 0 {
		return nil, fmt.Errorf("--rate is %v and --limit %d: neither can be negative", rate, limit)
	}
	return c, nil
}

// ParseTime reads a time in RFC 3339, a time of today in the local zone
// ("09:30", "09:30:15"), or how long it is ago ("2h", "10m").
func ParseTime(text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, nil
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), at.Second(), 0, now.Location()), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago.Abs()), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time: want 2026-11-01T12:00:00Z, 09:30, or 2h for two hours ago", text)
}

// Replay has a replayer do a command, and again where the function's time was
// over before all was done.
func Replay(ctx context.Context, plane *client.Client, replayer *model.Function, c *Command) (*Result, error) {
	if c.To == "" {
		// What is sent meanwhile, by the replay itself perhaps, is not meant.
		c.To = time.Now().UTC().Format(time.RFC3339Nano)
	}
	total := &Result{}
	for {
		payload, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		answer, err := plane.Invoke(ctx, cmp.Or(replayer.FunctionName, replayer.Path), payload)
		if err != nil {
			return nil, err
		}
		var one Result
		if err := json.Unmarshal(answer, &one); err != nil {
			return nil, fmt.Errorf("%s answered with no result of a replay: %w", replayer.Path, err)
		}
		total.Replayed += one.Replayed
		total.PassedOver, total.Failed, total.Done = one.PassedOver, one.Failed, one.Done
		if one.Done || one.Replayed == 0 && one.PassedOver == 0 {
			return total, nil
		}
		if c.Limit > 0 {
			if c.Limit -= one.Replayed; c.Limit <= 0 {
				return total, nil
			}
		}
	}
}

// ARNs are the ARNs of everything that stands below a construct, or is it. The
// construct is named by its id, or its path, or the end of it.
func ARNs(app *model.Application, name string) map[string]bool {
	found := map[string]bool{}
	Each(app, func(id model.ID, arn string) {
		at := "/" + id.Path + "/"
		if strings.HasPrefix(at, "/"+strings.Trim(name, "/")+"/") || strings.Contains(at, "/"+strings.Trim(name, "/")+"/") || id.Name == name || id.LogicalID == name || arn == name {
			found[arn] = true
		}
	})
	return found
}

// Each calls fn with everything of an application that messages go to or come
// from.
func Each(app *model.Application, fn func(id model.ID, arn string)) {
	for _, r := range app.Functions {
		fn(r.ID, r.ARN)
	}
	for _, r := range app.Topics {
		fn(r.ID, r.ARN)
	}
	for _, r := range app.Queues {
		fn(r.ID, r.ARN)
	}
	for _, r := range app.EventBuses {
		fn(r.ID, r.ARN)
	}
	for _, r := range app.DeliveryStreams {
		fn(r.ID, r.ARN)
	}
	for _, r := range app.Buckets {
		fn(r.ID, r.ARN)
	}
	for _, r := range app.Tables {
		fn(r.ID, r.ARN)
		if r.StreamARN != "" {
			fn(r.ID, r.StreamARN)
		}
	}
}
