// Package eventfork is the event fork: publish one event, and independent
// branches store it, index it, keep it for a replay, or hand it to a consumer.
// A branch that fails, or is slow, does not reach the others.
//
//	orders := eventfork.New(stack, "Orders", eventfork.Props{
//		Branches: eventfork.Branches{
//			"Archive":  eventfork.Storage{},
//			"Checkout": eventfork.Branch{Function: checkout},
//			"Large": eventfork.Search{
//				Filter: eventfork.MatchAttributes(eventfork.Where("amount", eventfork.Numbers(eventfork.AtLeast(100)))),
//			},
//			"Replay": eventfork.Replay{ToBranch: "Checkout"},
//		},
//	})
//	serverless.NewFunction(stack, "Api", serverless.FunctionProps{
//		Environment: map[string]string{"TOPIC_ARN": *orders.Topic.TopicArn()},
//		Policies:    []serverless.Policy{serverless.SNSPublishMessagePolicy(orders.Topic)},
//		...
//	})
//
// It is the pattern of AWS's event fork pipelines, with what they lacked: a
// dead-letter queue everywhere, failures that are kept with their reasons, a
// replay with a window, encryption. Props and mistakes are as in package
// serverless.
//
// # Words
//
// A fork is a topic or bus with branches. A branch is a subscription or rule,
// with all that is behind it. An event that a branch can't do anything with,
// after as many attempts as its queue allows, is given up: it goes to the
// branch's dead-letter queue, and from there into the fork's failure record. So
// does an event that the Firehose stream of a branch could not deliver, by way of
// an object in S3.
//
// # Branches
//
//	Storage   an archive in S3                    topic ─▶ Firehose ─▶ S3
//	          shaped by a function of ours        topic ─▶ queue ─▶ Batcher ─▶ Firehose ─▶ S3
//	Search    an index in OpenSearch, backed up   topic ─▶ Firehose ─▶ OpenSearch, S3
//	Replay    a store of the last 14 days         topic ─▶ queue ─▶ (asked) Replayer ─▶ queue or function
//	Branch    anything else                       topic ─▶ queue ─▶ function; topic ─▶ queue of yours
//
// Each has a [Filter]. Events come as they were published; Wrapped gives them
// the envelope of SNS or EventBridge. From a bus, the event is its detail.
//
// # Consumers
//
// Write the function of a Branch with package eventhandler of this module. It
// handles each message by itself, and once; what the fork adds to the function's
// environment tells it where it remembers what it has handled, and where it puts
// what it gives up, with its error as the reason.
//
// # The functions inside
//
// They are Go programs of this module, in constructs/eventfork/functions, and
// are built with the app like its own functions: cdk synth, cdk deploy and the
// local engine all do. Their documentation has what they take and answer.
//
// # cdk-nag
//
// A fork passes cdk-nag's AwsSolutions rules. Where one does not fit, the
// resource says why, in the metadata that cdk-nag reads.
//
// # Defaults
//
// These are what you get by writing nothing, each with the prop that changes it,
// the reason, and where AWS says so.
//
// A standard SNS topic of the fork's own (Topic, Bus, Fifo), encrypted with the
// key that AWS manages for SNS (EncryptionKey), which refuses publishers without
// TLS. AWS services cannot publish to such a topic, but whoever has the right
// sns:Publish can. [Data encryption], [Security best practices for Amazon SNS]
//
// A dead-letter queue for each branch, kept 14 days: of its queue, and of its
// subscription or rule, since SNS and EventBridge otherwise drop what they can't
// deliver. [Amazon SNS dead-letter queues],
// [Using dead-letter queues to process undelivered events]
//
// Queues are those of package serverless: 5 receives, encrypted with SQS's keys,
// TLS alone. An event waits 4 days (Retention).
//
// An alarm when a branch gives an event up, one when its stream does, and one when
// that delivers late (AlarmTopic, DisableAlarms). The first counts the receipt of dead letters too, since
// SQS's own move to a dead-letter queue is in no metric of sent messages, and the
// recorder empties the queue. [Available CloudWatch metrics for Amazon SQS]
//
// A failure record in S3, for a year (Record, DisableRecord). A dead-letter queue
// keeps an event for 14 days at most. The buckets of streams tell EventBridge of
// their objects, so that what Firehose fails is recorded as well.
// [Handle data delivery failures], [Using EventBridge with Amazon S3]
//
// Idempotency by a table on demand, in which a message is remembered for 14 days
// (DisableIdempotency), and partial batch responses: SQS and SNS deliver at least
// once. [Handling errors for an SQS event source in Lambda]
//
// Storage: Firehose is subscribed directly, so that no function is paid for or
// can fail (Buffered, RemoveFields, Envelope). Objects of 5 MB or 5 minutes
// (BufferingSize, BufferingInterval), Firehose's own values; GZIP (Compression),
// since text shrinks to a tenth; keys by hour in Hive's form (Partitioning), so
// that a query reads the hours that it asks for; colder classes after 30 and 90
// days (Transitions). [Fanout to Firehose streams],
// [Understand custom prefixes for Amazon S3 objects],
// [Transitioning objects using Amazon S3 Lifecycle]
//
// Buckets: no public access, S3's own encryption, TLS 1.2 alone, access logs for
// 90 days, kept when the stack is deleted. [Security best practices for Amazon S3]
//
// Search: documents that fail are backed up (BackupAll); retries for 5 minutes
// (RetryDuration). The domain has two data nodes in two zones and three dedicated
// masters (DomainProps), encrypts at rest and between nodes, and lets in the
// stream's role alone. [Operational best practices for Amazon OpenSearch Service]
//
// Replay: 14 days (Retention), switched off (Enabled).
//
// Every role has the rights that it needs on the resources of its branch, and no
// managed policy. [Security best practices in IAM]
//
// [Data encryption]: https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html
// [Security best practices for Amazon SNS]: https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html
// [Amazon SNS dead-letter queues]: https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
// [Using dead-letter queues to process undelivered events]: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
// [Available CloudWatch metrics for Amazon SQS]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
// [Handling errors for an SQS event source in Lambda]: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
// [Fanout to Firehose streams]: https://docs.aws.amazon.com/sns/latest/dg/sns-firehose-as-subscriber.html
// [Understand custom prefixes for Amazon S3 objects]: https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
// [Transitioning objects using Amazon S3 Lifecycle]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
// [Handle data delivery failures]: https://docs.aws.amazon.com/firehose/latest/dev/retry.html
// [Using EventBridge with Amazon S3]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
// [Security best practices for Amazon S3]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
// [Operational best practices for Amazon OpenSearch Service]: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/bp.html
// [Security best practices in IAM]: https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html
package eventfork
