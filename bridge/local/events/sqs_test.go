package events_test

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

func send(t testing.TB, r *running, name, body string) *sqs.SendMessageOutput {
	t.Helper()
	out, err := r.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: r.queueURL(name), MessageBody: &body})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func receive(t testing.TB, r *running, name string, limit, wait int32) []types.Message {
	t.Helper()
	out, err := r.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: r.queueURL(name), MaxNumberOfMessages: limit, WaitTimeSeconds: wait,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

func attributesOf(t testing.TB, r *running, name string) map[string]string {
	t.Helper()
	out, err := r.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: r.queueURL(name), AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes
}

// wantCode checks the code of an error of an SDK.
func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		t.Errorf("error %v, want the code %s", err, code)
	}
}

func TestMessageHasItsLife(t *testing.T) {
	r := start(t, t.TempDir(), queues("Orders"), nil)
	out, err := r.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: r.queueURL("Orders"), MessageBody: aws.String("one \"two\"\n<three> ✓"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"Kind":  {DataType: aws.String("String"), StringValue: aws.String("order")},
			"Count": {DataType: aws.String("Number.int"), StringValue: aws.String("3")},
			"Raw":   {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
		},
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-5759e988-bd862e3fe1be46a994272793")},
		},
	})
	if err != nil { // the SDK compares the checksums
		t.Fatal(err)
	}
	if n := attributesOf(t, r, "Orders")["ApproximateNumberOfMessages"]; n != "1" {
		t.Errorf("%s visible messages, want 1", n)
	}
	got := receive(t, r, "Orders", 10, 0)
	if len(got) != 1 {
		t.Fatalf("%d messages, want 1", len(got))
	}
	m := got[0]
	if *m.Body != "one \"two\"\n<three> ✓" || *m.MessageId != *out.MessageId || string(m.MessageAttributes["Raw"].BinaryValue) != "\x00\xff" ||
		*m.MessageAttributes["Count"].StringValue != "3" || m.Attributes["ApproximateReceiveCount"] != "1" ||
		m.Attributes["AWSTraceHeader"] != "Root=1-5759e988-bd862e3fe1be46a994272793" || m.Attributes["SenderId"] == "" {
		t.Errorf("message %+v", m)
	}
	if again := receive(t, r, "Orders", 10, 0); len(again) != 0 {
		t.Errorf("received %d messages that are in flight", len(again))
	}
	if _, err := r.sqs.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: r.queueURL("Orders"), ReceiptHandle: m.ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	again := receive(t, r, "Orders", 10, 0)
	if len(again) != 1 || again[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Fatalf("received %+v, want the message a second time", again)
	}
	// The old handle deletes nothing any more, the new one does.
	for _, handle := range []*string{m.ReceiptHandle, again[0].ReceiptHandle} {
		if n := attributesOf(t, r, "Orders")["ApproximateNumberOfMessagesNotVisible"]; n != "1" {
			t.Errorf("%s messages in flight, want 1", n)
		}
		if _, err := r.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: r.queueURL("Orders"), ReceiptHandle: handle}); err != nil {
			t.Fatal(err)
		}
	}
	if n := attributesOf(t, r, "Orders")["ApproximateNumberOfMessagesNotVisible"]; n != "0" {
		t.Errorf("%s messages in flight, want 0", n)
	}
}

func TestLongPollIsAnsweredWhenAMessageComes(t *testing.T) {
	r := start(t, t.TempDir(), queues("Orders"), nil)
	got := make(chan []types.Message)
	go func() { got <- receive(t, r, "Orders", 1, 20) }()
	time.Sleep(50 * time.Millisecond)
	send(t, r, "Orders", "late")
	if messages := <-got; len(messages) != 1 || *messages[0].Body != "late" {
		t.Errorf("received %v", messages)
	}
}

func TestDelayedMessageComesLater(t *testing.T) {
	r := start(t, t.TempDir(), queues("Orders"), nil)
	_, err := r.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: r.queueURL("Orders"), MessageBody: aws.String("a"), DelaySeconds: 1})
	if err != nil {
		t.Fatal(err)
	}
	if n := attributesOf(t, r, "Orders")["ApproximateNumberOfMessagesDelayed"]; n != "1" {
		t.Errorf("%s delayed messages, want 1", n)
	}
	if got := receive(t, r, "Orders", 1, 0); len(got) != 0 {
		t.Error("received a message before its time")
	}
	if got := receive(t, r, "Orders", 1, 20); len(got) != 1 {
		t.Error("the message never came")
	}
}

func TestBatches(t *testing.T) {
	r := start(t, t.TempDir(), queues("Orders"), nil)
	var entries []types.SendMessageBatchRequestEntry
	for i := range 10 {
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(fmt.Sprintf("body %d", i))})
	}
	entries[3].MessageBody = aws.String("\x01")
	sent, err := r.sqs.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: r.queueURL("Orders"), Entries: entries})
	if err != nil || len(sent.Successful) != 9 || len(sent.Failed) != 1 || *sent.Failed[0].Code != "InvalidMessageContents" || !sent.Failed[0].SenderFault {
		t.Fatalf("sent %+v, %v", sent, err)
	}
	got := receive(t, r, "Orders", 10, 0)
	var visibility []types.ChangeMessageVisibilityBatchRequestEntry
	var deletions []types.DeleteMessageBatchRequestEntry
	for i, m := range got {
		id := aws.String(strconv.Itoa(i))
		visibility = append(visibility, types.ChangeMessageVisibilityBatchRequestEntry{Id: id, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 60})
		deletions = append(deletions, types.DeleteMessageBatchRequestEntry{Id: id, ReceiptHandle: m.ReceiptHandle})
	}
	changed, err := r.sqs.ChangeMessageVisibilityBatch(t.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: r.queueURL("Orders"), Entries: visibility})
	if err != nil || len(changed.Successful) != 9 {
		t.Fatalf("changed %+v, %v", changed, err)
	}
	deletions[8].ReceiptHandle = aws.String("nonsense")
	deleted, err := r.sqs.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: r.queueURL("Orders"), Entries: deletions})
	if err != nil || len(deleted.Successful) != 8 || len(deleted.Failed) != 1 || *deleted.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Fatalf("deleted %+v, %v", deleted, err)
	}
	if n := attributesOf(t, r, "Orders")["ApproximateNumberOfMessagesNotVisible"]; n != "1" {
		t.Errorf("%s messages are left in flight, want 1", n)
	}
}

func TestDeadLetters(t *testing.T) {
	app := queues("Orders", "OrdersDead")
	app.Queues[0].DeadLetterARN, app.Queues[0].MaxReceiveCount, app.Queues[0].VisibilityTimeout = queueARN("OrdersDead"), 2, 0
	r := start(t, t.TempDir(), app, nil)
	sent := send(t, r, "Orders", "poison")
	var first types.Message
	for range 2 {
		got := receive(t, r, "Orders", 1, 0)
		if len(got) != 1 {
			t.Fatal("the message did not come twice")
		}
		first = got[0]
	}
	if got := receive(t, r, "Orders", 1, 0); len(got) != 0 {
		t.Fatal("the message came a third time")
	}
	dead := receive(t, r, "OrdersDead", 1, 20)
	if len(dead) != 1 || *dead[0].MessageId != *sent.MessageId || dead[0].Attributes["DeadLetterQueueSourceArn"] != queueARN("Orders") ||
		dead[0].Attributes["SentTimestamp"] != first.Attributes["SentTimestamp"] || dead[0].Attributes["ApproximateReceiveCount"] != "3" {
		t.Fatalf("dead letter %+v, want %s", dead, *sent.MessageId)
	}
	sources, err := r.sqs.ListDeadLetterSourceQueues(t.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: r.queueURL("OrdersDead")})
	if err != nil || len(sources.QueueUrls) != 1 {
		t.Errorf("sources %+v, %v", sources, err)
	}
	release(t, r, "OrdersDead", dead[0])
	redrive(t, r, "OrdersDead")
	back := receive(t, r, "Orders", 1, 20)
	if len(back) != 1 || *back[0].Body != "poison" || *back[0].MessageId == *sent.MessageId || back[0].Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("redriven %+v, want a new message", back)
	}
}

func release(t testing.TB, r *running, name string, m types.Message) {
	t.Helper()
	if _, err := r.sqs.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: r.queueURL(name), ReceiptHandle: m.ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
}

// redrive sends a dead-letter queue's messages back and waits for the end.
func redrive(t testing.TB, r *running, name string) {
	t.Helper()
	if _, err := r.sqs.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(queueARN(name))}); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		out, err := r.sqs.ListMessageMoveTasks(t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(queueARN(name))})
		if err != nil {
			t.Fatal(err)
		}
		if status := *out.Results[0].Status; status == "COMPLETED" {
			return
		} else if status != "RUNNING" {
			t.Fatalf("the task is %s: %s", status, aws.ToString(out.Results[0].FailureReason))
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the task did not end")
}

func TestFIFOQueue(t *testing.T) {
	app := queues("Orders.fifo")
	app.Queues[0].ContentBasedDeduplication = true
	r := start(t, t.TempDir(), app, nil)
	post := func(group, body, id string) *sqs.SendMessageOutput {
		in := &sqs.SendMessageInput{QueueUrl: r.queueURL("Orders.fifo"), MessageBody: &body, MessageGroupId: &group}
		if id != "" {
			in.MessageDeduplicationId = &id
		}
		out, err := r.sqs.SendMessage(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	one := post("a", "1", "")
	if again := post("a", "1", ""); *again.MessageId != *one.MessageId || *again.SequenceNumber != *one.SequenceNumber {
		t.Error("a duplicate was taken for a new message")
	}
	if other := post("a", "2", ""); *other.SequenceNumber <= *one.SequenceNumber {
		t.Error("sequence numbers do not rise")
	}
	post("b", "3", "x")
	post("a", "4", "y")
	got := receive(t, r, "Orders.fifo", 2, 0)
	if len(got) != 2 || *got[0].Body != "1" || *got[1].Body != "2" || got[0].Attributes["MessageGroupId"] != "a" {
		t.Fatalf("received %v", bodies(got))
	}
	// Group a waits for what is in flight, b does not.
	if rest := receive(t, r, "Orders.fifo", 10, 0); len(rest) != 1 || *rest[0].Body != "3" {
		t.Fatalf("received %v, want 3", bodies(rest))
	}
	release(t, r, "Orders.fifo", got[1])
	if rest := receive(t, r, "Orders.fifo", 10, 0); len(rest) != 0 {
		t.Fatalf("received %v while 1 is in flight", bodies(rest))
	}
	release(t, r, "Orders.fifo", got[0])
	if rest := receive(t, r, "Orders.fifo", 10, 0); len(rest) != 3 || *rest[0].Body != "1" || *rest[2].Body != "4" {
		t.Fatalf("received %v, want 1 2 4", bodies(rest))
	}
	_, err := r.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: r.queueURL("Orders.fifo"), ReceiptHandle: got[0].ReceiptHandle})
	wantCode(t, err, "InvalidParameterValue")
}

func bodies(messages []types.Message) (all []string) {
	for _, m := range messages {
		all = append(all, *m.Body)
	}
	return all
}

func TestQueuesByRequests(t *testing.T) {
	r := start(t, t.TempDir(), queues("Orders"), nil)
	ctx := t.Context()
	created, err := r.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("New"), Attributes: map[string]string{"VisibilityTimeout": "7"}, Tags: map[string]string{"a": "b"}})
	if err != nil || *created.QueueUrl != *r.queueURL("New") {
		t.Fatalf("created %v, %v", created, err)
	}
	_, err = r.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("New"), Attributes: map[string]string{"VisibilityTimeout": "8"}})
	wantCode(t, err, "QueueAlreadyExists")
	_, err = r.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: created.QueueUrl, Attributes: map[string]string{"DelaySeconds": "901"}})
	wantCode(t, err, "InvalidAttributeValue")
	_, err = r.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: created.QueueUrl, Attributes: map[string]string{"MaximumMessageSize": "1024"}})
	if err != nil {
		t.Fatal(err)
	}
	if a := attributesOf(t, r, "New"); a["VisibilityTimeout"] != "7" || a["MaximumMessageSize"] != "1024" || a["QueueArn"] != queueARN("New") {
		t.Errorf("attributes %v", a)
	}
	_, err = r.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: created.QueueUrl, MessageBody: aws.String(string(make([]byte, 0, 1)) + fmt.Sprintf("%01025d", 0))})
	wantCode(t, err, "InvalidParameterValue")
	tags, err := r.sqs.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: created.QueueUrl})
	if err != nil || tags.Tags["a"] != "b" {
		t.Errorf("tags %v, %v", tags, err)
	}
	list, err := r.sqs.ListQueues(ctx, &sqs.ListQueuesInput{MaxResults: aws.Int32(1)})
	if err != nil || len(list.QueueUrls) != 1 || list.NextToken == nil {
		t.Errorf("list %v, %v", list, err)
	}
	found, err := r.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("Orders")})
	if err != nil || *found.QueueUrl != *r.queueURL("Orders") {
		t.Errorf("found %v, %v", found, err)
	}
	send(t, r, "Orders", "x")
	if _, err := r.sqs.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: found.QueueUrl}); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, r, "Orders", 1, 0); len(got) != 0 {
		t.Error("a purged queue has a message")
	}
	if _, err := r.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: created.QueueUrl}); err != nil {
		t.Fatal(err)
	}
	_, err = r.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("New")})
	var gone *types.QueueDoesNotExist
	if !errors.As(err, &gone) {
		t.Errorf("error %v, want QueueDoesNotExist", err)
	}
}

func TestMessagesSurviveAndSwapKeepsThem(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, queues("Orders", "Old"), nil)
	send(t, r, "Orders", "kept")
	send(t, r, "Orders", "held")
	send(t, r, "Old", "x")
	held := receive(t, r, "Orders", 1, 0)
	r.stop()

	r = start(t, dir, queues("Orders", "New"), nil)
	if got := receive(t, r, "Orders", 10, 0); len(got) != 1 || *got[0].Body == *held[0].Body {
		t.Fatalf("received %v: the one in flight stays invisible", bodies(got))
	}
	if _, err := r.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: r.queueURL("Orders"), ReceiptHandle: held[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	if a := attributesOf(t, r, "Orders"); a["ApproximateNumberOfMessages"] != "0" || a["ApproximateNumberOfMessagesNotVisible"] != "1" {
		t.Errorf("attributes %v", a)
	}
	if _, err := r.sqs.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("Old")}); err == nil {
		t.Error("a queue that the application no longer has is still there")
	}
	send(t, r, "New", "y")
	app := queues("Orders", "New", "Third")
	app.Region, app.AccountID = region, account
	app.Queues[1].VisibilityTimeout = 5 * time.Second
	if err := r.Swap(app); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, r, "New", 1, 0); len(got) != 1 || attributesOf(t, r, "New")["VisibilityTimeout"] != "5" {
		t.Error("a kept queue lost its message, or did not change")
	}
	send(t, r, "Third", "z")
}

func TestRetention(t *testing.T) {
	var later atomic.Int64
	app := queues("Orders")
	app.Queues[0].MessageRetentionPeriod = time.Minute
	r := startAt(t, t.TempDir(), app, nil, func() time.Time { return time.Now().Add(time.Duration(later.Load())) })
	send(t, r, "Orders", "old")
	later.Store(int64(61 * time.Second))
	if got := receive(t, r, "Orders", 1, 0); len(got) != 0 {
		t.Error("received a message past its retention")
	}
}
