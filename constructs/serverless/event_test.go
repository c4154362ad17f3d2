package serverless_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/serverless"
)

// with is the smallest function with events.
func with(events serverless.Events) serverless.FunctionProps {
	props := checkout
	props.Events = events
	return props
}

func TestHttpApiEvent(t *testing.T) {
	stack := newStack(t)
	serverless.NewFunction(stack, "Checkout", with(serverless.Events{
		"Place": serverless.HttpApiEvent{Method: "POST", Path: "/orders"},
		"Read":  serverless.HttpApiEvent{Method: "get", Path: "/orders/{id}", PayloadFormatVersion: "1.0", TimeoutMillis: 5000},
		"Rest":  serverless.HttpApiEvent{},
		"Files": serverless.HttpApiEvent{Path: "/files/{path+}"},
	}))
	wantGolden(t, stack, "event_httpapi")
}

// The stack has one implicit API, whichever function comes first.
func TestImplicitHttpApiIsShared(t *testing.T) {
	stack := newStack(t)
	serverless.NewFunction(stack, "Checkout", with(serverless.Events{"A": serverless.HttpApiEvent{Method: "GET", Path: "/a"}}))
	serverless.NewFunction(stack, "Other", with(serverless.Events{"B": serverless.HttpApiEvent{Method: "GET", Path: "/b"}}))
	api := serverless.ImplicitHttpApi(stack)
	awscdk.NewCfnOutput(stack, jsii.String("Url"), &awscdk.CfnOutputProps{Value: api.ApiEndpoint()})
	wantNoFaults(t, stack)
	only(t, stack, "AWS::ApiGatewayV2::Api")
	if routes := resources(t, stack, "AWS::ApiGatewayV2::Route"); len(routes) != 2 {
		t.Errorf("there are %d routes, want two", len(routes))
	}
}

func TestHttpApi(t *testing.T) {
	stack := newStack(t)
	api := serverless.NewHttpApi(stack, "Api", serverless.HttpApiProps{
		Name:                 "shop",
		Description:          "the shop",
		ThrottlingRateLimit:  20,
		ThrottlingBurstLimit: 10,
		Cors: &serverless.Cors{
			AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{"GET", "POST"},
			AllowHeaders: []string{"content-type"}, AllowCredentials: true, MaxAge: time.Hour,
		},
	})
	f := serverless.NewFunction(stack, "Checkout", with(serverless.Events{
		"Place": serverless.HttpApiEvent{Method: "POST", Path: "/orders", Api: api},
	}))
	api.Route("GET", "/live", f.AddAlias(jsii.String("live"), nil))
	wantGolden(t, stack, "httpapi")
}

func TestHttpApiWithoutAccessLogs(t *testing.T) {
	stack := newStack(t)
	serverless.NewHttpApi(stack, "Api", serverless.HttpApiProps{
		DisableAccessLogs: true, DisableExecuteApiEndpoint: true,
		Cors: &serverless.Cors{AllowOrigins: []string{"*"}, AllowMethods: []string{"*"}},
	})
	wantNoFaults(t, stack)
	if logs := resources(t, stack, "AWS::Logs::LogGroup"); len(logs) > 0 {
		t.Errorf("there are log groups: %v", logs)
	}
	if got := only(t, stack, "AWS::ApiGatewayV2::Api"); got["DisableExecuteApiEndpoint"] != true ||
		asJSON(t, got["CorsConfiguration"]) != `{"AllowMethods":["*"],"AllowOrigins":["*"]}` {
		t.Errorf("the API is %s", asJSON(t, got))
	}
}

func TestScheduleEvent(t *testing.T) {
	stack := newStack(t)
	serverless.NewFunction(stack, "Checkout", with(serverless.Events{
		"Nightly": serverless.ScheduleEvent{Schedule: "cron(0 3 * * ? *)", Description: "expires orders", Input: `{"days": 3}`},
		"Often": serverless.ScheduleEvent{
			Schedule: "rate(5 minutes)", Name: "often", Disabled: true,
			MaximumRetryAttempts: serverless.NoRetries, MaximumEventAge: time.Hour,
			DeadLetterQueue: serverless.NewQueue(stack, "Missed", serverless.QueueProps{}),
		},
	}))
	wantGolden(t, stack, "event_schedule")
}

func TestScheduleForms(t *testing.T) {
	for schedule, fault := range map[string]string{
		"rate(1 minute)":         "",
		"rate(2 minutes)":        "",
		"rate(24 hours)":         "",
		"rate(1 day)":            "",
		"cron(0 3 * * ? *)":      "",
		"cron(0/15 * ? * MON *)": "",
		"rate(1 minutes)":        "wrong number of its unit",
		"rate(5 minute)":         "wrong number of its unit",
		"rate(0 minutes)":        "is no schedule",
		"rate(5 weeks)":          "is no schedule",
		"every 5 minutes":        "is no schedule",
		"":                       "is no schedule",
		"cron(0 3 * * *)":        "has 5 fields",
		"cron(0 3 * * * *)":      `needs "?" in exactly one`,
		"cron(0 3 ? * ? *)":      `needs "?" in exactly one`,
	} {
		t.Run(schedule, func(t *testing.T) {
			stack := newStack(t)
			serverless.NewFunction(stack, "Checkout", with(serverless.Events{"Tick": serverless.ScheduleEvent{Schedule: schedule}}))
			if fault != "" {
				wantFault(t, stack, `event "Tick": the schedule`, fault)
				return
			}
			wantNoFaults(t, stack)
			if got := only(t, stack, "AWS::Events::Rule")["ScheduleExpression"]; got != schedule {
				t.Errorf("the rule's schedule is %v", got)
			}
		})
	}
}

func TestSQSEvent(t *testing.T) {
	stack := newStack(t)
	queue := serverless.NewQueue(stack, "Work", serverless.QueueProps{})
	serverless.NewFunction(stack, "Checkout", with(serverless.Events{
		"Work": serverless.SQSEvent{
			Queue: queue, BatchSize: 100, MaximumBatchingWindow: 5 * time.Second, MaximumConcurrency: 4,
			FilterPatterns: []string{`{"body": {"kind": ["order"]}}`},
		},
	}))
	wantGolden(t, stack, "event_sqs")
}

func TestSQSEventOptions(t *testing.T) {
	stack := newStack(t)
	queue := awssqs.Queue_FromQueueArn(stack, jsii.String("Work"), jsii.String("arn:aws:sqs:eu-west-1:123456789012:work"))
	serverless.NewFunction(stack, "Checkout", with(serverless.Events{
		"Work": serverless.SQSEvent{Queue: queue, DisableReportBatchItemFailures: true, Disabled: true},
	}))
	wantNoFaults(t, stack)
	if got := only(t, stack, "AWS::Lambda::EventSourceMapping"); got["FunctionResponseTypes"] != nil || got["Enabled"] != false {
		t.Errorf("the mapping is %v", got)
	}
}

// The visibility timeout of a queue that sets none follows its slowest consumer.
func TestVisibilityTimeoutFollowsConsumers(t *testing.T) {
	stack := newStack(t)
	queue := serverless.NewQueue(stack, "Work", serverless.QueueProps{DisableDeadLetterQueue: true})
	for id, timeout := range map[string]time.Duration{"A": 20 * time.Second, "B": 60 * time.Second, "C": 5 * time.Second} {
		props := with(serverless.Events{"Work": serverless.SQSEvent{Queue: queue, MaximumBatchingWindow: 30 * time.Second}})
		props.Timeout = timeout
		serverless.NewFunction(stack, id, props)
	}
	wantNoFaults(t, stack)
	if got := only(t, stack, "AWS::SQS::Queue")["VisibilityTimeout"]; got != 390.0 {
		t.Errorf("the visibility timeout is %v seconds, want six times 60 and 30", got)
	}
}

func TestVisibilityTimeoutTooShort(t *testing.T) {
	for name, c := range map[string]struct {
		visibility, timeout time.Duration
		fault, warning      string
	}{
		"shorter than the function": {20 * time.Second, time.Minute, "20s, less than the function's timeout of 1m: make it 6m", ""},
		"shorter than advised":      {time.Minute, 30 * time.Second, "", "is 1m; AWS advises 3m"},
		"as advised":                {6 * time.Minute, time.Minute, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			stack := newStack(t)
			props := with(serverless.Events{"Work": serverless.SQSEvent{
				Queue: serverless.NewQueue(stack, "Work", serverless.QueueProps{VisibilityTimeout: c.visibility}),
			}})
			props.Timeout = c.timeout
			serverless.NewFunction(stack, "Checkout", props)
			if c.fault == "" {
				wantNoFaults(t, stack)
			} else {
				wantFault(t, stack, `event "Work": the queue's visibility timeout is`, c.fault)
			}
			warnings := strings.Join(warnings(stack), "\n")
			if (c.warning == "") != (warnings == "") || !strings.Contains(warnings, c.warning) {
				t.Errorf("the warnings are %q, want one with %q", warnings, c.warning)
			}
		})
	}
}

// A queue of the CDK has SQS's default visibility timeout of 30 seconds.
func TestVisibilityTimeoutOfOtherQueues(t *testing.T) {
	stack := newStack(t)
	props := with(serverless.Events{"Work": serverless.SQSEvent{Queue: awssqs.NewQueue(stack, jsii.String("Work"), nil)}})
	props.Timeout = time.Minute
	serverless.NewFunction(stack, "Checkout", props)
	wantFault(t, stack, "visibility timeout is 30s, less than the function's timeout")
}

// counted is an event of another package.
type counted struct{ bound *[]string }

func (c counted) Bind(fn *serverless.Function, id string) {
	*c.bound = append(*c.bound, id)
	fn.AddPermission(jsii.String(id), &awslambda.Permission{Principal: nil})
}

func TestEventOfAnotherPackage(t *testing.T) {
	stack := newStack(t)
	var bound []string
	f := serverless.NewFunction(stack, "Checkout", with(serverless.Events{
		"C": counted{&bound}, "A": counted{&bound}, "B": counted{&bound},
	}))
	f.AddEvent("D", counted{&bound})
	if got := strings.Join(bound, ""); got != "ABCD" {
		t.Errorf("the events were bound in the order %s", got)
	}
	// The permission has no principal: the CDK panics, and the app goes on.
	wantFault(t, stack, "Shop/Checkout: event \"B\": the CDK refuses it:", "Principal")
}
