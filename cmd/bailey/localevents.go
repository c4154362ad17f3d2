package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events"
	"github.com/bailey-cdk/bailey/bridge/local/events/client"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// stateDir is where the event plane keeps its state, relative to the project.
const stateDir = ".bailey"

// eventCommand is what the commands that speak to the event plane have in
// common.
type eventCommand struct {
	selection
	asJSON bool
}

func (e *eventCommand) flags(c *cobra.Command) {
	e.selection.flags(c)
	c.Flags().BoolVar(&e.asJSON, "json", false, "print JSON")
}

// connect finds the event plane that runs in this project. Where none runs,
// one is opened that keeps what it gets until the next bailey dev.
func (e *eventCommand) connect(app *model.Application) (*client.Client, func(), error) {
	url, err := events.Find(stateDir)
	if err == nil {
		return &client.Client{URL: url, Region: app.Region}, func() {}, nil
	}
	var notRunning *events.NotRunningError
	if !errors.As(err, &notRunning) {
		return nil, nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	plane, err := events.Open(events.Options{Application: app, Dir: stateDir, Logs: os.Stderr, Idle: true, Invoke: nothingRuns})
	if err != nil {
		_ = listener.Close()
		return nil, nil, err
	}
	server := &http.Server{Handler: plane, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	end := func() {
		_ = plane.Close() // what it took is durable already
		_ = server.Close()
	}
	return &client.Client{URL: "http://" + listener.Addr().String(), Region: app.Region}, end, nil
}

// nothingRuns stands for the functions where only messages are taken.
func nothingRuns(context.Context, *model.Function, local.Invocation) (*local.Result, error) {
	return nil, errors.New("no function runs: start bailey dev")
}

// running finds the event plane that runs in this project, which the command
// needs.
func (e *eventCommand) running(app *model.Application) (*client.Client, error) {
	url, err := events.Find(stateDir)
	if err != nil {
		return nil, err
	}
	return &client.Client{URL: url, Region: app.Region}, nil
}

// print prints a result: as JSON, or as a line for people.
func (e *eventCommand) print(result any, line string) error {
	if !e.asJSON {
		_, err := fmt.Println(line)
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(result)
}

// readMessage is the message of a command: an argument, a file, or standard
// input.
func readMessage(args []string, file string) ([]byte, error) {
	switch {
	case len(args) > 0 && file != "":
		return nil, errors.New("the message is given twice: as an argument and with --event")
	case len(args) > 0:
		return []byte(args[0]), nil
	case file == "" || file == "-":
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return trimNewline(text), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	return trimNewline(text), nil
}

// trimNewline takes away the end of line that editors and echo put after a
// text.
func trimNewline(text []byte) []byte {
	if n := len(text); n > 0 && text[n-1] == '\n' {
		text = text[:n-1]
	}
	if n := len(text); n > 0 && text[n-1] == '\r' {
		text = text[:n-1]
	}
	return text
}

// eventServer is what bailey local start-events was asked for.
type eventServer struct {
	runner
	host       string
	port       int
	retryDelay time.Duration
	asJSON     bool
}

func newStartEvents() *cobra.Command {
	var e eventServer
	c := &cobra.Command{
		Use:   "start-events",
		Short: "Serve queues, topics, tables and other carriers of events on this machine",
		Long: `Serve the application's queues, topics, event buses, schedules, tables and buckets
at one endpoint, behind AWS's own protocols, and run the functions that they
lead to. What is sent is kept in .bailey, across restarts.

The functions find the endpoint by AWS_ENDPOINT_URL. Other programs do with the
environment that is printed. bailey dev does all of this and more.

--json prints an object with the endpoint and that environment.`,
		Example: `  bailey local start-events
  aws --endpoint-url http://127.0.0.1:4566 sqs list-queues`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return e.run(c.Context()) },
	}
	e.flags(c)
	f := c.Flags()
	f.StringVar(&e.host, "host", "127.0.0.1", "address to listen on; keep it a loopback address")
	f.IntVarP(&e.port, "port", "p", 4566, "port to listen on, 0 for a free one")
	f.DurationVar(&e.retryDelay, "retry-delay", time.Minute, "wait before a function that was invoked asynchronously and failed is invoked again; the next one is twice as long")
	f.BoolVar(&e.asJSON, "json", false, "print JSON")
	return c
}

func (e *eventServer) run(ctx context.Context) error {
	app, err := e.load(ctx)
	if err != nil {
		return cannotRun(err)
	}
	if err := buildFunctions(ctx, app.Functions, runtime.GOOS); err != nil {
		return cannotRun(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(e.host, strconv.Itoa(e.port)))
	if err != nil {
		return cannotRun(fmt.Errorf("%w; give another with --port", err))
	}
	plane, end, err := e.open(app, "http://"+listener.Addr().String(), false)
	if err != nil {
		_ = listener.Close()
		return cannotRun(err)
	}
	defer end()
	if err := e.announce(app, plane); err != nil {
		return cannotRun(err)
	}
	return failed(serveUntil(ctx, listener, plane, func() {}))
}

// open opens the plane with an engine for its functions. They need each other:
// the engine its environment, the plane its Invoke.
func (e *eventServer) open(app *model.Application, url string, idle bool) (*events.Plane, func(), error) {
	events.Localise(app, url)
	var engine *local.Engine
	ready := make(chan struct{})
	var hosts []string
	if e.host != "" {
		hosts = append(hosts, e.host)
	}
	plane, err := events.Open(events.Options{
		Application: app, Dir: stateDir, URL: url, Logs: os.Stderr, Hosts: hosts, RetryDelay: e.retryDelay, Idle: idle, MaxBuffering: events.ShortBuffering,
		Invoke: func(ctx context.Context, fn *model.Function, in local.Invocation) (*local.Result, error) {
			<-ready
			if engine == nil {
				return nil, local.ErrClosed
			}
			return engine.Invoke(ctx, fn, in)
		},
	})
	if err != nil {
		return nil, nil, err
	}
	e.runner.plane = plane
	var endEngine func()
	engine, endEngine, err = e.start()
	close(ready)
	if err != nil {
		return nil, nil, errors.Join(err, plane.Close())
	}
	return plane, func() {
		if err := plane.Close(); err != nil {
			printWarning(err.Error())
		}
		endEngine()
	}, nil
}

// announce says what is served.
func (e *eventServer) announce(app *model.Application, plane *events.Plane) error {
	if e.asJSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"url": plane.URL(), "environ": plane.Environ()})
	}
	fmt.Fprintf(os.Stderr, "serving the event plane at %s: %s\n", plane.URL(), carriers(app))
	for _, variable := range plane.Environ() {
		fmt.Fprintln(os.Stderr, "  "+variable)
	}
	return nil
}

// carriers counts what an application has that events go through.
func carriers(app *model.Application) string {
	text := ""
	for _, kind := range []struct {
		n    int
		name string
	}{
		{len(app.Topics), "topics"},
		{len(app.Queues), "queues"},
		{len(app.EventBuses), "event buses"},
		{len(app.Rules), "rules"},
		{len(app.Schedules), "schedules"},
		{len(app.Tables), "tables"},
		{len(app.Buckets), "buckets"},
		{len(app.DeliveryStreams), "delivery streams"},
		{len(app.EventSourceMappings), "event source mappings"},
		{len(app.Functions), "functions"},
	} {
		if kind.n > 0 {
			if text != "" {
				text += ", "
			}
			text += strconv.Itoa(kind.n) + " " + kind.name
		}
	}
	if text == "" {
		return "the application has nothing of its own"
	}
	return text
}

func newReset() *cobra.Command {
	return &cobra.Command{
		Use:   "reset",
		Short: "Forget all messages, tables and buckets of local runs",
		Long: `Remove what the event plane keeps in .bailey: the messages in queues, events that
wait, tables, the objects of buckets. bailey dev and start-events must not run.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := events.Reset(stateDir); err != nil {
				return cannotRun(err)
			}
			dir, err := filepath.Abs(stateDir)
			if err != nil {
				return cannotRun(err)
			}
			fmt.Fprintf(os.Stderr, "the event plane's state in %s is removed\n", dir)
			return nil
		},
	}
}
