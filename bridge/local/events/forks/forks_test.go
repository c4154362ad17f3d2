package forks

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/internal/fork"
)

func replayer(path string) *model.Function {
	return &model.Function{ID: model.ID{Path: path, Name: "Replayer"}, ARN: "arn:" + path, Environment: map[string]string{fork.Buffer: "http://q"}}
}

var app = &model.Application{
	Functions: []*model.Function{
		replayer("Shop/Orders/Replay/Replayer"), replayer("Shop/Refunds/Late/Replayer"), replayer("Shop/Refunds/Soon/Replayer"),
		{ID: model.ID{Path: "Shop/Other", Name: "Other"}, ARN: "arn:Shop/Other"},
		{ID: model.ID{Path: "Shop/Refunds/Record/Resender"}, ARN: "arn:resender", Environment: map[string]string{
			fork.Bucket: "b", fork.BranchesPrefix + "1": fork.Branch{Name: "Late", DeadLettersARN: "a", Queue: "t"}.String(),
		}},
		{ID: model.ID{Path: "Shop/Refunds/Record/Recorder"}, ARN: "arn:recorder", Environment: map[string]string{fork.Bucket: "b"}},
	},
	Topics: []*model.Topic{{ID: model.ID{Path: "Shop/Orders/Topic", Name: "Topic"}, ARN: "arn:topic"}},
	Tables: []*model.Table{{ID: model.ID{Path: "Shop/Orders/Memory", Name: "Memory"}, ARN: "arn:table", StreamARN: "arn:stream"}},
}

func TestReplayer(t *testing.T) {
	for _, name := range []string{"Orders", "Shop/Orders", "/Orders", "Orders/Replay", "Replay", "Shop/Orders/Replay/Replayer"} {
		if f, err := Replayer(app, name); err != nil || f != app.Functions[0] {
			t.Errorf("%s: %v %v", name, f, err)
		}
	}
	if f, err := Replayer(app, "Late"); err != nil || f != app.Functions[1] {
		t.Error(f, err)
	}
	for name, want := range map[string]string{
		"Refunds": "may mean Shop/Refunds/Late or Shop/Refunds/Soon", "Other": "no fork that replays is named", "": "there are: Orders, Refunds",
	} {
		_, err := Replayer(app, name)
		var notFound *model.NotFoundError
		if !errors.As(err, &notFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResender(t *testing.T) {
	for name, branch := range map[string]string{"Refunds": "", "Shop/Refunds": "", "Refunds/Late": "Late", "Late": "Late"} {
		if f, got, err := Resender(app, name); err != nil || f != app.Functions[4] || got != branch {
			t.Errorf("%s: %v %q %v", name, f, got, err)
		}
	}
	if _, _, err := Resender(app, "Orders"); err == nil || !strings.Contains(err.Error(), "there are: Refunds") {
		t.Error(err)
	}
}

func TestARNs(t *testing.T) {
	for name, want := range map[string][]string{
		"Orders":      {"arn:Shop/Orders/Replay/Replayer", "arn:stream", "arn:table", "arn:topic"},
		"Shop/Orders": {"arn:Shop/Orders/Replay/Replayer", "arn:stream", "arn:table", "arn:topic"},
		"Topic":       {"arn:topic"}, "arn:topic": {"arn:topic"}, "Order": nil, "Shop/Other": {"arn:Shop/Other"},
	} {
		var got []string
		for arn := range ARNs(app, name) {
			got = append(got, arn)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 11, 24, 15, 0, 0, 0, time.FixedZone("", 3600))
	for text, want := range map[string]string{
		"2026-11-01T12:00:00Z": "2026-11-01T12:00:00Z", "09:30": "2026-11-24T08:30:00Z", "09:30:15": "2026-11-24T08:30:15Z", "2h": "2026-11-24T12:00:00Z", "-90m": "2026-11-24T12:30:00Z",
	} {
		if at, err := ParseTime(text, now); err != nil || at.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %v %v", text, at, err)
		}
	}
	for _, text := range []string{"soon", "25:00", "2026-11-01"} {
		if _, err := ParseTime(text, now); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestReplayCommand(t *testing.T) {
	now := time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)
	c, err := ReplayCommand("2h", "1h", 5, 10, now)
	if err != nil || *c != (Command{From: "2026-11-24T13:00:00Z", To: "2026-11-24T14:00:00Z", Rate: 5, Limit: 10}) {
		t.Error(c, err)
	}
	for _, bad := range [][2]string{{"1h", "2h"}, {"soon", ""}, {"", "soon"}} {
		if _, err := ReplayCommand(bad[0], bad[1], 0, 0, now); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	if _, err := ReplayCommand("", "", -1, 0, now); err == nil {
		t.Error("a negative rate is taken")
	}
}
