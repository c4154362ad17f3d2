package serverless

import (
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
)

// A policyTemplate is one of SAM's policy templates as data. To add another,
// write its permissions here and a function that names what fills them; the
// test compares the two with SAM's own. Source: "AWS SAM policy templates",
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-templates.html
type policyTemplate struct {
	name        string
	permissions []permission
	// encrypts is set where the function writes, and so needs the key of an
	// encrypted thing for more than reading.
	encrypts bool
}

// permission allows actions on resources: ARNs in which {Table} and the like
// stand for the ARN of what the policy is about.
type permission struct {
	actions   []string
	resources []string
}

var placeholders = regexp.MustCompile(`\{(\w+)\}`)

// parameters are the names in the template's placeholders, sorted.
func (t *policyTemplate) parameters() []string {
	var names []string
	for _, p := range t.permissions {
		for _, resource := range p.resources {
			for _, match := range placeholders.FindAllStringSubmatch(resource, -1) {
				names = append(names, match[1])
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// with fills the template's only placeholder.
func (t *policyTemplate) with(name string, about thing) Policy {
	return grant{template: t, things: map[string]thing{name: about}}
}

var (
	tableAndIndexes  = []string{"{Table}", "{Table}/index/*"}
	bucketAndObjects = []string{"{Bucket}", "{Bucket}/*"}
)

var dynamoDBCrud = &policyTemplate{
	name:     "DynamoDBCrudPolicy",
	encrypts: true,
	permissions: []permission{{
		actions: []string{
			"dynamodb:GetItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:Query",
			"dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:BatchGetItem", "dynamodb:DescribeTable",
			"dynamodb:ConditionCheckItem",
		},
		resources: tableAndIndexes,
	}},
}

// DynamoDBCrudPolicy allows reading and writing the items of a table and its
// indexes.
func DynamoDBCrudPolicy(table awsdynamodb.ITable) Policy {
	return dynamoDBCrud.with("Table", aboutTable(table))
}

var dynamoDBRead = &policyTemplate{
	name: "DynamoDBReadPolicy",
	permissions: []permission{{
		actions: []string{
			"dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:DescribeTable",
		},
		resources: tableAndIndexes,
	}},
}

// DynamoDBReadPolicy allows reading the items of a table and its indexes.
func DynamoDBReadPolicy(table awsdynamodb.ITable) Policy {
	return dynamoDBRead.with("Table", aboutTable(table))
}

var dynamoDBWrite = &policyTemplate{
	name:     "DynamoDBWritePolicy",
	encrypts: true,
	permissions: []permission{{
		actions:   []string{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"},
		resources: tableAndIndexes,
	}},
}

// DynamoDBWritePolicy allows writing the items of a table, but neither reading
// nor deleting them one by one. (BatchWriteItem, which SAM's template has too,
// can delete.)
func DynamoDBWritePolicy(table awsdynamodb.ITable) Policy {
	return dynamoDBWrite.with("Table", aboutTable(table))
}

func aboutTable(table awsdynamodb.ITable) thing {
	return about(table, func() *string { return table.TableArn() }, func() awskms.IKey { return table.EncryptionKey() })
}

var s3Read = &policyTemplate{
	name: "S3ReadPolicy",
	permissions: []permission{{
		actions: []string{
			"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:GetObjectVersion", "s3:GetLifecycleConfiguration",
		},
		resources: bucketAndObjects,
	}},
}

// S3ReadPolicy allows listing and reading the objects of a bucket.
func S3ReadPolicy(bucket awss3.IBucket) Policy { return s3Read.with("Bucket", aboutBucket(bucket)) }

var s3Write = &policyTemplate{
	name:     "S3WritePolicy",
	encrypts: true,
	permissions: []permission{{
		actions:   []string{"s3:PutObject", "s3:PutObjectAcl", "s3:PutLifecycleConfiguration"},
		resources: bucketAndObjects,
	}},
}

// S3WritePolicy allows writing objects to a bucket.
func S3WritePolicy(bucket awss3.IBucket) Policy { return s3Write.with("Bucket", aboutBucket(bucket)) }

var s3Crud = &policyTemplate{
	name:     "S3CrudPolicy",
	encrypts: true,
	permissions: []permission{{
		actions: []string{
			"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:GetObjectVersion", "s3:PutObject",
			"s3:PutObjectAcl", "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration", "s3:DeleteObject",
		},
		resources: bucketAndObjects,
	}},
}

// S3CrudPolicy allows listing, reading, writing and deleting the objects of a
// bucket.
func S3CrudPolicy(bucket awss3.IBucket) Policy { return s3Crud.with("Bucket", aboutBucket(bucket)) }

func aboutBucket(bucket awss3.IBucket) thing {
	return about(bucket, func() *string { return bucket.BucketArn() }, func() awskms.IKey { return bucket.EncryptionKey() })
}

var sqsSendMessage = &policyTemplate{
	name:        "SQSSendMessagePolicy",
	encrypts:    true,
	permissions: []permission{{actions: []string{"sqs:SendMessage*"}, resources: []string{"{Queue}"}}},
}

// SQSSendMessagePolicy allows sending messages to a queue.
func SQSSendMessagePolicy(queue awssqs.IQueue) Policy {
	return sqsSendMessage.with("Queue", aboutQueue(queue))
}

var sqsPoller = &policyTemplate{
	name: "SQSPollerPolicy",
	permissions: []permission{{
		actions: []string{
			"sqs:ChangeMessageVisibility", "sqs:ChangeMessageVisibilityBatch", "sqs:DeleteMessage",
			"sqs:DeleteMessageBatch", "sqs:GetQueueAttributes", "sqs:ReceiveMessage",
		},
		resources: []string{"{Queue}"},
	}},
}

// SQSPollerPolicy allows receiving and deleting the messages of a queue. An
// [SQSEvent] brings it by itself.
func SQSPollerPolicy(queue awssqs.IQueue) Policy {
	return sqsPoller.with("Queue", aboutQueue(queue))
}

func aboutQueue(queue awssqs.IQueue) thing {
	return about(queue, func() *string { return queue.QueueArn() }, func() awskms.IKey { return queue.EncryptionMasterKey() })
}

var snsPublishMessage = &policyTemplate{
	name:        "SNSPublishMessagePolicy",
	encrypts:    true,
	permissions: []permission{{actions: []string{"sns:Publish"}, resources: []string{"{Topic}"}}},
}

// SNSPublishMessagePolicy allows publishing to a topic.
func SNSPublishMessagePolicy(topic awssns.ITopic) Policy {
	return snsPublishMessage.with("Topic", about(topic,
		func() *string { return topic.TopicArn() }, func() awskms.IKey { return topic.MasterKey() }))
}

var lambdaInvoke = &policyTemplate{
	name: "LambdaInvokePolicy",
	permissions: []permission{{
		actions: []string{"lambda:InvokeFunction"},
		// SAM's own pattern, NAME*, also allows every function whose name
		// begins with this one's.
		resources: []string{"{Function}", "{Function}:*"},
	}},
}

// LambdaInvokePolicy allows invoking another function, its versions and
// aliases.
func LambdaInvokePolicy(function awslambda.IFunction) Policy {
	return lambdaInvoke.with("Function", about(function, func() *string { return function.FunctionArn() }, nil))
}

var eventBridgePutEvents = &policyTemplate{
	name:        "EventBridgePutEventsPolicy",
	permissions: []permission{{actions: []string{"events:PutEvents"}, resources: []string{"{EventBus}"}}},
}

// EventBridgePutEventsPolicy allows putting events on a bus.
func EventBridgePutEventsPolicy(bus awsevents.IEventBus) Policy {
	return eventBridgePutEvents.with("EventBus", about(bus, func() *string { return bus.EventBusArn() }, nil))
}
