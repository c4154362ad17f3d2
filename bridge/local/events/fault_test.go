package events_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/bailey-cdk/bailey/bridge/local/events"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// planeVariable makes the test's program a plane: its folder, and its address.
const planeVariable = "BAILEY_TEST_PLANE"

// soakVariable is how many events the long forms publish.
const soakVariable = "BAILEY_SOAK"

func TestMain(m *testing.M) {
	if where := os.Getenv(planeVariable); where != "" {
		if err := runPlane(filepath.Split(where)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// runPlane serves a plane until the process is killed.
func runPlane(dir, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	app := faultyFork()
	app.Region, app.AccountID = region, account
	events.Localise(app, "http://"+address)
	plane, err := events.Open(events.Options{Application: app, Dir: dir, URL: "http://" + address, Logs: os.Stderr})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: plane, ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}

// faultyFork is a fork with a branch that filters, one whose consumer always
// fails, one that is slow, and one whose consumer dies in the middle of
// batches.
func faultyFork() *model.Application {
	app := fork("Orders",
		&model.Subscription{Endpoint: "Even", RawMessageDelivery: true, FilterPolicy: `{"parity":["even"]}`},
		&model.Subscription{Endpoint: "Failing"},
		&model.Subscription{Endpoint: "Slow", RawMessageDelivery: true},
		&model.Subscription{Endpoint: "Dying", RawMessageDelivery: true},
	)
	app.Queues = append(app.Queues, queue("FailingDead"))
	for _, q := range app.Queues {
		q.VisibilityTimeout = time.Second // what was received by nobody comes again soon
		if q.QueueName == "Failing" {
			q.VisibilityTimeout, q.DeadLetterARN, q.MaxReceiveCount = 0, queueARN("FailingDead"), 2
		}
	}
	return app
}

// killed is a plane in a process of its own that is killed time and again.
type killed struct {
	t       *testing.T
	dir     string
	address string
	sns     *sns.Client
	sqs     *sqs.Client

	mu      sync.Mutex
	process *exec.Cmd
}

func newKilled(t *testing.T) *killed {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &killed{t: t, dir: t.TempDir(), address: listener.Addr().String()}
	listener.Close()
	config := aws.Config{
		Region: region, BaseEndpoint: aws.String("http://" + k.address), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(account, "local", ""),
	}
	k.sns, k.sqs = sns.NewFromConfig(config), sqs.NewFromConfig(config)
	k.start()
	t.Cleanup(func() { k.kill() })
	return k
}

// start starts the plane and waits until it answers.
func (k *killed) start() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.process = exec.Command(os.Args[0])
	k.process.Env = append(os.Environ(), planeVariable+"="+filepath.Join(k.dir, k.address))
	k.process.Stderr = os.Stderr
	if err := k.process.Start(); err != nil {
		k.t.Error(err)
		return
	}
	for range 1000 {
		answer, err := http.Get("http://" + k.address + "/_bailey/counts")
		if err == nil {
			answer.Body.Close()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	k.t.Error("the plane did not start again")
}

func (k *killed) kill() {
	k.mu.Lock()
	defer k.mu.Unlock()
	_ = k.process.Process.Kill() // SIGKILL
	_ = k.process.Wait()
}

// seen are the events that arrived at the end of a branch.
type seen struct {
	mu  sync.Mutex
	all map[string]int
}

func (s *seen) add(messages []types.Message, wrapped bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range messages {
		body := *m.Body
		if wrapped {
			var envelope struct{ Message string }
			if json.Unmarshal([]byte(body), &envelope) == nil {
				body = envelope.Message
			}
		}
		s.all[body]++
	}
}

// consume takes batches from a queue until ctx ends. handle says how many of
// a batch are done.
func (k *killed) consume(ctx context.Context, name string, handle func([]types.Message) int) {
	url := aws.String("http://" + k.address + "/" + account + "/" + name)
	for ctx.Err() == nil {
		out, err := k.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		if err != nil {
			time.Sleep(20 * time.Millisecond) // it was killed
			continue
		}
		done := out.Messages[:handle(out.Messages)]
		if len(done) == 0 {
			continue
		}
		entries := make([]types.DeleteMessageBatchRequestEntry, len(done))
		for i, m := range done {
			entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle}
		}
		// Where it fails, the messages come again.
		_, _ = k.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: entries})
	}
}

// publishAll publishes events in batches until as many as wanted are acknowledged
// and enough is true. It returns those that were.
func (k *killed) publishAll(wanted int, enough func() bool) map[string]bool {
	acknowledged := map[string]bool{}
	var mu sync.Mutex
	var next atomic.Int64
	var publishers sync.WaitGroup
	for range 4 {
		publishers.Go(func() {
			for {
				mu.Lock()
				have := len(acknowledged)
				mu.Unlock()
				if have >= wanted && enough() {
					return
				}
				first := int(next.Add(10)) - 10
				entries := make([]snstypes.PublishBatchRequestEntry, 10)
				for i := range entries {
					parity := []string{"even", "odd"}[i%2]
					entries[i] = snstypes.PublishBatchRequestEntry{
						Id: aws.String(strconv.Itoa(i)), Message: aws.String(strconv.Itoa(first + i)),
						MessageAttributes: map[string]snstypes.MessageAttributeValue{"parity": {DataType: aws.String("String"), StringValue: &parity}},
					}
				}
				out, err := k.sns.PublishBatch(k.t.Context(), &sns.PublishBatchInput{TopicArn: aws.String(topicARN("Orders")), PublishBatchRequestEntries: entries})
				if err != nil {
					time.Sleep(10 * time.Millisecond) // it was killed; these may be published or not
					continue
				}
				mu.Lock()
				for _, s := range out.Successful {
					i, _ := strconv.Atoi(*s.Id)
					acknowledged[strconv.Itoa(first+i)] = true
				}
				mu.Unlock()
			}
		})
	}
	publishers.Wait()
	return acknowledged
}

// TestNothingIsLostWhenThePlaneIsKilled publishes events to a fork whose
// branches have their troubles, kills the plane time and again, and accounts
// for every event in every branch. With BAILEY_SOAK=100000 it publishes as many
// and kills 100 times.
func TestNothingIsLostWhenThePlaneIsKilled(t *testing.T) {
	wanted, kills := 2000, 8
	if text := os.Getenv(soakVariable); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		wanted, kills = n, 100
	} else if testing.Short() {
		t.Skip("SKIP: it kills a process time and again, which takes seconds")
	}
	k := newKilled(t)
	ctx, stop := context.WithCancel(t.Context())
	branches := map[string]*seen{}
	var consumers sync.WaitGroup
	consume := func(name string, wrapped bool, handle func(n int) int) {
		s := &seen{all: map[string]int{}}
		branches[name] = s
		for range 2 {
			consumers.Go(func() {
				k.consume(ctx, name, func(messages []types.Message) int {
					done := handle(len(messages))
					s.add(messages[:done], wrapped)
					return done
				})
			})
		}
	}
	all := func(n int) int { return n }
	consume("Even", false, all)
	consume("Failing", true, func(int) int { return 0 })
	consume("FailingDead", true, all)
	consume("Slow", false, func(n int) int { time.Sleep(time.Duration(n) * 100 * time.Microsecond); return n })
	consume("Dying", false, func(n int) int { // it dies in the middle of one batch in eight
		if n > 0 && rand.IntN(8) == 0 {
			return rand.IntN(n)
		}
		return n
	})

	var killings atomic.Int64
	go func() {
		for killings.Load() < int64(kills) && t.Context().Err() == nil {
			time.Sleep(time.Duration(50+rand.IntN(250)) * time.Millisecond)
			k.kill()
			k.start()
			killings.Add(1)
		}
	}()
	acknowledged := k.publishAll(wanted, func() bool { return killings.Load() >= int64(kills) })
	k.drain(branches)
	stop()
	consumers.Wait()
	k.account(acknowledged, branches)
	t.Logf("%d events acknowledged, %d kills", len(acknowledged), killings.Load())
}

// drain waits until every queue is empty.
func (k *killed) drain(branches map[string]*seen) {
	for left, waited := 1, 0; left > 0 && waited < 3000; waited++ {
		time.Sleep(100 * time.Millisecond)
		left = 0
		for name := range branches {
			out, err := k.sqs.GetQueueAttributes(k.t.Context(), &sqs.GetQueueAttributesInput{
				QueueUrl: aws.String("http://" + k.address + "/" + account + "/" + name), AttributeNames: []types.QueueAttributeName{"All"},
			})
			if err != nil {
				k.t.Error(err)
				return
			}
			for _, count := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
				n, _ := strconv.Atoi(out.Attributes[count])
				left += n
			}
		}
	}
}

// account checks that every acknowledged event came to the end of every branch
// that is for it, and that the journal's counters agree to the last one.
func (k *killed) account(acknowledged map[string]bool, branches map[string]*seen) {
	t := k.t
	missing := map[string]int{}
	for event := range acknowledged {
		n, _ := strconv.Atoi(event)
		for name, s := range branches {
			if name == "Failing" || name == "Even" && n%2 == 1 {
				continue
			}
			if s.all[event] == 0 {
				missing[name]++
			}
		}
	}
	for name, n := range missing {
		t.Errorf("%d of %d acknowledged events did not reach %s", n, len(acknowledged), name)
	}
	for event := range branches["Even"].all {
		if n, _ := strconv.Atoi(event); n%2 == 1 {
			t.Errorf("event %s passed the filter", event)
		}
	}
	answer, err := http.Get("http://" + k.address + "/_bailey/counts")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var list []events.Count
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	count := map[string]int64{}
	for _, c := range list {
		count[c.What+" "+c.Source+" "+c.Target] += c.Count
	}
	published := count["published  "+topicARN("Orders")]
	if published < int64(len(acknowledged)) {
		t.Errorf("the journal has %d published events, and %d were acknowledged", published, len(acknowledged))
	}
	for _, name := range []string{"Even", "Failing", "Slow", "Dying"} {
		arn := queueARN(name)
		delivered, filtered := count["delivered "+topicARN("Orders")+" "+arn], count["filtered "+topicARN("Orders")+" "+arn]
		if delivered+filtered != published {
			t.Errorf("%s: %d delivered and %d filtered of %d published", name, delivered, filtered, published)
		}
		dead, consumed := count["dead-lettered "+arn+" "+queueARN("FailingDead")], count["consumed "+arn+" "]
		if dead+consumed != delivered {
			t.Errorf("%s: %d consumed and %d dead-lettered of %d delivered", name, consumed, dead, delivered)
		}
		if name == "Failing" && (consumed != 0 || count["consumed "+queueARN("FailingDead")+" "] != dead) {
			t.Errorf("%d of %d dead letters were consumed", count["consumed "+queueARN("FailingDead")+" "], dead)
		}
	}
}
