//go:build e2e && bench

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
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
// own as it can, for it shares the machine with what it measures: its requests
// are made before, and it reads of the answers what it needs. Each of its workers
// has a connection that stays open.
type forkLoad struct {
	t    testing.TB
	host string
	// bodies are requests to publish ten events each.
	bodies [][]byte
	// received and answers count what ReceiveMessage gave.
	received, answers atomic.Int64
}

func newLoad(t testing.TB, endpoint string) *forkLoad {
	l := &forkLoad{t: t, host: strings.TrimPrefix(endpoint, "http://")}
	for n := range 64 {
		l.bodies = append(l.bodies, l.request("sns", "application/x-www-form-urlencoded", "", publication(10*n)))
	}
	return l
}

// publication is the form that publishes ten events from number first on.
func publication(first int) string {
	var form strings.Builder
	form.WriteString("Action=PublishBatch&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3AOrders")
	for i := range 10 {
		fmt.Fprintf(&form, "&PublishBatchRequestEntries.member.%d.Id=%d&PublishBatchRequestEntries.member.%d.Message=%s", i+1, i, i+1, url.QueryEscape(fmt.Sprintf(body, first+i)))
	}
	return form.String()
}

// request is a request as it goes over the wire.
func (l *forkLoad) request(service, contentType, target, payload string) []byte {
	if target != "" {
		target = "X-Amz-Target: " + target + "\r\n"
	}
	return fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n%sAuthorization: AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/%s/aws4_request, SignedHeaders=host, Signature=00\r\nContent-Length: %d\r\n\r\n%s",
		l.host, contentType, target, service, len(payload), payload)
}

func (l *forkLoad) sqs(operation, payload string) []byte {
	return l.request("sqs", "application/x-amz-json-1.0", "AmazonSQS."+operation, payload)
}

// forkConn is a connection of one worker.
type forkConn struct {
	net.Conn
	reader *bufio.Reader
	text   bytes.Buffer
}

func (l *forkLoad) dial() (*forkConn, error) {
	conn, err := net.Dial("tcp", l.host)
	if err != nil {
		return nil, err
	}
	return &forkConn{Conn: conn, reader: bufio.NewReaderSize(conn, 32<<10)}, nil
}

// call sends a request. Its answer is good until the next call.
func (c *forkConn) call(request []byte) ([]byte, error) {
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return nil, err
	}
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	c.text.Reset()
	if _, err = c.text.ReadFrom(answer.Body); err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, c.text.Bytes())
	}
	return c.text.Bytes(), err
}

// publish publishes ten events.
func (c *forkConn) publish(request []byte) error {
	text, err := c.call(request)
	if err == nil && bytes.Count(text, []byte("<MessageId>")) != 10 {
		err = fmt.Errorf("not all were published: %s", text)
	}
	return err
}

var receiptHandle = []byte(`"ReceiptHandle":`)

// consume receives and deletes up to ten messages, and says how many.
func (l *forkLoad) consume(c *forkConn, queue string, receive []byte) (int, error) {
	text, err := c.call(receive)
	if err != nil {
		return 0, err
	}
	deletion := `{"QueueUrl":"` + l.queueURL(queue) + `","Entries":[`
	n := 0
	for {
		_, rest, found := bytes.Cut(text, receiptHandle)
		if !found {
			break
		}
		handle, rest, whole := bytes.Cut(rest[bytes.IndexByte(rest, '"')+1:], []byte{'"'})
		if !whole {
			return 0, fmt.Errorf("a receipt handle has no end: %s", text)
		}
		if n > 0 {
			deletion += ","
		}
		deletion += `{"Id":"` + strconv.Itoa(n) + `","ReceiptHandle":"` + string(handle) + `"}`
		text = rest
		n++
	}
	l.answers.Add(1)
	l.received.Add(int64(n))
	if n == 0 {
		return 0, nil
	}
	text, err = c.call(l.sqs("DeleteMessageBatch", deletion+"]}"))
	if err == nil && bytes.Count(text, []byte(`"Id":`)) != n || bytes.Contains(text, []byte(`"Code":`)) {
		err = fmt.Errorf("not all were deleted: %s", text)
	}
	return n, err
}

func (l *forkLoad) queueURL(queue string) string {
	return "http://" + l.host + "/123456789012/" + queue
}

// fullness is how many messages an answer of ReceiveMessage had.
func (l *forkLoad) fullness() float64 {
	return float64(l.received.Load()) / float64(max(1, l.answers.Load()))
}

// maxBacklog is how far publishers may be ahead of the slowest branch: else a
// machine under load measures how much a queue holds.
const maxBacklog = 500

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
			c, err := l.dial()
			if err != nil {
				l.t.Error(err)
				return
			}
			defer c.Close()
			for {
				first := int(next.Add(10)) - 10
				if first >= n {
					return
				}
				for first-slowest() > maxBacklog && !l.t.Failed() {
					time.Sleep(time.Millisecond)
				}
				if err := c.publish(l.bodies[first/10%len(l.bodies)]); err != nil {
					l.t.Error(err)
					return
				}
			}
		})
	}
	for i, name := range branches {
		for range consumers {
			group.Go(func() {
				c, err := l.dial()
				if err != nil {
					l.t.Error(err)
					return
				}
				defer c.Close()
				receive := l.sqs("ReceiveMessage", `{"QueueUrl":"`+l.queueURL(name)+`","MaxNumberOfMessages":10,"WaitTimeSeconds":1}`)
				for done[i].Load() < int64(n) && !l.t.Failed() {
					count, err := l.consume(c, name, receive)
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
	c, err := l.dial()
	if err != nil {
		l.t.Fatal(err)
	}
	defer c.Close()
	call := func(request []byte) {
		if text, err := c.call(request); err != nil {
			l.t.Fatal(err, string(text))
		}
	}
	sns := func(form string) []byte { return l.request("sns", "application/x-www-form-urlencoded", "", form) }
	call(sns("Action=CreateTopic&Version=2010-03-31&Name=Orders"))
	for _, name := range branches {
		call(l.sqs("CreateQueue", `{"QueueName":"`+name+`"}`))
		form := "Action=Subscribe&Version=2010-03-31&Protocol=sqs&TopicArn=arn:aws:sns:us-east-1:123456789012:Orders&Endpoint=arn:aws:sqs:us-east-1:123456789012:" + name
		if name == "Store" {
			form += "&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true"
		}
		call(sns(form))
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
	spent, all := processorTime(t, process.Pid), processorTime(t, os.Getpid())
	took := own.run(events, 4, 4)
	// The plane is a child of this process. What both used tells the rate on a
	// machine with nothing else to do.
	spent, all = processorTime(t, process.Pid)-spent, processorTime(t, os.Getpid())-all
	rate := events / took.Seconds()

	environ := e2e.AWS(t)
	other := newLoad(t, strings.TrimPrefix(environ[0], "AWS_ENDPOINT_URL="))
	other.makeFork()
	other.run(100, 4, 4)
	const otherEvents = 2000
	otherTook := other.run(otherEvents, 4, 4)
	otherRate := otherEvents / otherTook.Seconds()
	report(t, "fork-vs-ministack", rate/otherRate, 5, "three branches: %.0f events a second, in answers of %.1f; MiniStack %.0f; resident %d MB", rate, own.fullness(), otherRate, residentKB(t, process)>>10)
	report(t, "fork-throughput", rate/10000, 1, "%.0f events a second of %d, reach 10000; an event took %v of processor time in the plane and %v in the client",
		rate, events, (spent / events).Round(time.Microsecond), ((all - spent) / events).Round(time.Microsecond))
}

// TestBenchForkMemory publishes a million events, or as many thousands as
// BAILEY_SOAK says, and compares the plane's memory at a tenth of them with that
// at the end. Each event must be accounted for in each branch.
func TestBenchForkMemory(t *testing.T) {
	events := 1000000
	if text := os.Getenv("BAILEY_SOAK"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		events = max(1, n/1000) * 1000
	}
	endpoint, process := plane(t)
	l := newLoad(t, endpoint)
	var resident [3]int
	var took time.Duration
	done := 0
	for i, upTo := range []int{events / 100, events / 10, events} {
		took = l.run(upTo-done, 4, 4)
		done = upTo
		resident[i] = residentKB(t, process)
	}
	checkCounts(t, endpoint, events)
	report(t, "fork-memory", float64(resident[1])/float64(resident[2]), 0.8, "resident %d MB after %d events, %d MB after %d, %d MB after %d, at %.0f a second",
		resident[0]>>10, events/100, resident[1]>>10, events/10, resident[2]>>10, events, float64(events-events/10)/took.Seconds())
}

// checkCounts compares the plane's own counts with what was published.
func checkCounts(t testing.TB, endpoint string, events int) {
	t.Helper()
	answer, err := http.Get(endpoint + "/_bailey/counts")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var counts []struct {
		What, Source, Target string
		Count                int
	}
	if err := json.NewDecoder(answer.Body).Decode(&counts); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, c := range counts {
		switch c.What {
		case "delivered":
			seen[c.What+" "+c.Target[strings.LastIndexByte(c.Target, ':')+1:]] = c.Count
		case "consumed":
			seen[c.What+" "+c.Source[strings.LastIndexByte(c.Source, ':')+1:]] = c.Count
		default:
			seen[c.What] = c.Count
		}
	}
	wanted := map[string]int{"published": events}
	for _, name := range branches {
		wanted["delivered "+name], wanted["consumed "+name] = events, events
	}
	if !maps.Equal(seen, wanted) {
		t.Errorf("the plane counts %v, want %v", seen, wanted)
	}
}
