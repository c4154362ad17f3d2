package model

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

func (r *reader) eventSourceMapping(res *resource) {
	name := r.text(res, "FunctionName")
	f := r.functionByName(res, name)
	if f == nil {
		r.leave(res, "FunctionName", "it invokes %s, which is no function of the application; it is left out", name)
		return
	}
	r.app.EventSourceMappings = append(r.app.EventSourceMappings, &EventSourceMapping{
		ID:                    res.identity(),
		Function:              f,
		EventSourceARN:        r.text(res, "EventSourceArn"),
		BatchSize:             r.number(res, "BatchSize", 0),
		MaximumBatchingWindow: r.seconds(res, "MaximumBatchingWindowInSeconds", 0),
		Enabled:               r.text(res, "Enabled") != "false",
		FunctionResponseTypes: r.texts(res, "FunctionResponseTypes"),
		FilterPatterns:        r.filterPatterns(res),
		MaximumConcurrency:    r.number(res, "ScalingConfig.MaximumConcurrency", 0),
		StartingPosition:      r.text(res, "StartingPosition"),

		BisectBatchOnFunctionError: r.text(res, "BisectBatchOnFunctionError") == "true",
		MaximumRetryAttempts:       r.number(res, "MaximumRetryAttempts", -1),
		MaximumRecordAge:           r.seconds(res, "MaximumRecordAgeInSeconds", -time.Second),
		ParallelizationFactor:      r.number(res, "ParallelizationFactor", 1),
		OnFailure:                  r.text(res, "DestinationConfig.OnFailure.Destination"),
	})
}

func (r *reader) seconds(res *resource, name string, fallback time.Duration) time.Duration {
	return time.Duration(r.number(res, name, int(fallback/time.Second))) * time.Second
}

func (r *reader) filterPatterns(res *resource) []string {
	var patterns []string
	for _, filter := range r.objects(res, "FilterCriteria.Filters") {
		patterns = append(patterns, textOf(filter["Pattern"]))
	}
	return patterns
}

// What Lambda takes for asynchronous invocations. See
// AWS::Lambda::EventInvokeConfig in the AWS CloudFormation Template Reference.
const (
	defaultEventAge      = 6 * time.Hour
	defaultRetryAttempts = 2
)

func (r *reader) eventInvokeConfig(res *resource) {
	f := r.functionByName(res, r.text(res, "FunctionName"))
	if f == nil {
		r.leave(res, "FunctionName", "it is for %s, which is no function of the application", r.text(res, "FunctionName"))
		return
	}
	r.app.EventInvokeConfigs = append(r.app.EventInvokeConfigs, &EventInvokeConfig{
		ID:                   res.identity(),
		Function:             f,
		OnSuccess:            r.text(res, "DestinationConfig.OnSuccess.Destination"),
		OnFailure:            r.text(res, "DestinationConfig.OnFailure.Destination"),
		MaximumEventAge:      r.seconds(res, "MaximumEventAgeInSeconds", defaultEventAge),
		MaximumRetryAttempts: r.number(res, "MaximumRetryAttempts", defaultRetryAttempts),
	})
}

func (r *reader) rule(res *resource) {
	rule := &Rule{
		ID:          res.identity(),
		BusName:     cmp.Or(busName(r.text(res, "EventBusName")), "default"),
		Pattern:     textOf(r.property(res, "EventPattern")),
		Expression:  r.text(res, "ScheduleExpression"),
		Description: r.text(res, "Description"),
		Enabled:     r.text(res, "State") != "DISABLED",
	}
	rule.RuleName, _ = res.scope.PhysicalName(res.id)
	for _, target := range r.objects(res, "Targets") {
		rule.Targets = append(rule.Targets, r.target(target))
	}
	r.app.Rules = append(r.app.Rules, rule)
}

// busName is the name of a bus that a rule names by its name or ARN.
func busName(text string) string {
	if i := strings.LastIndex(text, ":event-bus/"); i >= 0 {
		return text[i+len(":event-bus/"):]
	}
	return text
}

func (r *reader) target(t map[string]any) Target {
	target := Target{ARN: textOf(t["Arn"]), Input: textOf(t["Input"]), InputPath: textOf(t["InputPath"])}
	target.Function = r.functionByARN(target.ARN)
	target.ID = textOf(t["Id"])
	target.MessageGroupID = textOf(objectOf(t["SqsParameters"])["MessageGroupId"])
	bus := objectOf(t["EventBridgeParameters"])
	target.Source, target.DetailType = textOf(bus["Source"]), textOf(bus["DetailType"])
	if deadLetter, ok := t["DeadLetterConfig"].(map[string]any); ok {
		target.DeadLetterARN = textOf(deadLetter["Arn"])
	}
	if transformer, ok := t["InputTransformer"].(map[string]any); ok {
		target.InputTemplate = textOf(transformer["InputTemplate"])
		target.InputPaths = map[string]string{}
		paths, _ := transformer["InputPathsMap"].(map[string]any)
		for name, path := range paths {
			target.InputPaths[name] = textOf(path)
		}
	}
	return target
}

func (r *reader) schedule(res *resource) {
	target, _ := r.property(res, "Target").(map[string]any)
	r.app.Schedules = append(r.app.Schedules, &Schedule{
		ID:          res.identity(),
		Expression:  r.text(res, "ScheduleExpression"),
		Timezone:    r.text(res, "ScheduleExpressionTimezone"),
		Description: r.text(res, "Description"),
		Enabled:     r.text(res, "State") != "DISABLED",
		Start:       r.text(res, "StartDate"),
		End:         r.text(res, "EndDate"),
		Target:      r.target(target),
	})
}

func (r *reader) eventBus(res *resource) {
	name, _ := res.scope.PhysicalName(res.id)
	r.app.EventBuses = append(r.app.EventBuses, &EventBus{ID: res.identity(), BusName: name, ARN: r.arn(res)})
}

func (r *reader) topic(res *resource) {
	t := &Topic{
		ID: res.identity(), TopicName: r.attribute(res, "TopicName"), ARN: r.ref(res), FIFO: r.text(res, "FifoTopic") == "true",
		ContentBasedDeduplication: r.text(res, "ContentBasedDeduplication") == "true",
	}
	r.app.Topics = append(r.app.Topics, t)
	for i, inline := range r.objects(res, "Subscription") {
		s := &Subscription{
			ID: t.ID, TopicARN: t.ARN, Protocol: textOf(inline["Protocol"]), Endpoint: textOf(inline["Endpoint"]),
			FilterPolicyScope: "MessageAttributes",
		}
		s.LogicalID += strconv.Itoa(i)
		s.Function = r.functionByARN(s.Endpoint)
		r.app.Subscriptions = append(r.app.Subscriptions, s)
	}
}

func (r *reader) subscription(res *resource) {
	s := &Subscription{
		ID:                 res.identity(),
		TopicARN:           r.text(res, "TopicArn"),
		Protocol:           r.text(res, "Protocol"),
		Endpoint:           r.text(res, "Endpoint"),
		FilterPolicy:       textOf(r.property(res, "FilterPolicy")),
		FilterPolicyScope:  cmp.Or(r.text(res, "FilterPolicyScope"), "MessageAttributes"),
		RawMessageDelivery: r.text(res, "RawMessageDelivery") == "true",
		DeadLetterARN:      deadLetterOf(r.property(res, "RedrivePolicy")),
	}
	s.Function = r.functionByARN(s.Endpoint)
	r.app.Subscriptions = append(r.app.Subscriptions, s)
}

func (r *reader) subscriptionFilter(res *resource) {
	f := &SubscriptionFilter{
		ID:             res.identity(),
		LogGroup:       r.text(res, "LogGroupName"),
		FilterPattern:  r.text(res, "FilterPattern"),
		DestinationARN: r.text(res, "DestinationArn"),
	}
	f.Function = r.functionByARN(f.DestinationARN)
	r.app.SubscriptionFilters = append(r.app.SubscriptionFilters, f)
}
