//go:build e2e

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// TestExercise does what the README says, in a project of its own that requires
// this repository as a user's would: with bailey dev, on this machine, by the
// ordinary SDKs.
func TestExercise(t *testing.T) {
	s := start(t)

	t.Log("1. an order goes to every branch")
	s.place(t, "1", 125)
	s.place(t, "2", 50)
	s.wantBooked(t, "1", right)
	s.wantBooked(t, "2", right)
	s.eventually(t, "both orders are archived", func() string { return differ(s.archived(t), "1", "2") })
	for id, line := range s.archive(t) {
		if strings.Contains(line, "card-") || strings.Contains(line, "4111") {
			t.Errorf("the archive has the card of order %s: %s", id, line)
		}
	}
	s.eventually(t, "the large order is indexed", func() string { return differ(s.indexed(t), "1") })

	t.Log("2. its consumer is broken, and mended")
	s.edit(t, `"BUG_ENABLED": "false"`, `"BUG_ENABLED": "true"`)
	broken := time.Now()
	s.place(t, "3", 300)
	s.place(t, "4", 40)
	s.wantBooked(t, "3", wrong)
	s.wantBooked(t, "4", wrong)
	time.Sleep(time.Until(broken.Add(2 * time.Second)))
	mended := time.Now()
	s.edit(t, `"BUG_ENABLED": "true"`, `"BUG_ENABLED": "false"`)
	s.place(t, "5", 60)
	s.wantBooked(t, "5", right)
	s.wantBooked(t, "3", wrong) // Nothing mends by itself.

	t.Log("3. what was booked wrongly is replayed, and nothing else")
	s.spoil(t, "1", "5") // A replay of these would repair them.
	replayed := s.bailey(t, "local", "replay", "Orders", "--json", "--from", broken.UTC().Format(time.RFC3339Nano), "--to", mended.UTC().Format(time.RFC3339Nano))
	var result struct{ Replayed, PassedOver, Failed int }
	if err := json.Unmarshal([]byte(replayed), &result); err != nil || result.Replayed != 2 || result.PassedOver != 3 || result.Failed != 0 {
		t.Errorf("the replay answered %s, %v: want two events of the window, and three passed over", replayed, err)
	}
	s.wantBooked(t, "3", right)
	s.wantBooked(t, "4", right)
	s.wantBooked(t, "1", wrong)
	s.wantBooked(t, "5", wrong)

	t.Log("4. a poisoned message ends in the failure record, with the reason")
	s.bailey(t, "local", "publish", "Topic", `{"id":"poison"}`, "-a", "amount:Number=1")
	s.eventually(t, "the failure is recorded", func() string { return s.recorded(t, "failures", "Checkout", "order poison has no customer") })

	t.Log("5. and can be sent round again, to end there again")
	if got := s.resend(t, `{"branch":"Checkout"}`); got != `{"sent":1,"failed":0,"done":true}` {
		t.Errorf("the resender answered %s", got)
	}
	if problem := s.recorded(t, "resent", "Checkout", "order poison has no customer"); problem != "" {
		t.Error(problem)
	}
	s.eventually(t, "the failure is recorded again", func() string { return s.recorded(t, "failures", "Checkout", "order poison has no customer") })

	t.Log("6. what Firehose gives up ends there too, and can be sent round again")
	s.bailey(t, "local", "publish", "Topic", "card-number=4111", "-a", "amount:Number=1")
	const unmasked = "ProcessingFailed status set for record"
	s.eventually(t, "what could not be masked is recorded", func() string { return s.recorded(t, "failures", "Archive", unmasked) })
	if got := s.bailey(t, "local", "redrive", "Orders/Archive", "--json"); !strings.Contains(got, `"sent":1,"failed":0`) {
		t.Errorf("the redrive answered %s", got)
	}
	if problem := s.recorded(t, "resent", "Archive", unmasked); problem != "" {
		t.Error(problem)
	}
	s.eventually(t, "it is recorded again", func() string { return s.recorded(t, "failures", "Archive", unmasked) })

	t.Log("7. every event is accounted for")
	s.eventually(t, "all is archived, and the large orders indexed", func() string {
		return differ(s.archived(t), "1", "2", "3", "4", "5", "poison") + differ(s.indexed(t), "1", "3")
	})
	s.eventually(t, "no queue but the replay's has a message", func() string { return s.waiting(t) })
}

// shop is the example, running.
type shop struct {
	command string // bailey
	project string
	api     string
	lambda  *lambda.Client
	tables  *dynamodb.Client
	queues  *sqs.Client

	mutex  sync.Mutex
	lines  []line
	log    strings.Builder // the lines, but for requests
	stderr strings.Builder // to be read when the process has ended
}

// line is one of bailey dev --json.
type line struct {
	Type           string
	Infrastructure bool // of a reload: the CDK app was run
	Served         struct {
		APIs           []struct{ URL string }
		Lambda, Events string
	}
}

const patience = 3 * time.Minute

// start runs bailey dev in a copy of the example. The copy is of another
// module, so that the functions inside the fork are built by their import path.
func start(t *testing.T) *shop {
	t.Helper()
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{command: filepath.Join(t.TempDir(), "bailey"), project: t.TempDir()}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", s.command, "./cmd/bailey")
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	copyExample(t, repository, s.project)
	dev := exec.CommandContext(t.Context(), s.command, "dev", "--json", "--port", "0", "--events-port", "0", "--lambda-port", "0")
	dev.Dir, dev.Stderr = s.project, &s.stderr
	dev.Cancel = func() error { return dev.Process.Signal(syscall.SIGTERM) }
	dev.WaitDelay = 30 * time.Second
	stdout, err := dev.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.read(stdout)
	}()
	t.Cleanup(func() {
		<-done
		_ = dev.Wait() // It was told to end.
		if t.Failed() {
			t.Logf("bailey dev said:\n%s%s", &s.stderr, &s.log)
		}
	})
	s.eventually(t, "bailey dev is ready", func() string { return s.has("ready", 1) })
	s.connect()
	return s
}

// copyExample makes the example a module of its own, which requires the
// repository.
func copyExample(t *testing.T, repository, project string) {
	t.Helper()
	text := func(name string) string {
		t.Helper()
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	put := func(name, content string) {
		t.Helper()
		file := filepath.Join(project, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const module = "github.com/bailey-cdk/bailey"
	for _, name := range []string{"main.go", "shop.go", "cdk.json", "orders/orders.go", "functions/api/main.go", "functions/checkout/main.go", "functions/mask/main.go"} {
		put(name, strings.ReplaceAll(text(name), module+"/examples/checkout-fork/", "example.com/checkout/"))
	}
	mod := strings.Replace(text(filepath.Join(repository, "go.mod")), "module "+module, "module example.com/checkout", 1)
	put("go.mod", mod+"\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+repository+"\n")
	put("go.sum", text(filepath.Join(repository, "go.sum")))
}

func (s *shop) read(stdout io.Reader) {
	scanner := bufio.NewScanner(stdout)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var l line
		if json.Unmarshal(scanner.Bytes(), &l) != nil {
			continue
		}
		s.mutex.Lock()
		s.lines = append(s.lines, l)
		if l.Type != "request" {
			s.log.WriteString(scanner.Text() + "\n")
		}
		s.mutex.Unlock()
	}
}

// has tells what is missing of n lines of a type; of reloads those count that
// changed the infrastructure.
func (s *shop) has(kind string, n int) string {
	if got := s.count(kind); got < n {
		return fmt.Sprintf("there are %d lines %q of %d", got, kind, n)
	}
	return ""
}

func (s *shop) count(kind string) (n int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, l := range s.lines {
		if l.Type == kind && (kind != "reload" || l.Infrastructure) {
			n++
		}
	}
	return n
}

func (s *shop) connect() {
	i := slices.IndexFunc(s.lines, func(l line) bool { return l.Type == "ready" })
	served := s.lines[i].Served
	s.api = served.APIs[0].URL
	config := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), BaseEndpoint: &served.Events}
	s.tables, s.queues = dynamodb.NewFromConfig(config), sqs.NewFromConfig(config)
	s.lambda = lambda.NewFromConfig(config, func(o *lambda.Options) { o.BaseEndpoint = &served.Lambda })
}

// eventually waits until problem is "".
func (s *shop) eventually(t *testing.T, what string, problem func() string) {
	t.Helper()
	begin := time.Now()
	for {
		last := problem()
		if last == "" {
			t.Logf("   %s, after %.1f s", what, time.Since(begin).Seconds())
			return
		}
		if time.Since(begin) > patience {
			t.Fatalf("not so after %s: %s: %s", patience, what, last)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// edit changes the CDK app as a user would, and waits until that is served.
func (s *shop) edit(t *testing.T, from, to string) {
	t.Helper()
	file := filepath.Join(s.project, "shop.go")
	text, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(text, []byte(from)) {
		t.Fatalf("%s has no %s: %v", file, from, err)
	}
	before := s.count("reload")
	if err := os.WriteFile(file, bytes.Replace(text, []byte(from), []byte(to), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	s.eventually(t, "the change is served", func() string { return s.has("reload", before+1) })
}

// bailey runs a command in the project.
func (s *shop) bailey(t *testing.T, arguments ...string) string {
	t.Helper()
	var stderr strings.Builder
	c := exec.CommandContext(t.Context(), s.command, arguments...)
	c.Dir, c.Stderr = s.project, &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("bailey %s: %v\n%s%s", strings.Join(arguments, " "), err, out, &stderr)
	}
	return strings.TrimSpace(string(out))
}

func (s *shop) place(t *testing.T, id string, amount float64) {
	t.Helper()
	text, err := os.ReadFile("events/order.json")
	if err != nil {
		t.Fatal(err)
	}
	var order map[string]any
	if err := json.Unmarshal(text, &order); err != nil {
		t.Fatal(err)
	}
	order["id"], order["amount"] = id, amount
	if text, err = json.Marshal(order); err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(s.api+"/checkout", "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusAccepted {
		t.Fatalf("order %s: %s: %s, %v", id, response.Status, body, err)
	}
}

const (
	right = "Ada Lovelace ada@example.com GB"
	wrong = "ada@example.com ADA LOVELACE "
)

func (s *shop) bookingsTable(t *testing.T) string {
	t.Helper()
	out, err := s.tables.ListTables(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(out.TableNames, func(name string) bool { return strings.Contains(name, "Bookings") })
	if i < 0 {
		t.Fatalf("the tables are %v", out.TableNames)
	}
	return out.TableNames[i]
}

// bookings are the table's items by order.
func (s *shop) bookings(t *testing.T) map[string]map[string]any {
	t.Helper()
	out, err := s.tables.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(s.bookingsTable(t)), ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]any{}
	for _, item := range out.Items {
		var booking map[string]any
		if err := attributevalue.UnmarshalMap(item, &booking); err != nil {
			t.Fatal(err)
		}
		all[booking["Order"].(string)] = booking
	}
	return all
}

func (s *shop) wantBooked(t *testing.T, id, want string) {
	t.Helper()
	s.eventually(t, fmt.Sprintf("order %s is booked as %q", id, want), func() string {
		b := s.bookings(t)[id]
		if b == nil {
			return "it is not booked"
		}
		if got := fmt.Sprintf("%v %v %v", b["Name"], b["Email"], b["Country"]); got != want {
			return "it is booked as " + got
		}
		return ""
	})
}

// spoil changes bookings behind the shop's back.
func (s *shop) spoil(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		booking := s.bookings(t)[id]
		booking["Name"], booking["Email"], booking["Country"] = "ada@example.com", "ADA LOVELACE", ""
		item, err := attributevalue.MarshalMap(booking)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(s.bookingsTable(t)), Item: item}); err != nil {
			t.Fatal(err)
		}
	}
}

// files are the contents of those below a folder of the local state, by path.
func (s *shop) files(t *testing.T, folder string) map[string]string {
	t.Helper()
	root := os.DirFS(filepath.Join(s.project, ".bailey"))
	found := map[string]string{}
	err := fs.WalkDir(root, folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(root, path)
		if err == nil && strings.HasSuffix(path, ".gz") {
			text = unzip(t, text)
		}
		found[path] = string(text)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return found
}

func unzip(t *testing.T, text []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if text, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return text
}

var partition = regexp.MustCompile(`/events/year=\d{4}/month=\d\d/day=\d\d/hour=\d\d/[^/]+\.jsonl\.gz$`)

// archive is the lines of the bucket, by order.
func (s *shop) archive(t *testing.T) map[string]string {
	t.Helper()
	lines := map[string]string{}
	for path, text := range s.files(t, "s3/shop-orders-archive-bucket/events") {
		if !partition.MatchString(path) {
			t.Errorf("an object of the archive is %s", path)
		}
		for _, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
			var order struct{ ID string }
			if err := json.Unmarshal([]byte(l), &order); err != nil {
				t.Errorf("a line of the archive is no JSON: %s", l)
			}
			lines[order.ID] = l
		}
	}
	return lines
}

func (s *shop) archived(t *testing.T) (ids []string) {
	t.Helper()
	for id := range s.archive(t) {
		ids = append(ids, id)
	}
	return ids
}

// indexed are the orders in the index.
func (s *shop) indexed(t *testing.T) (ids []string) {
	t.Helper()
	for path, text := range s.files(t, "opensearch") {
		if !strings.Contains(path, "checkout_events") {
			t.Errorf("an index is %s", path)
		}
		for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
			var document struct {
				Source struct{ ID string } `json:"_source"`
			}
			if err := json.Unmarshal([]byte(l), &document); err != nil {
				t.Errorf("a line of the index is no JSON: %s", l)
			}
			if strings.Contains(l, "card-") {
				t.Errorf("the index has a card: %s", l)
			}
			ids = append(ids, document.Source.ID)
		}
	}
	return ids
}

// differ tells how ids are not those wanted, in any order and number.
func differ(ids []string, want ...string) string {
	slices.Sort(ids)
	if ids = slices.Compact(ids); slices.Equal(ids, want) {
		return ""
	}
	return fmt.Sprintf("there are %q of %q; ", ids, want)
}

// recorded tells what is wrong with the failure record: of the branch it must
// have one failure, for this reason.
func (s *shop) recorded(t *testing.T, prefix, branch, reason string) string {
	t.Helper()
	found := s.files(t, "s3/shop-orders-record-bucket/"+prefix+"/branch="+branch)
	if len(found) != 1 {
		return fmt.Sprintf("the record has %d objects of %s below %s/", len(found), branch, prefix)
	}
	for path, text := range found {
		var r struct {
			Branch, Body string
			Reason       struct{ Message string }
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil || r.Branch != branch || r.Reason.Message != reason || !strings.Contains(path, "/branch="+branch+"/year=") {
			return fmt.Sprintf("%s is %s, %v", path, text, err)
		}
	}
	return ""
}

func (s *shop) resend(t *testing.T, command string) string {
	t.Helper()
	out, err := s.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("Resender"), Payload: []byte(command)})
	if err != nil || out.FunctionError != nil {
		t.Fatalf("the resender: %v, %s: %s", err, aws.ToString(out.FunctionError), out.Payload)
	}
	return string(out.Payload)
}

// waiting names the queues that hold messages, but for the replay's: that one
// holds all but those replayed.
func (s *shop) waiting(t *testing.T) (problem string) {
	t.Helper()
	list, err := s.queues.ListQueues(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.QueueUrls) != 8 {
		t.Fatalf("the queues are %v", list.QueueUrls)
	}
	for _, url := range list.QueueUrls {
		out, err := s.queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
		if err != nil {
			t.Fatal(err)
		}
		visible, hidden := out.Attributes["ApproximateNumberOfMessages"], out.Attributes["ApproximateNumberOfMessagesNotVisible"]
		want := "0"
		if strings.HasSuffix(url, "Replay-Queue") {
			want = "5" // Seven were published, two of them replayed.
		}
		if visible != want || hidden != "0" {
			problem += fmt.Sprintf("%s has %s messages, %s of them hidden; ", filepath.Base(url), visible, hidden)
		}
	}
	return problem
}
