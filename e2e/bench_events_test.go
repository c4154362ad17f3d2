//go:build e2e && bench

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// branches are the queues of the fork.
var branches = []string{"Store", "Index", "Mail"}

// body is a message as an order may be.
var body = `{"orderId":"%07d","customer":"8f2b","items":[{"sku":"A-1001","quantity":2,"price":19.9},{"sku":"B-77","quantity":1,"price":5}],"total":44.8,"currency":"EUR","note":"` + strings.Repeat("x", 100) + `"}`

// forkLoad publishes to a fork and consumes its branches with as little work of its
// own as it can: it speaks the protocols itself, on connections that stay open.
type forkLoad struct {
	t        testing.TB
	endpoint string
	client   *http.Client
}

func newLoad(t testing.TB, endpoint string) *forkLoad {
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &forkLoad{t, endpoint, &http.Client{Transport: transport, Timeout: time.Minute}}
}

func (l *forkLoad) call(header http.Header, payload []byte) ([]byte, error) {
	r, err := http.NewRequest(http.MethodPost, l.endpoint, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	r.Header = header
	answer, err := l.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return text, err
}

func credential(service string) string {
	return "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=00"
}

func (l *forkLoad) sqs(operation string, payload []byte) ([]byte, error) {
	return l.call(http.Header{
		"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {"AmazonSQS." + operation}, "Authorization": {credential("sqs")},
	}, payload)
}

func (l *forkLoad) sns(form string) ([]byte, error) {
	return l.call(http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {credential("sns")}}, []byte(form))
}

// publish publishes ten events from number first on.
func (l *forkLoad) publish(first int) error {
	var form strings.Builder
	form.WriteString("Action=PublishBatch&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3AOrders")
	for i := range 10 {
		fmt.Fprintf(&form, "&PublishBatchRequestEntries.member.%d.Id=%d&PublishBatchRequestEntries.member.%d.Message=%s", i+1, i, i+1, url.QueryEscape(fmt.Sprintf(body, first+i)))
	}
	text, err := l.sns(form.String())
	if err == nil && bytes.Count(text, []byte("<MessageId>")) != 10 {
		err = fmt.Errorf("not all were published: %s", text)
	}
	return err
}

// consume receives and deletes up to ten messages, and says how many.
func (l *forkLoad) consume(queue string) (int, error) {
	address := "http://" + strings.TrimPrefix(l.endpoint, "http://") + "/123456789012/" + queue
	text, err := l.sqs("ReceiveMessage", []byte(`{"QueueUrl":"`+address+`","MaxNumberOfMessages":10,"WaitTimeSeconds":1}`))
	if err != nil {
		return 0, err
	}
	var received struct {
		Messages []struct{ ReceiptHandle string }
	}
	if err := json.Unmarshal(text, &received); err != nil || len(received.Messages) == 0 {
		return 0, err
	}
	type entry struct {
		ID            string `json:"Id"`
		ReceiptHandle string
	}
	deletion := struct {
		QueueURL string `json:"QueueUrl"`
		Entries  []entry
	}{QueueURL: address}
	for i, m := range received.Messages {
		deletion.Entries = append(deletion.Entries, entry{strconv.Itoa(i), m.ReceiptHandle})
	}
	payload, err := json.Marshal(deletion)
	if err != nil {
		return 0, err
	}
	text, err = l.sqs("DeleteMessageBatch", payload)
	if err == nil && bytes.Contains(text, []byte(`"Failed":[{`)) {
		err = fmt.Errorf("not all were deleted: %s", text)
	}
	return len(received.Messages), err
}

// maxBacklog is how far publishers may be ahead of the slowest branch: else a
// machine under load measures how much a queue holds.
const maxBacklog = 5000

// run publishes n events and waits until each branch has consumed them all.
func (l *forkLoad) run(n, publishers, consumers int) time.Duration {
	start := time.Now()
	var next atomic.Int64
	var group sync.WaitGroup
	done := make([]atomic.Int64, len(branches))
	slowest := func() int {
		least := n
		for i := range done {
			least = min(least, int(done[i].Load()))
		}
		return least
	}
	for range publishers {
		group.Go(func() {
			for {
				first := int(next.Add(10)) - 10
				if first >= n {
					return
				}
				for first-slowest() > maxBacklog && !l.t.Failed() {
					time.Sleep(time.Millisecond)
				}
				if err := l.publish(first); err != nil {
					l.t.Error(err)
					return
				}
			}
		})
	}
	for i, name := range branches {
		for range consumers {
			group.Go(func() {
				for done[i].Load() < int64(n) && !l.t.Failed() {
					count, err := l.consume(name)
					if err != nil {
						l.t.Error(err)
						return
					}
					done[i].Add(int64(count))
				}
			})
		}
	}
	group.Wait()
	return time.Since(start)
}

// makeFork makes the fork in an emulator by its API.
func (l *forkLoad) makeFork() {
	l.t.Helper()
	call := func(text []byte, err error) {
		if err != nil {
			l.t.Fatal(err, string(text))
		}
	}
	call(l.sns("Action=CreateTopic&Version=2010-03-31&Name=Orders"))
	for _, name := range branches {
		call(l.sqs("CreateQueue", []byte(`{"QueueName":"`+name+`"}`)))
		form := "Action=Subscribe&Version=2010-03-31&Protocol=sqs&TopicArn=arn:aws:sns:us-east-1:123456789012:Orders&Endpoint=arn:aws:sqs:us-east-1:123456789012:" + name
		if name == "Store" {
			form += "&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true"
		}
		call(l.sns(form))
	}
}

// residentKB is the resident memory of a process in KB.
func residentKB(t testing.TB, process *os.Process) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestBenchFork measures how many events a second pass a fork of three
// branches, from the publish to the deletion in each: the embedded plane and
// the emulator, both by the same client, in one run.
func TestBenchFork(t *testing.T) {
	endpoint, process := plane(t)
	own := newLoad(t, endpoint)
	own.run(2000, 4, 4)
	const events = 60000
	took := own.run(events, 4, 4)
	rate := events / took.Seconds()

	environ := e2e.AWS(t)
	other := newLoad(t, strings.TrimPrefix(environ[0], "AWS_ENDPOINT_URL="))
	other.makeFork()
	other.run(100, 4, 4)
	const otherEvents = 2000
	otherTook := other.run(otherEvents, 4, 4)
	otherRate := otherEvents / otherTook.Seconds()
	report(t, "fork-vs-ministack", rate/otherRate, 5, "three branches: %.0f events a second, MiniStack %.0f; resident %d MB", rate, otherRate, residentKB(t, process)>>10)
	report(t, "fork-throughput", rate/10000, 1, "%.0f events a second of %d, reach 10000", rate, events)
}

// TestBenchForkMemory publishes a million events, or as many as BAILEY_SOAK
// says, and compares the plane's memory at a tenth of them with that at the end.
func TestBenchForkMemory(t *testing.T) {
	events := 1000000
	if text := os.Getenv("BAILEY_SOAK"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		events = n
	}
	endpoint, process := plane(t)
	l := newLoad(t, endpoint)
	l.run(events/10, 4, 4)
	early := residentKB(t, process)
	took := l.run(events-events/10, 4, 4)
	late := residentKB(t, process)
	report(t, "fork-memory", float64(early)/float64(late), 0.8, "resident %d MB after %d events, %d MB after %d, at %.0f a second",
		early>>10, events/10, late>>10, events, float64(events-events/10)/took.Seconds())
}
