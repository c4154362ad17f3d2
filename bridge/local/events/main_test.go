package events_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const (
	region  = "us-east-1"
	account = "123456789012"
)

// running is a plane that is served, as a user's program meets it.
type running struct {
	*events.Plane
	url  string
	sqs  *sqs.Client
	sns  *sns.Client
	stop func()
}

// start opens a plane on a folder and serves it.
func start(t testing.TB, dir string, app *model.Application, invoke func(context.Context, *model.Function, local.Invocation) (*local.Result, error)) *running {
	t.Helper()
	return startAt(t, dir, app, invoke, nil)
}

// startAt is start with a clock.
func startAt(t testing.TB, dir string, app *model.Application, invoke func(context.Context, *model.Function, local.Invocation) (*local.Result, error), now func() time.Time) *running {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	app.Region, app.AccountID = region, account
	url := "http://" + listener.Addr().String()
	events.Localise(app, url)
	plane, err := events.Open(events.Options{Application: app, Invoke: invoke, Dir: dir, URL: url, Logs: logs{t}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: plane, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	r := &running{Plane: plane, url: url}
	r.stop = sync.OnceFunc(func() {
		if err := plane.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	t.Cleanup(r.stop)
	config := aws.Config{
		Region: region, BaseEndpoint: aws.String(url), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(account, "local", ""),
	}
	r.sqs, r.sns = sqs.NewFromConfig(config), sns.NewFromConfig(config)
	return r
}

// logs shows what a plane says with the test that it belongs to.
type logs struct{ t testing.TB }

func (l logs) Write(b []byte) (int, error) {
	if testing.Verbose() {
		fmt.Fprintf(os.Stderr, "%s: %s", l.t.Name(), b)
	}
	return len(b), nil
}

func queueARN(name string) string { return "arn:aws:sqs:" + region + ":" + account + ":" + name }
func topicARN(name string) string { return "arn:aws:sns:" + region + ":" + account + ":" + name }

// queue is a queue of an application, as the model reads it of a template that
// says no more.
func queue(name string) *model.Queue {
	return &model.Queue{
		ID: model.ID{Path: "App/" + name, Name: name}, QueueName: name, ARN: queueARN(name),
		URL:  "https://sqs." + region + ".amazonaws.com/" + account + "/" + name,
		FIFO: strings.HasSuffix(name, ".fifo"), VisibilityTimeout: 30 * time.Second, MessageRetentionPeriod: 4 * 24 * time.Hour,
	}
}

func queues(names ...string) *model.Application {
	app := &model.Application{}
	for _, name := range names {
		app.Queues = append(app.Queues, queue(name))
	}
	return app
}

func (r *running) queueURL(name string) *string {
	return aws.String(r.url + "/" + account + "/" + name)
}
