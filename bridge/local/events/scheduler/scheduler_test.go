package scheduler

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/bailey-cdk/bailey/bridge/local/events/internal/servicetest"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const (
	function = "arn:aws:lambda:us-east-1:123456789012:function:Report"
	queue    = "arn:aws:sqs:us-east-1:123456789012:Work.fifo"
)

func run(t *testing.T, p *servicetest.Plane, s *Service, d time.Duration) []*service.Delivery {
	t.Helper()
	p.Advance(d)
	due, _ := s.clock.Due(p.Now())
	for _, one := range due {
		s.fire(one)
	}
	return p.Deliveries()
}

func TestApplication(t *testing.T) {
	app := &model.Application{Schedules: []*model.Schedule{
		{ID: model.ID{Name: "Report", Path: "Report"}, Expression: "rate(1 hour)", Enabled: true, Target: model.Target{ARN: function}},
		{ID: model.ID{Name: "Off", Path: "Off"}, Expression: "rate(1 hour)", Target: model.Target{ARN: function}},
		{ID: model.ID{Name: "Later", Path: "Later"}, Expression: "rate(1 hour)", Enabled: true, Start: "2026-11-25T00:00:00Z", Target: model.Target{ARN: queue, Input: `{"at":"<aws.scheduler.scheduled-time>"}`, MessageGroupID: "g"}},
		{ID: model.ID{Name: "Bus", Path: "Bus"}, Expression: "at(2026-11-26T00:00:00)", Enabled: true, Target: model.Target{ARN: "arn:aws:events:us-east-1:123456789012:event-bus/b", Input: `{"a":1}`, Source: "s", DetailType: "d"}},
		{ID: model.ID{Name: "Bad", Path: "Bad"}, Expression: "rate(x)", Enabled: true},
	}}
	p := servicetest.New(t, app, "")
	s, err := New(p.Env)
	if err != nil {
		t.Fatal(err)
	}
	all := run(t, p, s, time.Hour)
	if len(all) != 1 || all[0].Target != function {
		t.Fatalf("%d deliveries", len(all))
	}
	var event map[string]any
	if err := json.Unmarshal(all[0].Body, &event); err != nil || event["source"] != "aws.scheduler" || event["detail-type"] != "Scheduled Event" || event["detail"] != "{}" {
		t.Errorf("the event is %s, %v", all[0].Body, err)
	}
	if err := s.Swap(app); err != nil {
		t.Fatal(err)
	}
	all = run(t, p, s, 13*time.Hour) // 2026-11-25T00:30:15Z
	if len(all) != 2 {
		t.Fatalf("%d deliveries", len(all))
	}
	for _, d := range all {
		if d.Target == queue && (string(d.Body) != `{"at":"2026-11-25T00:00:00Z"}` || d.GroupID != "g") {
			t.Errorf("the queue got %s of %q", d.Body, d.GroupID)
		}
	}
	found := false
	for _, d := range run(t, p, s, 24*time.Hour) {
		if strings.Contains(d.Target, "event-bus") {
			found = strings.Contains(string(d.Body), `"detail":{"a":1},"detail-type":"d"`) && strings.Contains(string(d.Body), `"source":"s"`)
		}
	}
	if !found {
		t.Error("the bus got no event")
	}
	if !strings.Contains(p.Logs(), "the schedule Bad is left out") {
		t.Errorf("the log is %s", p.Logs())
	}
	s.Start()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestRequests(t *testing.T) {
	dir := t.TempDir()
	p := servicetest.New(t, &model.Application{}, dir)
	s, err := New(p.Env)
	if err != nil {
		t.Fatal(err)
	}
	c := sdk.NewFromConfig(p.Config(p.Serve(s, true)))
	ctx := t.Context()
	create := &sdk.CreateScheduleInput{
		Name: aws.String("Nightly"), ScheduleExpression: aws.String("cron(0 2 * * ? *)"), ScheduleExpressionTimezone: aws.String("Europe/Berlin"),
		FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeFlexible, MaximumWindowInMinutes: aws.Int32(15)},
		Target:             &types.Target{Arn: aws.String(function), RoleArn: aws.String("arn:aws:iam::123456789012:role/r"), Input: aws.String(`{"n":<aws.scheduler.attempt-number>}`), DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String(queue)}},
	}
	out, err := c.CreateSchedule(ctx, create)
	if err != nil || *out.ScheduleArn != "arn:aws:scheduler:us-east-1:123456789012:schedule/default/Nightly" {
		t.Fatal(out, err)
	}
	_, err = c.CreateSchedule(ctx, create)
	if conflict := (*types.ConflictException)(nil); !errors.As(err, &conflict) {
		t.Errorf("the second creation gave %v", err)
	}
	got, err := c.GetSchedule(ctx, &sdk.GetScheduleInput{Name: aws.String("Nightly")})
	if err != nil || got.FlexibleTimeWindow.Mode != types.FlexibleTimeWindowModeFlexible || *got.Target.Arn != function || got.State != types.ScheduleStateEnabled {
		t.Errorf("%+v, %v", got, err)
	}
	if all := run(t, p, s, 24*time.Hour); len(all) != 1 || string(all[0].Body) != `{"n":1}` {
		t.Errorf("%d deliveries", len(all))
	}
	p.Refuse(function, errors.New("no such function"))
	if all := run(t, p, s, 24*time.Hour); len(all) != 1 || all[0].Target != queue || string(all[0].Attributes["ERROR_MESSAGE"].Value) != "no such function" {
		t.Errorf("%d deliveries", len(all))
	}
	_, err = c.UpdateSchedule(ctx, &sdk.UpdateScheduleInput{
		Name: aws.String("Nightly"), ScheduleExpression: aws.String("rate(1 minute)"), State: types.ScheduleStateDisabled,
		FlexibleTimeWindow: create.FlexibleTimeWindow, Target: create.Target,
	})
	if err != nil {
		t.Fatal(err)
	}
	if all := run(t, p, s, 48*time.Hour); len(all) != 0 {
		t.Errorf("a disabled schedule delivered %d times", len(all))
	}
	list, err := c.ListSchedules(ctx, &sdk.ListSchedulesInput{NamePrefix: aws.String("Night")})
	if err != nil || len(list.Schedules) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	groups, err := c.ListScheduleGroups(ctx, &sdk.ListScheduleGroupsInput{})
	if err != nil || len(groups.ScheduleGroups) != 1 {
		t.Errorf("%+v, %v", groups, err)
	}
	// It is there when the state is opened again.
	if err := p.Env.Store.Close(); err != nil {
		t.Fatal(err)
	}
	p = servicetest.New(t, &model.Application{}, dir)
	if s, err = New(p.Env); err != nil || s.items["default/Nightly"].State != disabled {
		t.Fatal(err)
	}
	c = sdk.NewFromConfig(p.Config(p.Serve(s, true)))
	if _, err := c.DeleteSchedule(ctx, &sdk.DeleteScheduleInput{Name: aws.String("Nightly")}); err != nil {
		t.Fatal(err)
	}
	_, err = c.GetSchedule(ctx, &sdk.GetScheduleInput{Name: aws.String("Nightly")})
	if gone := (*types.ResourceNotFoundException)(nil); !errors.As(err, &gone) {
		t.Errorf("after its deletion: %v", err)
	}
	_, err = c.CreateSchedule(ctx, &sdk.CreateScheduleInput{Name: aws.String("x"), ScheduleExpression: aws.String("rate(1 second)"), FlexibleTimeWindow: create.FlexibleTimeWindow, Target: create.Target})
	if invalid := (*types.ValidationException)(nil); !errors.As(err, &invalid) {
		t.Errorf("a bad expression gave %v", err)
	}
}
