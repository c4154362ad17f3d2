package model

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"
)

// What SQS takes where a template says nothing. See AWS::SQS::Queue in the AWS
// CloudFormation Template Reference.
const (
	defaultVisibilityTimeout = 30 * time.Second
	defaultRetentionPeriod   = 4 * 24 * time.Hour
)

func (r *reader) queue(res *resource) {
	q := &Queue{
		ID:                        res.identity(),
		QueueName:                 r.attribute(res, "QueueName"),
		ARN:                       r.arn(res),
		URL:                       r.ref(res),
		FIFO:                      r.text(res, "FifoQueue") == "true",
		VisibilityTimeout:         r.seconds(res, "VisibilityTimeout", defaultVisibilityTimeout),
		MessageRetentionPeriod:    r.seconds(res, "MessageRetentionPeriod", defaultRetentionPeriod),
		Delay:                     r.seconds(res, "DelaySeconds", 0),
		ContentBasedDeduplication: r.text(res, "ContentBasedDeduplication") == "true",
	}
	redrive := r.property(res, "RedrivePolicy")
	q.DeadLetterARN = deadLetterOf(redrive)
	q.MaxReceiveCount, _ = strconv.Atoi(textOf(objectOf(redrive)["maxReceiveCount"]))
	for _, name := range []string{"MaximumMessageSize", "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "DeduplicationScope", "FifoThroughputLimit"} {
		if value := textOf(r.property(res, name)); value != "" {
			if q.Attributes == nil {
				q.Attributes = map[string]string{}
			}
			q.Attributes[name] = value
		}
	}
	r.app.Queues = append(r.app.Queues, q)
}

// deadLetterOf is the target of a redrive policy.
func deadLetterOf(redrivePolicy any) string {
	return textOf(objectOf(redrivePolicy)["deadLetterTargetArn"])
}

// objectOf is a value that is an object, or the JSON text of one.
func objectOf(v any) map[string]any {
	if text, ok := v.(string); ok {
		var object map[string]any
		if json.Unmarshal([]byte(text), &object) != nil {
			return nil
		}
		return object
	}
	object, _ := v.(map[string]any)
	return object
}

// properties are all of a resource's properties, resolved.
func (r *reader) properties(res *resource) map[string]any {
	value, problems := res.scope.Eval(any(res.r.Properties), "Resources."+res.id+".Properties")
	r.problems(res, problems)
	object, _ := value.(map[string]any)
	return object
}

func (r *reader) table(res *resource) {
	t := &Table{ID: res.identity(), TableName: r.ref(res), ARN: r.arn(res), Properties: r.properties(res)}
	if t.Properties["StreamSpecification"] != nil || res.r.Type == "AWS::DynamoDB::GlobalTable" {
		t.StreamARN = r.attribute(res, "StreamArn")
	}
	r.app.Tables = append(r.app.Tables, t)
}

func (r *reader) stream(res *resource) {
	s := &Stream{ID: res.identity(), StreamName: r.ref(res), ARN: r.arn(res), ShardCount: r.number(res, "ShardCount", 1)}
	if r.text(res, "StreamModeDetails.StreamMode") == "ON_DEMAND" {
		s.ShardCount = 0
	}
	r.app.Streams = append(r.app.Streams, s)
}

func (r *reader) deliveryStream(res *resource) {
	r.app.DeliveryStreams = append(r.app.DeliveryStreams, &DeliveryStream{
		ID: res.identity(), DeliveryStreamName: r.ref(res), ARN: r.arn(res), Properties: r.properties(res),
	})
}

func (r *reader) stateMachine(res *resource) {
	name, _ := res.scope.PhysicalName(res.id)
	definition := r.property(res, "DefinitionString")
	if definition == nil {
		definition = r.property(res, "Definition")
	}
	r.app.StateMachines = append(r.app.StateMachines, &StateMachine{
		ID: res.identity(), StateMachineName: name, ARN: r.ref(res),
		Type: cmp.Or(r.text(res, "StateMachineType"), "STANDARD"), Definition: textOf(definition),
	})
}

// bucket reads a bucket with its notifications: the template's own, and those
// that the CDK has a custom resource set, since the two refer to each other.
func (r *reader) bucket(res *resource) {
	b := &Bucket{ID: res.identity(), BucketName: r.ref(res), ARN: r.arn(res)}
	r.notifications(b, r.property(res, "NotificationConfiguration"))
	for _, custom := range r.bucketNotifications()[b.BucketName] {
		r.notifications(b, r.property(custom, "NotificationConfiguration"))
	}
	r.app.Buckets = append(r.app.Buckets, b)
}

// bucketNotifications are the CDK's custom resources for notifications, by the
// name of the bucket.
func (r *reader) bucketNotifications() map[string][]*resource {
	if r.customNotifications == nil {
		r.customNotifications = map[string][]*resource{}
		for _, custom := range r.resources {
			if custom.r.Type == "Custom::S3BucketNotifications" && r.active(custom) {
				name := r.text(custom, "BucketName")
				r.customNotifications[name] = append(r.customNotifications[name], custom)
			}
		}
	}
	return r.customNotifications
}

// notifications reads both spellings: CloudFormation's, with one Event each,
// and the S3 API's, which the custom resource takes.
func (r *reader) notifications(b *Bucket, configuration any) {
	if bus := objectOf(configuration)["EventBridgeConfiguration"]; bus != nil {
		b.EventBridge = textOf(objectOf(bus)["EventBridgeEnabled"]) != "false"
	}
	for _, kind := range []struct{ list, target string }{
		{"LambdaConfigurations", "Function"},
		{"QueueConfigurations", "Queue"},
		{"TopicConfigurations", "Topic"},
		{"LambdaFunctionConfigurations", "LambdaFunctionArn"},
		{"QueueConfigurations", "QueueArn"},
		{"TopicConfigurations", "TopicArn"},
	} {
		for _, entry := range listOf(objectOf(configuration)[kind.list]) {
			config := objectOf(entry)
			if config[kind.target] == nil {
				continue
			}
			n := Notification{TargetARN: textOf(config[kind.target])}
			n.Function = r.functionByARN(n.TargetARN)
			for _, event := range append(listOf(config["Events"]), config["Event"]) {
				if event != nil {
					n.Events = append(n.Events, textOf(event))
				}
			}
			n.Prefix, n.Suffix = filterRules(config)
			b.Notifications = append(b.Notifications, n)
		}
	}
}

func filterRules(config map[string]any) (prefix, suffix string) {
	filter := objectOf(config["Filter"])
	key := objectOf(filter["S3Key"])
	if key == nil {
		key = objectOf(filter["Key"])
	}
	rules := listOf(key["Rules"])
	if rules == nil {
		rules = listOf(key["FilterRules"])
	}
	for _, entry := range rules {
		rule := objectOf(entry)
		switch textOf(rule["Name"]) {
		case "prefix", "Prefix":
			prefix = textOf(rule["Value"])
		case "suffix", "Suffix":
			suffix = textOf(rule["Value"])
		}
	}
	return prefix, suffix
}
