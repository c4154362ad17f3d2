package eventfork_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/eventfork"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

// Every mistake is in one synth, with the path and the line of the call, and
// the rest of the fork is made.
func TestFaults(t *testing.T) {
	stack := newStack(t)
	topic := awssns.Topic_FromTopicArn(stack, jsii.String("Imported"), jsii.String("arn:aws:sns:eu-west-1:111122223333:orders"))
	bus := awsevents.EventBus_FromEventBusName(stack, jsii.String("Bus"), jsii.String("orders"))
	bucket := awss3.Bucket_FromBucketName(stack, jsii.String("Given"), jsii.String("given"))
	fifo := awssqs.NewQueue(stack, jsii.String("Fifo"), &awssqs.QueueProps{Fifo: jsii.Bool(true)})
	function := checkout(stack, "Consumer")
	var none *serverless.Function

	cases := []struct {
		branch eventfork.Destination
		wants  []string
	}{
		{nil, []string{"is nil"}},
		{eventfork.Branch{}, []string{"set Function or Queue"}},
		{eventfork.Branch{Function: none}, []string{"Function is a nil *serverless.Function"}},
		{eventfork.Branch{Function: function, Queue: fifo}, []string{"Function and Queue are both set"}},
		{eventfork.Branch{Queue: fifo}, []string{"FIFO queue, and the topic is none"}},
		{eventfork.Branch{Queue: serverless.NewQueue(stack, "Plain", serverless.QueueProps{}), BatchSize: 5}, []string{"are of the queue that the branch makes"}},
		{eventfork.Branch{Function: function, Filter: eventfork.MatchBody()}, []string{"no conditions"}},
		{
			eventfork.Storage{BufferingInterval: time.Hour, BufferingSize: 200, Compression: "LZ4", Partitioning: "?"},
			[]string{"BufferingInterval is 1h", "BufferingSize is 200 MB: allowed are 1 to 128", `Compression is "LZ4"`, `Partitioning is "?": want ByHour`},
		},
		{eventfork.Storage{ErrorPrefix: "!{firehose:error-output-type}/"}, []string{`ErrorPrefix is "!{firehose:error-output-type}/": begin it with a text that Prefix, "events/", does not`}},
		{eventfork.Storage{Prefix: "orders/!{timestamp:yyyy}/", ErrorPrefix: "orders/"}, []string{`ErrorPrefix is "orders/": begin it`}},
		{eventfork.Search{BackupPrefix: "errors/all/"}, []string{`BackupPrefix is "errors/all/": below errors/`}},
		{eventfork.Storage{Parquet: &eventfork.Parquet{}, Compression: eventfork.GZIP, BufferingSize: 5}, []string{"Parquet has no Columns", "Compression is set and Parquet too", "allowed are 64 to 128"}},
		{eventfork.Storage{Parquet: &eventfork.Parquet{Columns: []eventfork.Column{{"ID", ""}}, Table: "t"}}, []string{"choose one", `the column "ID"`}},
		{eventfork.Storage{Bucket: bucket, BucketName: "mine", Expiration: 36 * time.Hour}, []string{"are of the bucket that the branch makes", "Expiration is 36h"}},
		{eventfork.Storage{Retention: time.Hour}, []string{"set Buffered"}},
		{eventfork.Storage{Wrapped: true, Envelope: true}, []string{"choose one envelope"}},
		{eventfork.Storage{RemoveFields: []string{"a,b", ""}}, []string{`RemoveFields has "a,b"`, `RemoveFields has ""`}},
		{eventfork.Storage{PartitionKeys: map[string]string{"a b": "x"}}, []string{"PartitionKeys has"}},
		{
			eventfork.Storage{Transitions: []eventfork.Transition{{eventfork.InfrequentAccess, 24 * time.Hour}, {"COLD", time.Hour}}},
			[]string{"S3 allows it after 30 days", "want whole days", `a transition's Class is "COLD"`},
		},
		{eventfork.Storage{Transitions: []eventfork.Transition{{eventfork.GlacierInstant, 90 * 24 * time.Hour}, {eventfork.DeepArchive, 24 * time.Hour}}}, []string{"write them in order"}},
		{
			eventfork.Search{IndexName: "Orders", DomainProps: eventfork.DomainProps{DataNodes: 3, MasterNodes: 2, VolumeSize: 1, DataNodeType: "t3.small"}},
			[]string{`IndexName "Orders"`, "DataNodes is 3", "MasterNodes is 2", "VolumeSize is 1 GB", `the node type "t3.small"`},
		},
		{eventfork.Search{Retention: 90 * time.Minute, RetryDuration: 3 * time.Hour, BufferingSize: 110}, []string{"Retention is 1h30m", "RetryDuration is 3h", "allowed are 1 to 100 MB"}},
		{eventfork.Search{Retention: time.Hour, Rotation: eventfork.NoRotation}, []string{"Retention needs a Rotation"}},
		{eventfork.Search{BackupBucket: bucket, BackupExpiration: 24 * time.Hour, MaxReceiveCount: 3}, []string{"BackupExpiration is of the bucket", "set Buffered"}},
		{eventfork.Replay{}, []string{"leads nowhere"}},
		{eventfork.Replay{ToBranch: "Nobody"}, []string{`ToBranch is "Nobody"`}},
		{eventfork.Replay{ToQueue: fifo, ToFunction: function, Retention: 15 * 24 * time.Hour, Rate: -1}, []string{"one destination", "Retention is 360h", "Rate is -1"}},
		{eventfork.Replay{ToQueue: fifo, Start: time.Unix(200, 0), End: time.Unix(100, 0)}, []string{"before its Start"}},
	}
	branches := eventfork.Branches{"Good": eventfork.Branch{Queue: awssqs.NewQueue(stack, jsii.String("Target"), nil)}}
	for i, c := range cases {
		branches[fmt.Sprintf("B%02d", i)] = c.branch
	}
	branches["Record"], branches["no good id"] = eventfork.Branch{Function: function}, eventfork.Branch{Function: function}
	_, _, line, _ := runtime.Caller(0)
	f := eventfork.New(stack, "Orders", eventfork.Props{Branches: branches})
	f.AddBranch("Good", eventfork.Branch{Function: function})
	eventfork.New(stack, "Two", eventfork.Props{Topic: topic, Bus: bus, Fifo: true, Record: eventfork.Record{Retention: time.Hour, Bucket: bucket}, DisableRecord: true})
	eventfork.New(stack, "Named", eventfork.Props{TopicName: "orders.fifo", ContentBasedDeduplication: true})
	eventfork.New(stack, "Orders", eventfork.Props{})
	onBus := eventfork.New(stack, "OnBus", eventfork.Props{Bus: bus})
	onBus.AddBranch("A", eventfork.Branch{Function: function, Filter: eventfork.MatchAttributes(eventfork.Where("a", eventfork.Is("x")))})

	s := synth(t, stack)
	for i, c := range cases {
		for _, want := range c.wants {
			s.wantFault(t, fmt.Sprintf("fault_test.go:%d: Shop/Orders: branch \"B%02d\"", line+1, i), want)
		}
	}
	for _, want := range [][]string{
		{`branch id "Record" is that of a part`},
		{`branch id "no good id" can't be part of names`},
		{fmt.Sprintf("fault_test.go:%d: ", line+2), `branch id "Good" is used twice`},
		{"Shop/Two: Topic and Bus are both set"},
		{"Shop/Two: Fifo is set"},
		{"Shop/Two: Record is set and DisableRecord too"},
		{"Shop/Two: the Record's Retention is 1h"},
		{`Shop/Named: TopicName "orders.fifo" is none`},
		{"Shop/Named: ContentBasedDeduplication needs Fifo"},
		{`Shop/Orders: the construct id "Orders" is used twice`},
		{`Shop/OnBus: branch "A"`, "MatchAttributes is of a topic"},
	} {
		s.wantFault(t, want...)
	}
	if got := s.ids("AWS::SNS::Subscription", "OrdersGood"); len(got) != 1 {
		t.Errorf("the branch without a mistake has %d subscriptions", len(got))
	}
	if strings.Count(strings.Join(s.faults, "\n"), "the CDK refuses") != 0 {
		t.Errorf("a mistake was found by the CDK alone:\n%s", strings.Join(s.faults, "\n"))
	}
}

func TestNilScope(t *testing.T) {
	defer func() {
		if r := fmt.Sprint(recover()); !strings.Contains(r, "has no scope") {
			t.Errorf("the panic is %s", r)
		}
	}()
	eventfork.New(nil, "Orders", eventfork.Props{})
}
