package bridge_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge"
)

// A fork, as constructs/eventfork makes it, is in the model with all that a
// local run needs of it.
func TestForkInModel(t *testing.T) {
	project := copyCase(t, "go-fork")
	app, err := bridge.Load(bridge.Options{Assembly: filepath.Join(project, "cdk.out"), Project: project})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range app.Subscriptions {
		got = append(got, fmt.Sprintf("%s %s to %s raw=%v %s %s else %s", s.Path, s.Protocol, name(s.Endpoint), s.RawMessageDelivery, s.FilterPolicyScope, s.FilterPolicy, name(s.DeadLetterARN)))
	}
	for _, m := range app.EventSourceMappings {
		got = append(got, fmt.Sprintf("%s of %s to %s enabled=%v %s", m.Path, name(m.EventSourceARN), m.Function.Path, m.Enabled, m.FunctionResponseTypes))
	}
	for _, q := range app.Queues {
		got = append(got, fmt.Sprintf("%s is %s, kept %s, hidden %s, after %d to %s", q.Path, q.QueueName, q.MessageRetentionPeriod, q.VisibilityTimeout, q.MaxReceiveCount, name(q.DeadLetterARN)))
	}
	for _, d := range app.DeliveryStreams {
		var kinds []string
		for property := range d.Properties {
			if strings.HasSuffix(property, "DestinationConfiguration") {
				kinds = append(kinds, property)
			}
		}
		got = append(got, fmt.Sprintf("%s is %s of %s", d.Path, d.DeliveryStreamName, kinds))
	}
	want := []string{
		`Shop/Hello/Shop_Orders_Checkout of Shop-Orders-Checkout-Queue to Shop/Hello enabled=true [ReportBatchItemFailures]`,
		`Shop/Orders/Archive/DeadLetterQueue is Shop-Orders-Archive-DeadLetterQueue, kept 336h0m0s, hidden 30s, after 0 to `,
		`Shop/Orders/Archive/Stream is Shop-Orders-Archive-Stream of [ExtendedS3DestinationConfiguration]`,
		`Shop/Orders/Archive/Subscription firehose to deliverystream/Shop-Orders-Archive-Stream raw=true MessageAttributes  else Shop-Orders-Archive-DeadLetterQueue`,
		`Shop/Orders/Checkout/Queue is Shop-Orders-Checkout-Queue, kept 96h0m0s, hidden 1m0s, after 5 to Shop-Orders-Checkout-Queue-DeadLetterQueue`,
		`Shop/Orders/Checkout/Queue/DeadLetterQueue is Shop-Orders-Checkout-Queue-DeadLetterQueue, kept 336h0m0s, hidden 30s, after 0 to `,
		`Shop/Orders/Checkout/Subscription sqs to Shop-Orders-Checkout-Queue raw=true MessageAttributes {"amount":[{"numeric":[">=",100]}]} else Shop-Orders-Checkout-Queue-DeadLetterQueue`,
		`Shop/Orders/Index/DeadLetterQueue is Shop-Orders-Index-DeadLetterQueue, kept 336h0m0s, hidden 30s, after 0 to `,
		`Shop/Orders/Index/Stream is Shop-Orders-Index-Stream of [AmazonopensearchserviceDestinationConfiguration]`,
		`Shop/Orders/Index/Subscription firehose to deliverystream/Shop-Orders-Index-Stream raw=true MessageBody {"order":{"amount":[{"numeric":[">=",100]}]}} else Shop-Orders-Index-DeadLetterQueue`,
		`Shop/Orders/Partner/DeadLetterQueue is Shop-Orders-Partner-DeadLetterQueue, kept 336h0m0s, hidden 30s, after 0 to `,
		`Shop/Orders/Partner/Subscription sqs to Shop-Partner raw=false MessageAttributes  else Shop-Orders-Partner-DeadLetterQueue`,
		`Shop/Partner is Shop-Partner, kept 96h0m0s, hidden 30s, after 5 to Shop-Partner-DeadLetterQueue`,
		`Shop/Partner/DeadLetterQueue is Shop-Partner-DeadLetterQueue, kept 336h0m0s, hidden 30s, after 0 to `,
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the model has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, d := range app.Diagnostics {
		t.Errorf("%s: %s (%s)", d.Path, d.Message, d.Where)
	}
}

// name is the end of an ARN.
func name(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }
