package eventfork

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

const (
	snsService    = "sns.amazonaws.com"
	eventsService = "events.amazonaws.com"
)

// delivery is how a branch gets its events.
type delivery struct {
	queue   awssqs.IQueue           // the queue that gets them, or nil
	stream  *stream                 // the stream that gets them, or nil
	dead    awssqs.IQueue           // the queue for those that can't be delivered
	wrapped bool                    // with the envelope of SNS or EventBridge
	group   string                  // the FIFO message group, of a bus alone
	depends []constructs.IConstruct // what must be there first
}

// deliver connects the branch with the topic or bus.
func (b *branch) deliver(d delivery) {
	b.dead = d.dead
	if b.fork.Bus != nil {
		b.byRule(d)
		return
	}
	b.bySubscription(d)
}

// bySubscription subscribes to the topic.
func (b *branch) bySubscription(d delivery) {
	topic := b.fork.Topic
	p := &awssns.CfnSubscriptionProps{
		TopicArn:           topic.TopicArn(),
		RawMessageDelivery: jsii.Bool(!d.wrapped),
		RedrivePolicy:      map[string]any{"deadLetterTargetArn": d.dead.QueueArn()},
	}
	if d.queue != nil {
		p.Protocol, p.Endpoint = jsii.String("sqs"), d.queue.QueueArn()
		b.admit(d.queue, snsService, topic.TopicArn())
	} else {
		p.Protocol, p.Endpoint = jsii.String("firehose"), d.stream.AttrArn()
		p.SubscriptionRoleArn = d.stream.writer(b, snsService).RoleArn()
	}
	if policy := b.matches.policy(); policy != nil {
		p.FilterPolicy, p.FilterPolicyScope = policy, jsii.String(string(b.matches.scope))
	}
	b.admit(d.dead, snsService, topic.TopicArn())
	subscription := awssns.NewCfnSubscription(b.scope, jsii.String("Subscription"), p)
	for _, c := range d.depends {
		subscription.Node().AddDependency(c)
	}
}

// byRule makes a rule of the bus.
func (b *branch) byRule(d delivery) {
	target := awsevents.CfnRule_TargetProperty{
		Id:               jsii.String("Branch"),
		DeadLetterConfig: &awsevents.CfnRule_DeadLetterConfigProperty{Arn: d.dead.QueueArn()},
	}
	if !d.wrapped {
		target.InputPath = jsii.String("$.detail")
	}
	if d.queue != nil {
		target.Arn = d.queue.QueueArn()
		if d.group != "" {
			target.SqsParameters = &awsevents.CfnRule_SqsParametersProperty{MessageGroupId: &d.group}
		}
	} else {
		target.Arn = d.stream.AttrArn()
		target.RoleArn = d.stream.writer(b, eventsService).RoleArn()
	}
	rule := awsevents.NewCfnRule(b.scope, jsii.String("Rule"), &awsevents.CfnRuleProps{
		Description:  jsii.String("the branch " + *b.Node().Path()),
		EventBusName: b.fork.Bus.EventBusName(),
		EventPattern: b.pattern(),
		Targets:      &[]any{target},
	})
	if d.queue != nil {
		b.admit(d.queue, eventsService, rule.AttrArn())
	}
	b.admit(d.dead, eventsService, rule.AttrArn())
	for _, c := range d.depends {
		rule.Node().AddDependency(c)
	}
}

// pattern is the filter as a rule takes it. A rule must have one.
func (b *branch) pattern() map[string]any {
	switch policy := b.matches.policy(); b.matches.scope {
	case envelope:
		return policy
	case body:
		return map[string]any{"detail": policy}
	}
	return map[string]any{"source": []any{map[string]any{"prefix": ""}}}
}

// admit lets a service send to a queue, on behalf of the topic or rule alone.
func (b *branch) admit(queue awssqs.IQueue, service string, source *string) {
	queue.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    jsii.Strings("sqs:SendMessage"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(&service, nil)},
		Resources:  &[]*string{queue.QueueArn()},
		Conditions: &map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": source}},
	}))
	b.fork.useKey(service)
}

// statement lets a service do something.
func statement(service string, actions []string, resources ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    jsii.Strings(actions...),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(&service, nil)},
		Resources:  jsii.Strings(resources...),
	})
}
