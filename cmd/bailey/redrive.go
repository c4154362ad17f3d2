package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge/local/events"
	"github.com/bailey-cdk/bailey/bridge/local/events/client"
	"github.com/bailey-cdk/bailey/bridge/local/events/forks"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// redrive is what bailey local redrive was asked for.
type redrive struct {
	eventServer
	to   string
	rate int
}

func newRedrive() *cobra.Command {
	var r redrive
	c := &cobra.Command{
		Use:   "redrive DLQ",
		Short: "Send what was given up round again",
		Long: `Move all messages of an SQS dead-letter queue of the local event plane back to the
queue that each came from, or to another with --to. DLQ is its construct id, its
construct path, its logical id, its name or its ARN.

DLQ may also be an event fork, or a branch of one: what is in its failure record
is sent round again, each event to the branch that gave it up.

It waits until they are moved, and prints how many there were.`,
		Example: `  bailey local redrive OrdersDLQ
  bailey local redrive OrdersDLQ --to Orders --rate 10
  bailey local redrive OrderPlaced
  bailey local redrive OrderPlaced/Checkout`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return r.run(c.Context(), args[0]) },
	}
	r.flags(c)
	f := c.Flags()
	f.StringVar(&r.to, "to", "", "queue that the messages go to")
	f.IntVar(&r.rate, "rate", 0, "most messages a second, up to 500 (default: as fast as possible)")
	f.BoolVar(&r.asJSON, "json", false, "print JSON")
	return c
}

func (r *redrive) run(ctx context.Context, name string) error {
	app, err := r.load(ctx)
	if err != nil {
		return cannotRun(err)
	}
	source, err := app.Queue(name)
	if err != nil {
		resender, branch, notFork := forks.Resender(app, name)
		if notFork != nil {
			return cannotRun(err)
		}
		return r.resend(ctx, app, resender, branch)
	}
	destination := ""
	if r.to != "" {
		queue, err := app.Queue(r.to)
		if err != nil {
			return cannotRun(err)
		}
		destination = queue.ARN
	}
	e := eventCommand{selection: r.selection, asJSON: r.asJSON}
	plane, end, err := e.connect(app)
	if err != nil {
		return cannotRun(err)
	}
	defer end()
	moved, err := plane.Redrive(ctx, source.ARN, destination, r.rate)
	if err != nil {
		return failed(err)
	}
	return e.print(moved, counted(moved.Moved, "message")+" moved")
}

// resend sends the events of a failure record round again.
func (r *redrive) resend(ctx context.Context, app *model.Application, resender *model.Function, branch string) error {
	if r.to != "" || r.rate != 0 {
		return cannotRun(errors.New("--to and --rate are for queues: a fork sends each event to the branch that gave it up"))
	}
	plane, end, err := r.plane(ctx, app, []*model.Function{resender})
	if err != nil {
		return cannotRun(err)
	}
	defer end()
	result, err := forks.Resend(ctx, plane, resender, branch)
	if err != nil {
		return failed(err)
	}
	e := eventCommand{asJSON: r.asJSON}
	if err := e.print(result, fmt.Sprintf("%s sent again, %d failed", counted(int64(result.Sent), "event"), result.Failed)); err != nil {
		return err
	}
	if result.Failed > 0 {
		return exitStatus(1)
	}
	return nil
}

// counted is a number of things.
func counted(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.FormatInt(n, 10) + " " + thing + "s"
}

// replay is what bailey local replay was asked for.
type replay struct {
	eventServer
	from, to string
	rate     float64
	limit    int
}

func newReplay() *cobra.Command {
	var r replay
	c := &cobra.Command{
		Use:   "replay FORK",
		Short: "Send the events that a fork has kept once more",
		Long: `Send the events that the Replay branch of an event fork has kept to where it
replays them to. FORK is the construct id or path of the fork, or of the branch
where the fork has several.

--from and --to are the window of when the events came, both included: a time
such as 2026-11-01T12:00:00Z, a time of today such as 09:30, or how long ago,
such as 2h. Without --from it is from the beginning, without --to until now.

Where bailey dev or start-events runs in this folder, it does the work.
Otherwise the branch's function runs here, and the events wait at their
destination for the next bailey dev.`,
		Example: `  bailey local replay OrderPlaced --from 09:00 --to 09:30
  bailey local replay OrderPlaced --from 2h --rate 10`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return r.run(c.Context(), args[0]) },
	}
	r.flags(c)
	f := c.Flags()
	f.StringVar(&r.from, "from", "", "begin of the window")
	f.StringVar(&r.to, "to", "", "end of the window")
	f.Float64Var(&r.rate, "rate", 0, "most events a second (default: the branch's)")
	f.IntVar(&r.limit, "limit", 0, "most events (default: all)")
	f.BoolVar(&r.asJSON, "json", false, "print JSON")
	return c
}

func (r *replay) run(ctx context.Context, name string) error {
	command, err := forks.ReplayCommand(r.from, r.to, r.rate, r.limit, time.Now())
	if err != nil {
		return cannotRun(err)
	}
	app, err := r.load(ctx)
	if err != nil {
		return cannotRun(err)
	}
	replayer, err := forks.Replayer(app, name)
	if err != nil {
		return cannotRun(err)
	}
	plane, end, err := r.plane(ctx, app, forks.Needed(app, replayer))
	if err != nil {
		return cannotRun(err)
	}
	defer end()
	result, err := forks.Replay(ctx, plane, replayer, command)
	if err != nil {
		return failed(err)
	}
	if r.asJSON {
		return json.NewEncoder(os.Stdout).Encode(result)
	}
	fmt.Printf("%s replayed, %d outside the window, %d failed\n", counted(int64(result.Replayed), "event"), result.PassedOver, result.Failed)
	if result.Failed > 0 {
		return exitStatus(1)
	}
	return nil
}

// plane is the one that runs, or one in this process that runs nothing but these
// functions, when it is asked to.
func (e *eventServer) plane(ctx context.Context, app *model.Application, functions []*model.Function) (*client.Client, func(), error) {
	url, err := events.Find(stateDir)
	if err == nil {
		return &client.Client{URL: url, Region: app.Region}, func() {}, nil
	}
	var notRunning *events.NotRunningError
	if !errors.As(err, &notRunning) {
		return nil, nil, err
	}
	if err := buildFunctions(ctx, functions, runtime.GOOS); err != nil {
		return nil, nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	url = "http://" + listener.Addr().String()
	plane, end, err := e.open(app, url, true)
	if err != nil {
		_ = listener.Close()
		return nil, nil, err
	}
	server := &http.Server{Handler: plane, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return &client.Client{URL: url, Region: app.Region}, func() {
		end()
		_ = server.Close()
	}, nil
}
