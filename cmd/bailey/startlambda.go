package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge/local/lambdaapi"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// endpoint is what bailey local start-lambda was asked for.
type endpoint struct {
	runner
	host string
	port int
}

func newStartLambda() *cobra.Command {
	var e endpoint
	c := &cobra.Command{
		Use:   "start-lambda",
		Short: "Serve Lambda's Invoke API on this machine",
		Long: `Serve all functions at an endpoint that the AWS SDKs and the aws command invoke
as they invoke Lambda, with every invocation type, log tails and aliases.

Functions are built when the server starts. It ends with Ctrl-C.`,
		Example: `  bailey local start-lambda
  aws lambda invoke --endpoint-url http://127.0.0.1:3001 --function-name Checkout out.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return e.run(c.Context()) },
	}
	e.flags(c)
	f := c.Flags()
	f.StringVar(&e.host, "host", "127.0.0.1", "address to listen on; keep it a loopback address")
	f.IntVarP(&e.port, "port", "p", 3001, "port to listen on, 0 for a free one")
	return c
}

func (e *endpoint) run(ctx context.Context) error {
	app, err := e.load(ctx)
	if err != nil {
		return cannotRun(err)
	}
	if err := buildFunctions(ctx, app.Functions, runtime.GOOS); err != nil {
		return cannotRun(err)
	}
	engine, closeEngine, err := e.start()
	if err != nil {
		return cannotRun(err)
	}
	defer closeEngine()
	listener, err := net.Listen("tcp", net.JoinHostPort(e.host, strconv.Itoa(e.port)))
	if err != nil {
		return cannotRun(fmt.Errorf("%w; give another with --port", err))
	}
	handler := &lambdaapi.Handler{Engine: engine, Hosts: []string{e.host}, Function: func(_ context.Context, name string) (*model.Function, error) {
		return app.Function(name)
	}}
	fmt.Fprintf(os.Stderr, "serving Lambda's Invoke API at http://%s: %d functions\n", listener.Addr(), len(app.Functions))
	return failed(serveUntil(ctx, listener, handler, handler.Wait))
}

// serveUntil serves until ctx ends, and then lets requests under way end for a
// few seconds.
func serveUntil(ctx context.Context, listener net.Listener, handler http.Handler, wait func()) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	waitAtMost(grace, wait)
	return nil
}

func waitAtMost(ctx context.Context, wait func()) {
	done := make(chan struct{})
	go func() {
		wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
