package serverless

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// ScheduleEvent invokes a function by time, through a rule of EventBridge:
// SAM's Schedule event.
type ScheduleEvent struct {
	// Schedule is "rate(5 minutes)", or "cron(0 3 * * ? *)" in UTC: minute,
	// hour, day of month, month, day of week, year.
	Schedule string
	// Input is the JSON text that the function gets; EventBridge's own event by
	// default.
	Input string
	// Name is the rule's physical name; CloudFormation makes one by default.
	Name        string
	Description string
	// Disabled makes the rule, but does not run it.
	Disabled bool
	// MaximumRetryAttempts is how often EventBridge tries again to hand an
	// event to Lambda, at most 185, the default; NoRetries for none.
	MaximumRetryAttempts int
	// MaximumEventAge is for how long it tries, a minute to 24 hours, the
	// default.
	MaximumEventAge time.Duration
	// DeadLetterQueue gets the events that could not be handed over; they are
	// dropped by default.
	DeadLetterQueue awssqs.IQueue
}

// NoRetries as MaximumRetryAttempts makes EventBridge try once.
const NoRetries = -1

// Bind implements [Event].
func (e ScheduleEvent) Bind(fn *Function, id string) {
	problems := append(prop.NilPointers(&e), e.check()...)
	for _, problem := range problems {
		fn.AddFault("%s", problem)
	}
	if len(problems) > 0 {
		return
	}
	// The CDK's own rule would need awseventstargets, and with it the Go
	// compiler half of the AWS services.
	target := &awsevents.CfnRule_TargetProperty{
		Id:          jsii.String("Target0"),
		Arn:         fn.FunctionArn(),
		Input:       prop.Optional(e.Input),
		RetryPolicy: e.retryPolicy(),
	}
	if e.DeadLetterQueue != nil {
		target.DeadLetterConfig = &awsevents.CfnRule_DeadLetterConfigProperty{Arn: e.DeadLetterQueue.QueueArn()}
	}
	rule := awsevents.NewCfnRule(fn, &id, &awsevents.CfnRuleProps{
		Name:               prop.Optional(e.Name),
		Description:        prop.Optional(e.Description),
		ScheduleExpression: &e.Schedule,
		State:              jsii.String(map[bool]string{false: "ENABLED", true: "DISABLED"}[e.Disabled]),
		Targets:            &[]any{target},
	})
	fn.AddPermission(jsii.String(id+"Permission"), &awslambda.Permission{
		Principal: eventBridge(),
		SourceArn: rule.AttrArn(),
	})
	if e.DeadLetterQueue != nil {
		e.DeadLetterQueue.AddToResourcePolicy(letSend(e.DeadLetterQueue, rule))
	}
}

func eventBridge() awsiam.IPrincipal {
	return awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)
}

// letSend allows a rule, and no other, to send to a queue.
func letSend(queue awssqs.IQueue, rule awsevents.CfnRule) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{eventBridge()},
		Actions:    jsii.Strings("sqs:SendMessage"),
		Resources:  &[]*string{queue.QueueArn()},
		Conditions: &map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": rule.AttrArn()}},
	})
}

func (e *ScheduleEvent) retryPolicy() *awsevents.CfnRule_RetryPolicyProperty {
	if e.MaximumRetryAttempts == 0 && e.MaximumEventAge == 0 {
		return nil
	}
	policy := &awsevents.CfnRule_RetryPolicyProperty{MaximumRetryAttempts: prop.OptionalNumber(e.MaximumRetryAttempts)}
	if e.MaximumRetryAttempts == NoRetries {
		policy.MaximumRetryAttempts = jsii.Number(0)
	}
	if e.MaximumEventAge != 0 {
		policy.MaximumEventAgeInSeconds = jsii.Number(e.MaximumEventAge.Seconds())
	}
	return policy
}

func (e *ScheduleEvent) check() (found []string) {
	if problem := scheduleProblem(e.Schedule); problem != "" {
		found = append(found, fmt.Sprintf("the schedule %q %s", e.Schedule, problem))
	}
	if e.Input != "" && !prop.IsToken(e.Input) && !json.Valid([]byte(e.Input)) {
		found = append(found, fmt.Sprintf("Input is not JSON: %s", e.Input))
	}
	if e.MaximumRetryAttempts != 0 && e.MaximumRetryAttempts != NoRetries {
		found = append(found, prop.InRange("MaximumRetryAttempts", e.MaximumRetryAttempts, 1, 185, "")...)
	}
	if e.MaximumEventAge != 0 {
		found = append(found, prop.DurationInRange("MaximumEventAge", e.MaximumEventAge, time.Minute, 24*time.Hour)...)
	}
	return found
}

var (
	rateExpression = regexp.MustCompile(`^rate\(([1-9]\d*) (minute|hour|day)(s?)\)$`)
	cronExpression = regexp.MustCompile(`^cron\((.*)\)$`)
)

// scheduleProblem says what EventBridge would refuse in a schedule's form. It
// does not check the values in the fields of cron. Source: "Creating a rule that
// runs on a schedule in Amazon EventBridge",
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
func scheduleProblem(schedule string) string {
	if prop.IsToken(schedule) {
		return ""
	}
	if match := rateExpression.FindStringSubmatch(schedule); match != nil {
		if one := match[1] == "1"; one == (match[3] == "s") {
			return "has the wrong number of its unit: rate(1 minute), but rate(5 minutes)"
		}
		return ""
	}
	match := cronExpression.FindStringSubmatch(schedule)
	if match == nil {
		return `is no schedule: write "rate(5 minutes)", with minutes, hours or days, or "cron(0 3 * * ? *)"`
	}
	fields := strings.Fields(match[1])
	if len(fields) != 6 {
		return fmt.Sprintf("has %d fields: cron takes six, minute, hour, day of month, month, day of week, year", len(fields))
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return `needs "?" in exactly one of the two fields for days, the third and the fifth`
	}
	return ""
}
