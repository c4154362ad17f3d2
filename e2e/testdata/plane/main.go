// Command plane serves an event plane with a fork: the topic Orders with the
// queues Store, Index and Mail as its branches. It prints where, and runs until
// it is killed.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof" // for measuring
	"os"
	"runtime/debug"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events"
	"github.com/bailey-cdk/bailey/bridge/model"
)

func main() {
	dir := flag.String("dir", ".bailey", "folder of the state")
	profile := flag.String("pprof", "", "address of the profiler")
	flag.Parse()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // as the command bailey does
	}
	if *profile != "" {
		go func() { fmt.Fprintln(os.Stderr, http.ListenAndServe(*profile, nil)) }() //nolint:gosec // it is a tool of a test
	}
	if err := serve(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "plane:", err)
		os.Exit(1)
	}
}

func serve(dir string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	app := fork()
	events.Localise(app, url)
	plane, err := events.Open(events.Options{Application: app, Dir: dir, URL: url, Logs: os.Stderr})
	if err != nil {
		return err
	}
	fmt.Println(url)
	server := &http.Server{Handler: plane, ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}

func fork() *model.Application {
	const prefix = "us-east-1:123456789012:"
	app := &model.Application{
		Region: "us-east-1", AccountID: "123456789012",
		Topics: []*model.Topic{{ID: model.ID{Path: "App/Orders"}, TopicName: "Orders", ARN: "arn:aws:sns:" + prefix + "Orders"}},
	}
	for _, name := range []string{"Store", "Index", "Mail"} {
		arn := "arn:aws:sqs:" + prefix + name
		app.Queues = append(app.Queues, &model.Queue{
			ID: model.ID{Path: "App/" + name}, QueueName: name, ARN: arn,
			VisibilityTimeout: 30 * time.Second, MessageRetentionPeriod: 4 * 24 * time.Hour,
		})
		app.Subscriptions = append(app.Subscriptions, &model.Subscription{
			ID: model.ID{Path: "App/Orders/" + name}, TopicARN: app.Topics[0].ARN, Protocol: "sqs", Endpoint: arn,
			FilterPolicyScope: "MessageAttributes", RawMessageDelivery: name == "Store",
		})
	}
	return app
}
