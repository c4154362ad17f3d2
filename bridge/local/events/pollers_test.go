package events_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/model"
)

func function(name string) *model.Function {
	return &model.Function{
		ID: model.ID{Path: "App/" + name, Name: name}, FunctionName: name, ReservedConcurrency: -1, Timeout: time.Second,
		ARN: "arn:aws:lambda:" + region + ":" + account + ":function:" + name,
	}
}

func poll(fn *model.Function, source string, change func(*model.EventSourceMapping)) *model.EventSourceMapping {
	m := &model.EventSourceMapping{
		ID: model.ID{Path: fn.Path + "/Poll"}, Function: fn, EventSourceARN: source, Enabled: true, MaximumRetryAttempts: -1, MaximumRecordAge: -1,
	}
	if change != nil {
		change(m)
	}
	return m
}

// records are what a function reads of an event of a queue.
type records struct {
	Records []struct{ MessageID, Body, EventSourceARN, AWSRegion string }
}

// soak is how many events a test sends: more by BAILEY_SOAK.
func soak(t *testing.T, usual int) int {
	text := os.Getenv("BAILEY_SOAK")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestEveryEventIsAccountedFor sends events to four branches: one that works,
// one that always fails, one that is slow and fails parts of its batches, and
// one with a filter. Each event is delivered, filtered or in the dead-letter
// queue of each branch.
func TestEveryEventIsAccountedFor(t *testing.T) {
	n := soak(t, 1000)
	app := queues("good", "failing", "failing-dead", "slow", "filtered")
	app.Topics = []*model.Topic{{ID: model.ID{Path: "App/orders", Name: "orders"}, TopicName: "orders", ARN: topicARN("orders")}}
	for _, q := range app.Queues {
		q.VisibilityTimeout = 2 * time.Second
	}
	app.Queues[1].DeadLetterARN, app.Queues[1].MaxReceiveCount = queueARN("failing-dead"), 2
	for _, name := range []string{"good", "failing", "slow", "filtered"} {
		s := &model.Subscription{ID: model.ID{Path: "App/to-" + name}, TopicARN: topicARN("orders"), Protocol: "sqs", Endpoint: queueARN(name), RawMessageDelivery: true}
		fn := function(name)
		m := poll(fn, queueARN(name), nil)
		switch name {
		case "filtered":
			s.FilterPolicy, s.FilterPolicyScope = `{"n":[{"numeric":["<",100]}]}`, "MessageBody"
			m.FilterPatterns = []string{`{"body":{"n":[{"numeric":["<",10]}]}}`}
		case "slow":
			m.FunctionResponseTypes, m.MaximumConcurrency, m.BatchSize, m.MaximumBatchingWindow = []string{"ReportBatchItemFailures"}, 2, 100, 100*time.Millisecond
		}
		app.Subscriptions, app.Functions, app.EventSourceMappings = append(app.Subscriptions, s), append(app.Functions, fn), append(app.EventSourceMappings, m)
	}
	var mu sync.Mutex
	seen := map[string]map[string]int{"good": {}, "slow": {}, "filtered": {}}
	invoke := func(_ context.Context, fn *model.Function, in local.Invocation) (*local.Result, error) {
		var e records
		if err := json.Unmarshal(in.Payload, &e); err != nil {
			return nil, err
		}
		if fn.Name == "failing" {
			return &local.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"always"}`)}, nil
		}
		if fn.Name == "slow" {
			time.Sleep(20 * time.Millisecond)
		}
		mu.Lock()
		defer mu.Unlock()
		failures := []map[string]string{}
		for _, r := range e.Records {
			seen[fn.Name][r.Body]++
			if fn.Name == "slow" && strings.HasSuffix(r.Body, "3}") && seen[fn.Name][r.Body] == 1 {
				failures = append(failures, map[string]string{"itemIdentifier": r.MessageID})
			}
		}
		answer, _ := json.Marshal(map[string]any{"batchItemFailures": failures})
		return &local.Result{Payload: answer}, nil
	}
	r := start(t, t.TempDir(), app, invoke)
	publishAll(t, r, n)

	left := func(name string) int {
		a := attributesOf(t, r, name)
		return atoi(a["ApproximateNumberOfMessages"]) + atoi(a["ApproximateNumberOfMessagesNotVisible"])
	}
	deadline := time.Now().Add(3*time.Minute + time.Duration(n)*5*time.Millisecond)
	for left("good")+left("failing")+left("slow")+left("filtered") > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("left: good %d, failing %d, slow %d, filtered %d", left("good"), left("failing"), left("slow"), left("filtered"))
		}
		time.Sleep(50 * time.Millisecond)
	}
	if dead := left("failing-dead"); dead != n {
		t.Errorf("%d in the dead-letter queue of the failing branch: want %d", dead, n)
	}
	mu.Lock()
	defer mu.Unlock()
	for i := range n {
		body := fmt.Sprintf(`{"n":%d}`, i)
		if seen["good"][body] == 0 {
			t.Errorf("%s did not reach the good branch", body)
		}
		if times := seen["slow"][body]; times == 0 || i%10 == 3 && times < 2 {
			t.Errorf("%s reached the slow branch %d times", body, times)
		}
		if got := seen["filtered"][body] > 0; got != (i < 10) {
			t.Errorf("%s reached the filtered branch: %v", body, got)
		}
	}
}

func atoi(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

func publishAll(t *testing.T, r *running, n int) {
	t.Helper()
	var publishers sync.WaitGroup
	for p := range 4 {
		publishers.Go(func() {
			var entries []snstypes.PublishBatchRequestEntry
			for i := p; i < n; i += 4 {
				entries = append(entries, snstypes.PublishBatchRequestEntry{Id: aws.String(strconv.Itoa(len(entries))), Message: aws.String(fmt.Sprintf(`{"n":%d}`, i))})
				if len(entries) < 10 && i+4 < n {
					continue
				}
				out, err := r.sns.PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: aws.String(topicARN("orders")), PublishBatchRequestEntries: entries})
				if err != nil || len(out.Failed) > 0 {
					t.Errorf("%v %+v", err, out)
					return
				}
				entries = nil
			}
		})
	}
	publishers.Wait()
}

// TestTableToFunction: a change of a table reaches the function with the record
// that Lambda has, and the function's failure the destination.
func TestTableToFunction(t *testing.T) {
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("Node.js is not installed: ", err)
	}
	stream := "arn:aws:dynamodb:" + region + ":" + account + ":table/Orders/stream/2026-01-01T00:00:00.000"
	app := queues("dead")
	app.Tables = []*model.Table{{
		ID: model.ID{Path: "App/Orders"}, TableName: "Orders", StreamARN: stream, Properties: map[string]any{
			"AttributeDefinitions": []any{map[string]any{"AttributeName": "id", "AttributeType": "S"}},
			"KeySchema":            []any{map[string]any{"AttributeName": "id", "KeyType": "HASH"}},
			"StreamSpecification":  map[string]any{"StreamViewType": "NEW_IMAGE"},
		},
	}}
	fn := function("Follow")
	app.Functions = []*model.Function{fn}
	app.EventSourceMappings = []*model.EventSourceMapping{poll(fn, stream, func(m *model.EventSourceMapping) {
		m.StartingPosition, m.MaximumRetryAttempts, m.OnFailure = "TRIM_HORIZON", 0, queueARN("dead")
		m.FilterPatterns = []string{`{"eventName":["INSERT"],"dynamodb":{"NewImage":{"kind":{"S":["order"]}}}}`}
	})}
	got := make(chan []byte, 10)
	r := start(t, t.TempDir(), app, func(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
		got <- in.Payload
		return &local.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"no good"}`)}, nil
	})
	client := dynamodb.New(dynamodb.Options{Region: region, BaseEndpoint: &r.url, Credentials: credentials.NewStaticCredentialsProvider(account, "local", "")})
	for _, kind := range []string{"noise", "order"} {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("Orders"), Item: map[string]dynamodbtypes.AttributeValue{
			"id": &dynamodbtypes.AttributeValueMemberS{Value: kind}, "kind": &dynamodbtypes.AttributeValueMemberS{Value: kind},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	payload := string(<-got)
	for _, part := range []string{
		`{"Records":[{"eventID":"`, `"eventName":"INSERT"`, `"eventVersion":"1.1"`, `"eventSource":"aws:dynamodb"`, `"awsRegion":"` + region + `"`,
		`"Keys":{"id":{"S":"order"}}`, `"NewImage":{"id":{"S":"order"},"kind":{"S":"order"}}`, `"StreamViewType":"NEW_IMAGE"`, `"eventSourceARN":"` + stream + `"}]}`,
	} {
		if !strings.Contains(payload, part) {
			t.Errorf("%s has no %s", payload, part)
		}
	}
	dead := receive(t, r, "dead", 1, 20)
	if len(dead) != 1 || !strings.Contains(*dead[0].Body, `"condition":"RetryAttemptsExhausted"`) || !strings.Contains(*dead[0].Body, `"streamArn":"`+stream+`"`) {
		t.Errorf("%+v", dead)
	}
}

// TestEventInvocation: the invocation type Event with retries and destinations,
// over HTTP.
func TestEventInvocation(t *testing.T) {
	app := queues("done", "letters")
	app.Buckets = []*model.Bucket{{ID: model.ID{Path: "App/failures", Name: "failures"}, BucketName: "failures", ARN: "arn:aws:s3:::failures"}}
	fn := function("Async")
	fn.DeadLetterARN = queueARN("letters")
	app.Functions = []*model.Function{fn}
	app.EventInvokeConfigs = []*model.EventInvokeConfig{{Function: fn, OnSuccess: queueARN("done"), OnFailure: "arn:aws:s3:::failures", MaximumEventAge: time.Hour, MaximumRetryAttempts: 0}}
	dir := t.TempDir()
	r := start(t, dir, app, func(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
		if bytes.Contains(in.Payload, []byte("bad")) {
			return &local.Result{RequestID: in.RequestID, FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"no good"}`)}, nil
		}
		return &local.Result{RequestID: in.RequestID, Payload: []byte(`{"ok":true}`)}, nil
	})
	for _, payload := range []string{`{"n":"good"}`, `{"n":"bad"}`} {
		request, err := http.NewRequest(http.MethodPost, r.url+"/2015-03-31/functions/Async/invocations", strings.NewReader(payload))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Amz-Invocation-Type", "Event")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusAccepted {
			t.Errorf("%s: %s", payload, response.Status)
		}
	}
	for name, want := range map[string]string{"done": `"responsePayload":{"ok":true}`, "letters": `{"n":"bad"}`} {
		if got := receive(t, r, name, 1, 20); len(got) != 1 || !strings.Contains(*got[0].Body, want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	wantCount(t, r, service.Consumed, "", fn.ARN, 1)
	files, err := filepath.Glob(filepath.Join(dir, "s3", "failures", "aws", "lambda", "async", "Async", "*", "*", "*", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	if text, err := os.ReadFile(files[0]); err != nil || !strings.Contains(string(text), `"condition":"RetriesExhausted"`) {
		t.Errorf("%s %v", text, err)
	}
}

// TestFIFOOrder: each group in order, also where a message fails at first.
func TestFIFOOrder(t *testing.T) {
	app := queues("orders.fifo")
	app.Queues[0].VisibilityTimeout, app.Queues[0].ContentBasedDeduplication = time.Second, true
	fn := function("Worker")
	app.Functions, app.EventSourceMappings = []*model.Function{fn}, []*model.EventSourceMapping{poll(fn, queueARN("orders.fifo"), nil)}
	const groups, messages = 3, 20
	var mu sync.Mutex
	failed, done := map[string]bool{}, map[string][]string{}
	r := start(t, t.TempDir(), app, func(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
		var e records
		if err := json.Unmarshal(in.Payload, &e); err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, m := range e.Records {
			if strings.HasSuffix(m.Body, "7") && !failed[m.Body] {
				failed[m.Body] = true
				return &local.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"once"}`)}, nil
			}
		}
		for _, m := range e.Records {
			done[m.Body[:1]] = append(done[m.Body[:1]], m.Body)
		}
		return &local.Result{}, nil
	})
	for i := range messages {
		for g := range groups {
			err := r.Deliver(t.Context(), &service.Delivery{Target: queueARN("orders.fifo"), GroupID: strconv.Itoa(g), Body: fmt.Appendf(nil, "%d:%02d", g, i)})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 600 {
		mu.Lock()
		n := len(done["0"]) + len(done["1"]) + len(done["2"])
		mu.Unlock()
		if n >= groups*messages {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	mu.Lock()
	defer mu.Unlock()
	for g, bodies := range done {
		if len(bodies) != messages || !slices.IsSorted(bodies) {
			t.Errorf("group %s: %v", g, bodies)
		}
	}
	if len(done) != groups || len(failed) != 2*groups {
		t.Errorf("%d groups, failed at first: %v", len(done), failed)
	}
}

// TestEnvironOver: nothing of the host's leads an SDK elsewhere.
func TestEnvironOver(t *testing.T) {
	r := start(t, t.TempDir(), queues(), nil)
	environ := r.EnvironOver([]string{
		"HOME=/home/me", "AWS_PROFILE=prod", "AWS_ACCESS_KEY_ID=AKIA", "AWS_ENDPOINT_URL_SQS=https://elsewhere", "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.2/", "AWS_REGION=eu-north-1",
	})
	last := map[string]string{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		last[name] = value
	}
	if last["HOME"] != "/home/me" || last["AWS_ENDPOINT_URL"] != r.url || last["AWS_ACCESS_KEY_ID"] != account || last["AWS_REGION"] != region {
		t.Errorf("%v", last)
	}
	for _, name := range []string{"AWS_PROFILE", "AWS_ENDPOINT_URL_SQS", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		if value, ok := last[name]; ok {
			t.Errorf("%s=%s is still there", name, value)
		}
	}
}

// TestIdle keeps what it takes, and the next plane delivers it.
func TestIdle(t *testing.T) {
	dir := t.TempDir()
	app := queues("work")
	fn := function("Worker")
	app.Functions, app.EventSourceMappings = []*model.Function{fn}, []*model.EventSourceMapping{poll(fn, queueARN("work"), nil)}
	app.Region, app.AccountID = region, account
	idle, err := events.Open(events.Options{Application: app, Dir: dir, Idle: true, Invoke: func(context.Context, *model.Function, local.Invocation) (*local.Result, error) {
		t.Error("a function was invoked")
		return nil, local.ErrClosed
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := idle.Deliver(t.Context(), &service.Delivery{Target: queueARN("work"), Body: []byte("kept")}); err != nil {
		t.Fatal(err)
	}
	if err := idle.InvokeAsync(t.Context(), fn, local.Invocation{Payload: []byte(`{"Records":[{"body":"async"}]}`)}); err != nil {
		t.Fatal(err)
	}
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 10)
	start(t, dir, app, func(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
		var e records
		_ = json.Unmarshal(in.Payload, &e)
		got <- e.Records[0].Body
		return &local.Result{}, nil
	})
	if all := []string{<-got, <-got}; !slices.Contains(all, "kept") || !slices.Contains(all, "async") {
		t.Errorf("got %s", all)
	}
}
