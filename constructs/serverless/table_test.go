package serverless_test

import (
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/serverless"
)

func TestTable(t *testing.T) {
	stack := newStack(t)
	serverless.NewTable(stack, "Least", serverless.TableProps{PartitionKey: "id"})
	serverless.NewTable(stack, "Most", serverless.TableProps{
		PartitionKey: "customer", PartitionKeyType: serverless.Number,
		SortKey: "at", SortKeyType: serverless.Binary,
		Indexes: []serverless.Index{
			{Name: "byState", PartitionKey: "state", SortKey: "id"},
			{
				Name: "byDay", PartitionKey: "day", PartitionKeyType: serverless.Number,
				Projection: awsdynamodb.ProjectionType_INCLUDE, NonKeyAttributes: []string{"total"},
			},
		},
		TimeToLive:                 "expires",
		Stream:                     awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES,
		ReadCapacity:               5,
		WriteCapacity:              3,
		DisablePointInTimeRecovery: true,
		DeletionProtection:         true,
		RemovalPolicy:              awscdk.RemovalPolicy_DESTROY,
		EncryptionKey:              awskms.Key_FromKeyArn(stack, jsii.String("Key"), jsii.String("arn:aws:kms:eu-west-1:123456789012:key/1")),
		TableName:                  "orders",
	})
	wantGolden(t, stack, "table")
}

func TestQueue(t *testing.T) {
	stack := newStack(t)
	least := serverless.NewQueue(stack, "Least", serverless.QueueProps{})
	most := serverless.NewQueue(stack, "Most", serverless.QueueProps{
		VisibilityTimeout: time.Minute,
		Retention:         14 * 24 * time.Hour,
		DeliveryDelay:     time.Second,
		MaxReceiveCount:   3,
		Fifo:              true,
		EncryptionKey:     awskms.Key_FromKeyArn(stack, jsii.String("Key"), jsii.String("arn:aws:kms:eu-west-1:123456789012:key/1")),
		QueueName:         "most.fifo",
	})
	bare := serverless.NewQueue(stack, "Bare", serverless.QueueProps{DisableDeadLetterQueue: true})
	shared := serverless.NewQueue(stack, "Shared", serverless.QueueProps{DeadLetterQueue: bare})
	wantGolden(t, stack, "queue")

	if bare.DeadLetterQueue() != nil {
		t.Errorf("the queue without a dead-letter queue has %v", bare.DeadLetterQueue())
	}
	if got := shared.DeadLetterQueue().Queue; got != awssqs.IQueue(bare) {
		t.Errorf("the dead-letter queue is %v, want the one given", got)
	}
	for _, q := range []*serverless.Queue{least, most} {
		if dead := q.DeadLetterQueue(); dead == nil || *dead.Queue.Node().Id() != "DeadLetterQueue" {
			t.Errorf("the dead-letter queue of %s is %v", *q.Node().Path(), dead)
		}
	}
}
