package eventbridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"github.com/bailey-cdk/bailey/bridge/local/events/internal/servicetest"
	"github.com/bailey-cdk/bailey/bridge/local/events/scheduler/schedule"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const queue = "arn:aws:sqs:us-east-1:123456789012:Orders"

// open makes a service of an application, with a client.
func open(t *testing.T, app *model.Application, dir string) (*servicetest.Plane, *Service, *sdk.Client) {
	t.Helper()
	p := servicetest.New(t, app, dir)
	s, err := New(p.Env)
	if err != nil {
		t.Fatal(err)
	}
	p.Acceptors["events"] = s
	return p, s, sdk.NewFromConfig(p.Config(p.Serve(s, true)))
}

func put(t *testing.T, c *sdk.Client, entries ...types.PutEventsRequestEntry) *sdk.PutEventsOutput {
	t.Helper()
	out, err := c.PutEvents(t.Context(), &sdk.PutEventsInput{Entries: entries})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func entryOf(bus, source, kind, detail string) types.PutEventsRequestEntry {
	e := types.PutEventsRequestEntry{Source: aws.String(source), DetailType: aws.String(kind), Detail: aws.String(detail)}
	if bus != "" {
		e.EventBusName = aws.String(bus)
	}
	return e
}

func shop() *model.Application {
	return &model.Application{
		EventBuses: []*model.EventBus{{BusName: "shop"}, {BusName: "audit"}},
		Rules: []*model.Rule{
			{
				ID: model.ID{Path: "Shop/Placed"}, RuleName: "Placed", BusName: "shop", Enabled: true,
				Pattern: `{"source":["shop"],"detail":{"total":[{"numeric":[">",10]}]}}`,
				Targets: []model.Target{
					{ID: "Queue", ARN: queue, MessageGroupID: "g"},
					{ID: "Audit", ARN: "arn:aws:events:us-east-1:123456789012:event-bus/audit"},
					{ID: "Log", ARN: "arn:aws:logs:us-east-1:123456789012:log-group:/shop:*", InputPath: "$.detail"},
				},
			},
			{ID: model.ID{Path: "Shop/Off"}, RuleName: "Off", BusName: "shop", Pattern: `{"source":["shop"]}`, Targets: []model.Target{{ARN: queue}}},
			{
				ID: model.ID{Path: "Shop/All"}, RuleName: "All", BusName: "audit", Enabled: true, Pattern: `{"source":[{"prefix":""}]}`,
				Targets: []model.Target{{ID: "T", ARN: "arn:aws:lambda:us-east-1:123456789012:function:Audit", InputTemplate: `{"what":<type>,"id":"<id>"}`, InputPaths: map[string]string{"type": "$.detail-type", "id": "$.detail.id"}}},
			},
		},
	}
}

func TestPutEvents(t *testing.T) {
	p, _, c := open(t, shop(), "")
	out := put(t, c,
		entryOf("shop", "shop", "Order", `{"id":"o1", "total": 12}`),
		entryOf("arn:aws:events:us-east-1:123456789012:event-bus/shop", "shop", "Order", `{"id":"o2","total":9}`),
		entryOf("shop", "aws.s3", "Order", `{}`),
		entryOf("shop", "shop", "Order", `[]`),
		types.PutEventsRequestEntry{Source: aws.String("shop"), Detail: aws.String("{}")},
		entryOf("nowhere", "shop", "Order", `{}`),
	)
	var results []string
	for _, e := range out.Entries {
		results = append(results, aws.ToString(e.ErrorCode))
		if (e.ErrorCode == nil) != (e.EventId != nil) {
			t.Errorf("%+v", e)
		}
	}
	if got := strings.Join(results, ","); got != ",,NotAuthorizedForSourceException,MalformedDetail,InvalidArgument," || out.FailedEntryCount != 3 {
		t.Errorf("results are %s", got)
	}
	all := p.Deliveries()
	if len(all) != 2 {
		t.Fatalf("%d deliveries", len(all))
	}
	var got map[string]any
	if err := json.Unmarshal(all[0].Body, &got); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"version":"0","id":"%s","detail-type":"Order","source":"shop","account":"123456789012","time":"2026-11-24T10:30:15Z","region":"us-east-1","resources":[],"detail":{"id":"o1","total":12}}`, *out.Entries[0].EventId)
	if string(all[0].Body) != want || all[0].GroupID != "g" || all[0].Target != queue {
		t.Errorf("the queue got %s for group %q\nwant %s", all[0].Body, all[0].GroupID, want)
	}
	if string(all[1].Body) != `{"what":"Order","id":"o1"}` {
		t.Errorf("the function behind two buses got %s", all[1].Body)
	}
	if !strings.Contains(p.Logs(), `/shop: {"id":"o1","total":12}`) {
		t.Errorf("the log is %s", p.Logs())
	}
	notes := strings.Join(p.Notes(), "\n")
	for _, want := range []string{
		"filtered " + queue + " Placed", "delivered " + queue + " Placed",
		"dropped arn:aws:events:us-east-1:123456789012:event-bus/nowhere there is no such bus",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is not noted:\n%s", want, notes)
		}
	}
}

func TestDeadLetter(t *testing.T) {
	app := &model.Application{Rules: []*model.Rule{{
		ID: model.ID{Path: "R"}, RuleName: "R", BusName: "default", Enabled: true, Pattern: `{"source":["a"]}`,
		Targets: []model.Target{
			{ID: "1", ARN: "arn:aws:lambda:us-east-1:123456789012:function:Gone", DeadLetterARN: queue},
			{ID: "2", ARN: "arn:aws:lambda:us-east-1:123456789012:function:Gone"},
			{ID: "3", ARN: queue, InputPath: "$.detail.missing"},
			{ID: "4", ARN: queue, InputTemplate: `{"a": "<o>"b}`},
		},
	}}}
	p, _, c := open(t, app, "")
	p.Refuse("arn:aws:lambda:us-east-1:123456789012:function:Gone", &service.Error{Code: "ResourceNotFoundException", Message: "no function"})
	put(t, c, entryOf("", "a", "b", `{}`))
	all := p.Deliveries()
	put(t, c, entryOf("", "other", "b", `{}`))
	if n := strings.Count(p.Logs(), "cannot deliver to arn:aws:lambda"); n != 1 {
		t.Errorf("the failure is logged %d times:\n%s", n, p.Logs())
	}
	if len(all) != 1 || all[0].Target != queue {
		t.Fatalf("%d deliveries", len(all))
	}
	if got := string(all[0].Attributes["ERROR_CODE"].Value) + string(all[0].Attributes["RULE_ARN"].Value); got != "ResourceNotFoundExceptionarn:aws:events:us-east-1:123456789012:rule/R" {
		t.Errorf("attributes are %+v", all[0].Attributes)
	}
	if got := strings.Join(p.Notes(), "\n"); strings.Count(got, "dropped") != 3 || strings.Count(got, "dead-lettered") != 1 {
		t.Errorf("noted:\n%s", got)
	}
}

func TestBusesInACircle(t *testing.T) {
	bus := "arn:aws:events:us-east-1:123456789012:event-bus/default"
	app := &model.Application{Rules: []*model.Rule{{ID: model.ID{Path: "R"}, RuleName: "R", BusName: "default", Enabled: true, Pattern: `{"source":["a"]}`, Targets: []model.Target{{ARN: bus, DeadLetterARN: queue}}}}}
	p, _, c := open(t, app, "")
	put(t, c, entryOf("", "a", "b", `{}`))
	if all := p.Deliveries(); len(all) != 1 {
		t.Errorf("%d deliveries", len(all))
	}
}

// TestInput has the examples of
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
// and of its page of common issues.
func TestInput(t *testing.T) {
	p := servicetest.New(t, &model.Application{}, "")
	s, err := New(p.Env)
	if err != nil {
		t.Fatal(err)
	}
	e := &event{
		Version: "0", ID: "7bf73129", DetailType: "EC2 Instance State-change Notification", Source: "aws.ec2", Account: "123456789012",
		Time: "2015-11-11T21:29:54Z", Region: "us-east-1", Resources: []string{"arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"},
		Detail: []byte(`{"instance-id":"i-0123456789","state":"RUNNING","say":"a \"b\"","n":5,"yes":true,"nothing":null,"list":["HIGH","LOW"],"deep":{"key":[{"v":1}]}}`),
	}
	paths := map[string]string{
		"instance": "$.detail.instance-id", "state": "$.detail.state", "resource": "$.resources[0]", "n": "$.detail.n", "yes": "$.detail.yes",
		"none": "$.detail.none", "nothing": "$.detail.nothing", "list": "$.detail.list", "deep": "$.detail.deep", "say": "$.detail.say",
		"one": "$.detail.deep.key[0].v", "quoted": "$['detail']['state']", "far": "$.resources[9]",
	}
	r := &rule{Name: "example", ARN: "arn:aws:events:us-east-1:123456789012:rule/example"}
	for _, row := range []struct{ template, want string }{
		{`"instance <instance> is in <state>"`, `"instance i-0123456789 is in RUNNING"`},
		{`"instance \"<instance>\" is in <state>"`, `"instance \"i-0123456789\" is in RUNNING"`},
		{`{"instance" : <instance>, "state": <state>}`, `{"instance":"i-0123456789","state":"RUNNING"}`},
		{`{"instance": <instance>, "state": "<state>", "instanceStatus": "instance \"<instance>\" is in <state>"}`, `{"instance":"i-0123456789","state":"RUNNING","instanceStatus":"instance \"i-0123456789\" is in RUNNING"}`},
		{`{"state": [9, <state>, true], "Transformed": "Yes"}`, `{"state":[9,"RUNNING",true],"Transformed":"Yes"}`},
		{`{"ruleArn": <aws.events.rule-arn>, "ruleName": <aws.events.rule-name>, "at": <aws.events.event.ingestion-time>}`, `{"ruleArn":"arn:aws:events:us-east-1:123456789012:rule/example","ruleName":"example","at":"2026-11-24T10:30:15Z"}`},
		{`{"e": <aws.events.event>}`, `{"e":{"version":"0","id":"7bf73129","detailType":"EC2 Instance State-change Notification","source":"aws.ec2","account":"123456789012","time":"2015-11-11T21:29:54Z","region":"us-east-1","resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"]}}`},
		{`{"d": <aws.events.event.json>}`, `{"d":` + string(e.json()) + `}`},
		{`{"n": <n>, "yes": <yes>, "none": <none>, "nothing": <nothing>, "one": <one>, "q": <quoted>, "far": <far>}`, `{"n":5,"yes":true,"none":"","nothing":"","one":1,"q":"RUNNING","far":""}`},
		{`"<list> and <deep> and <none>"`, `"[HIGH,LOW] and {key:[{v:1}]} and "`},
		{"\"<n>\"\n\"<state>\"", "\"5\"\n\"RUNNING\""},
		{`{"say": "<say>", "also": <say>}`, `{"say":"a \"b\"","also":"a \"b\""}`},
		{`"{[/ <state>"`, `"{[/ RUNNING"`},
		{`{"a < b": "<state>"}`, `{"a < b":"RUNNING"}`},
	} {
		target := &target{InputTransformer: &transformer{paths, row.template}}
		got, err := s.input(target, r, e)
		if err != nil || string(got) != row.want {
			t.Errorf("%s\n got %s, %v\nwant %s", row.template, got, err, row.want)
		}
		if err := target.check(); err != nil {
			t.Errorf("%s: %v", row.template, err)
		}
	}
	if got, err := s.input(&target{InputPath: "$.detail.deep"}, r, e); string(got) != `{"key":[{"v":1}]}` || err != nil {
		t.Errorf("input path: %s, %v", got, err)
	}
	if got, err := s.input(&target{Input: `{"fixed":1}`}, r, e); string(got) != `{"fixed":1}` || err != nil {
		t.Errorf("input: %s, %v", got, err)
	}
}

func TestRulesByRequest(t *testing.T) {
	dir := t.TempDir()
	p, s, c := open(t, shop(), dir)
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.CreateEventBus(ctx, &sdk.CreateEventBusInput{Name: aws.String("mine")}))
	must(c.PutRule(ctx, &sdk.PutRuleInput{Name: aws.String("r"), EventBusName: aws.String("mine"), EventPattern: aws.String(`{"source":["a"]}`)}))
	must(c.PutTargets(ctx, &sdk.PutTargetsInput{Rule: aws.String("r"), EventBusName: aws.String("mine"), Targets: []types.Target{
		{Id: aws.String("1"), Arn: aws.String(queue), RetryPolicy: &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(3)}},
		{Id: aws.String("2"), Arn: aws.String(queue)},
	}}))
	must(c.RemoveTargets(ctx, &sdk.RemoveTargetsInput{Rule: aws.String("r"), EventBusName: aws.String("mine"), Ids: []string{"2"}}))
	must(c.DisableRule(ctx, &sdk.DisableRuleInput{Name: aws.String("Placed"), EventBusName: aws.String("shop")}))
	must(c.EnableRule(ctx, &sdk.EnableRuleInput{Name: aws.String("Off"), EventBusName: aws.String("shop")}))
	put(t, c, entryOf("mine", "a", "b", `{}`), entryOf("shop", "shop", "Order", `{"total":99}`))
	if n := len(p.Deliveries()); n != 2 { // of r, and of Off
		t.Errorf("%d deliveries", n)
	}
	// What requests changed goes before the application, also the next time.
	must(nil, s.Swap(shop()))
	must(nil, p.Env.Store.Close())
	_, _, c = open(t, shop(), dir)
	described, err := c.DescribeRule(ctx, &sdk.DescribeRuleInput{Name: aws.String("Placed"), EventBusName: aws.String("shop")})
	if err != nil || described.State != types.RuleStateDisabled {
		t.Errorf("%+v, %v", described, err)
	}
	targets, err := c.ListTargetsByRule(ctx, &sdk.ListTargetsByRuleInput{Rule: aws.String("r"), EventBusName: aws.String("mine")})
	if err != nil || len(targets.Targets) != 1 || *targets.Targets[0].RetryPolicy.MaximumRetryAttempts != 3 {
		t.Errorf("%+v, %v", targets, err)
	}
	names, err := c.ListRuleNamesByTarget(ctx, &sdk.ListRuleNamesByTargetInput{TargetArn: aws.String(queue), EventBusName: aws.String("shop")})
	if err != nil || strings.Join(names.RuleNames, ",") != "Off,Placed" {
		t.Errorf("%+v, %v", names, err)
	}
	buses, err := c.ListEventBuses(ctx, &sdk.ListEventBusesInput{})
	if err != nil || len(buses.EventBuses) != 4 {
		t.Errorf("%+v, %v", buses, err)
	}
	_, err = c.DeleteRule(ctx, &sdk.DeleteRuleInput{Name: aws.String("r"), EventBusName: aws.String("mine")})
	wantCode(t, err, "ValidationException", "Rule can't be deleted since it has targets.")
	must(c.RemoveTargets(ctx, &sdk.RemoveTargetsInput{Rule: aws.String("r"), EventBusName: aws.String("mine"), Ids: []string{"1"}}))
	must(c.DeleteRule(ctx, &sdk.DeleteRuleInput{Name: aws.String("r"), EventBusName: aws.String("mine")}))
	must(c.DeleteEventBus(ctx, &sdk.DeleteEventBusInput{Name: aws.String("mine")}))
	_, err = c.DescribeRule(ctx, &sdk.DescribeRuleInput{Name: aws.String("r")})
	wantCode(t, err, "ResourceNotFoundException", "Rule r does not exist on EventBus default.")
}

func wantCode(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.HasPrefix(api.ErrorMessage(), message) {
		t.Errorf("the error is %v, want %s: %s", err, code, message)
	}
}

func TestFaults(t *testing.T) {
	_, _, c := open(t, shop(), "")
	ctx := t.Context()
	_, err := c.PutRule(ctx, &sdk.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(`{"a":[]}`)})
	wantCode(t, err, "InvalidEventPatternException", "Event pattern is not valid. Reason: Empty arrays are not allowed")
	_, err = c.PutRule(ctx, &sdk.PutRuleInput{Name: aws.String("r")})
	wantCode(t, err, "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
	_, err = c.PutRule(ctx, &sdk.PutRuleInput{Name: aws.String("r"), ScheduleExpression: aws.String("rate(5 minute)")})
	wantCode(t, err, "ValidationException", "Parameter ScheduleExpression is not valid.")
	_, err = c.PutTargets(ctx, &sdk.PutTargetsInput{Rule: aws.String("Placed"), EventBusName: aws.String("shop"), Targets: []types.Target{
		{Id: aws.String("t"), Arn: aws.String(queue), Input: aws.String("{}"), InputPath: aws.String("$.detail")},
	}})
	wantCode(t, err, "ValidationException", "Only one of Input, InputPath, or InputTransformer must be provided for target t.")
	_, err = c.PutTargets(ctx, &sdk.PutTargetsInput{Rule: aws.String("Placed"), EventBusName: aws.String("shop"), Targets: []types.Target{
		{Id: aws.String("t"), Arn: aws.String(queue), InputTransformer: &types.InputTransformer{InputTemplate: aws.String(`"<x>"`)}},
	}})
	wantCode(t, err, "ValidationException", "InputTemplate for target t contains invalid placeholder x.")
	_, err = c.PutEvents(ctx, &sdk.PutEventsInput{Entries: make([]types.PutEventsRequestEntry, 11)})
	wantCode(t, err, "ValidationException", "1 validation error detected")
	_, err = c.PutEvents(ctx, &sdk.PutEventsInput{Entries: []types.PutEventsRequestEntry{entryOf("", "a", "b", `{"x":"`+strings.Repeat("x", 1<<20)+`"}`)}})
	wantCode(t, err, "ValidationException", "Total size of the entries in the request is over the limit.")
	_, err = c.TestEventPattern(ctx, &sdk.TestEventPatternInput{Event: aws.String(`"a"`), EventPattern: aws.String(`{"a":["b"]}`)})
	wantCode(t, err, "ValidationException", "Parameter Event is not valid.")
	out, err := c.TestEventPattern(ctx, &sdk.TestEventPatternInput{Event: aws.String(`{"a":"b"}`), EventPattern: aws.String(`{"a":["b"]}`)})
	if err != nil || !out.Result {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestScheduledRule(t *testing.T) {
	app := &model.Application{Rules: []*model.Rule{
		{ID: model.ID{Path: "Tick"}, RuleName: "Tick", BusName: "default", Enabled: true, Expression: "rate(5 minutes)", Targets: []model.Target{{ARN: queue}}},
		{ID: model.ID{Path: "Bad"}, RuleName: "Bad", BusName: "default", Enabled: true, Expression: "rate(x)"},
	}}
	p, s, _ := open(t, app, "")
	p.Advance(5 * time.Minute)
	due, _ := s.clock.Due(p.Now())
	if len(due) != 1 {
		t.Fatalf("%d are due", len(due))
	}
	s.fire(due[0])
	s.fire(schedule.Due{Name: "default\x00gone"})
	all := p.Deliveries()
	if len(all) != 1 {
		t.Fatalf("%d deliveries", len(all))
	}
	var e event
	if err := json.Unmarshal(all[0].Body, &e); err != nil {
		t.Fatal(err)
	}
	if e.DetailType != "Scheduled Event" || e.Source != "aws.events" || e.Resources[0] != "arn:aws:events:us-east-1:123456789012:rule/Tick" || e.Time != "2026-11-24T10:35:15Z" || string(e.Detail) != "{}" {
		t.Errorf("the event is %s", all[0].Body)
	}
	if !strings.Contains(p.Logs(), "the rule Bad is left out") {
		t.Errorf("the log is %s", p.Logs())
	}
	s.Start()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestKilled has a child process put events until it is killed, and looks for
// every acknowledged one in the state that it left.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("EVENTBRIDGE_TEST_DIR"); dir != "" {
		putUntilKilled(t, dir)
		return
	}
	for range servicetest.Kills() {
		dir := t.TempDir()
		child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), "EVENTBRIDGE_TEST_DIR="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		var acknowledged []string
		for len(acknowledged) < 50 {
			var id string
			if _, err := fmt.Fscanln(out, &id); err != nil {
				t.Fatal(err)
			}
			acknowledged = append(acknowledged, id)
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
		db, err := store.Open(dir + "/state.db")
		if err != nil {
			t.Fatal(err)
		}
		err = db.View(func(tx *store.Tx) error {
			for _, id := range acknowledged {
				if tx.Get("test/queue", []byte(id)) == nil {
					t.Errorf("the event %s is lost", id)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		db.Close()
	}
}

// keep is a queue that keeps its messages by the ids of their events.
type keep struct{}

func (keep) Accept(tx *store.Tx, d *service.Delivery) error {
	var e event
	err := json.Unmarshal(d.Body, &e)
	tx.Put("test/queue", []byte(e.ID), d.Body)
	return err
}

func putUntilKilled(t *testing.T, dir string) {
	p := servicetest.New(t, shop(), dir)
	p.Acceptors["sqs"] = keep{}
	s, err := New(p.Env)
	if err != nil {
		t.Fatal(err)
	}
	p.Acceptors["events"] = s
	for {
		out, err := s.putEvents(&struct{ Entries []entry }{[]entry{{Source: "shop", DetailType: "Order", Detail: `{"total":99}`, EventBusName: "shop"}}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(out.(map[string]any)["Entries"].([]putEventsEntry)[0].EventID)
	}
}

func FuzzInput(f *testing.F) {
	f.Add(`{"a": "<x>", "b": <x>}`, "$.detail.list[0]", `{"list":["a"]}`)
	f.Add(`"<aws.events.event.json> \"`, "$['detail'].x", `{"x":{"y":"\""}}`)
	db := servicetest.New(f, &model.Application{}, "")
	s, err := New(db.Env)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, template, path, detail string) {
		if !isObject([]byte(detail)) {
			return
		}
		e := &event{ID: "1", Source: "a", DetailType: "b", Detail: []byte(detail)}
		got, err := s.input(&target{InputTransformer: &transformer{map[string]string{"x": path}, template}}, &rule{}, e)
		if err == nil && len(got) > 0 && got[0] == '{' && !json.Valid(got) {
			t.Errorf("%s made %s", template, got)
		}
	})
}

// FuzzLookUp compares with what encoding/json finds.
func FuzzLookUp(f *testing.F) {
	f.Add(`{"a":{"b":[1,{"c":"]}"}],"a":2},"b" : [ ] }`, "a", 1)
	f.Add(`{"a\\":[[],"\"",-1.5e3]}`, "a\\", 2)
	f.Fuzz(func(t *testing.T, text, name string, index int) {
		if !json.Valid([]byte(text)) {
			return
		}
		var object map[string]json.RawMessage
		var array []json.RawMessage
		want, ok := json.RawMessage(nil), false
		if json.Unmarshal([]byte(text), &object) == nil {
			want, ok = object[name]
		}
		if got, found := member([]byte(text), name); found != ok || string(got) != string(want) {
			t.Errorf("%q of %s is %s, %v, want %s, %v", name, text, got, found, want, ok)
		}
		if json.Unmarshal([]byte(text), &array) != nil {
			array = nil
		}
		got, found := element([]byte(text), index)
		if ok = index >= 0 && index < len(array); found != ok || ok && string(got) != string(array[index]) {
			t.Errorf("%d of %s is %s, %v", index, text, got, found)
		}
	})
}
