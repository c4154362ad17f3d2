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
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge/local/apigateway"
	"github.com/bailey-cdk/bailey/bridge/local/websocket"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/bridge/samtemplate"
)

// apiServer is what bailey local start-api was asked for.
type apiServer struct {
	runner
	host               string
	port               int
	staticDir          string
	origins            []string
	keySet             string
	disableAuthorizers bool
	asJSON             bool
	engine             string
	names              []string
	samArgs            []string
}

func newStartAPI() *cobra.Command {
	var s apiServer
	c := &cobra.Command{
		Use:   "start-api [API...] [-- SAM-FLAGS]",
		Short: "Serve the application's APIs on this machine",
		Long: `Serve HTTP APIs, REST APIs, WebSocket APIs and function URLs as API Gateway and
Lambda do: the same events, answers, limits, CORS and authorizers. Each API has
a port of its own: the first has --port, the others the next ones. Names leave
the others out.

A path needs no stage; for a named stage, /STAGE/... works too.

Tokens (JWT, Cognito) are verified with the keys that their issuers publish, or
with those of --jwt-keys. Lambda authorizers are invoked. Requests for routes
with AWS_IAM must be signed; the signature itself is not verified here.

A WebSocket API has its management API (@connections) on its own port. Functions
find the APIs: addresses on AWS in their environment are replaced by those here.

Functions are built when the server starts. It ends with Ctrl-C.

--engine sam writes the template, runs the installed SAM CLI on it and hands on
what follows "--". The SAM CLI serves one API at a time.`,
		Example: `  bailey local start-api
  bailey local start-api Shop --port 8080 --static-dir web
  curl http://127.0.0.1:3000/orders
  bailey local start-api --engine sam -- --warm-containers EAGER`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := s.arguments(c, args); err != nil {
				return err
			}
			return s.run(c.Context())
		},
	}
	s.flags(c)
	f := c.Flags()
	f.StringVar(&s.host, "host", "127.0.0.1", "address to listen on; keep it a loopback address")
	f.IntVarP(&s.port, "port", "p", 3000, "port of the first API, 0 for free ones")
	f.StringVarP(&s.staticDir, "static-dir", "s", "", "folder whose files are served where no route matches")
	f.StringArrayVar(&s.origins, "allow-origin", nil, "web origin whose pages may call an API without CORS configuration, * for all")
	f.StringVar(&s.keySet, "jwt-keys", "", "JSON Web Key Set to verify tokens with, in place of their issuers' keys")
	f.BoolVar(&s.disableAuthorizers, "disable-authorizer", false, "leave every route open")
	f.BoolVar(&s.asJSON, "json", false, "print the table of APIs and routes as JSON")
	f.StringVar(&s.engine, "engine", engineProcess, `"process" or "sam"`)
	return c
}

func (s *apiServer) arguments(c *cobra.Command, args []string) error {
	if dash := c.ArgsLenAtDash(); dash >= 0 {
		args, s.samArgs = args[:dash], args[dash:]
	}
	for _, word := range args {
		if strings.Contains(word, "=") && len(s.parameters) > 0 {
			s.parameters = append(s.parameters, word)
		} else {
			s.names = append(s.names, word)
		}
	}
	switch {
	case s.engine != engineProcess && s.engine != engineSAM:
		return fmt.Errorf("--engine %q is unknown; there are %q and %q", s.engine, engineProcess, engineSAM)
	case len(s.samArgs) > 0 && s.engine != engineSAM:
		return errors.New(`what follows "--" is for the SAM CLI; give --engine sam`)
	case s.port < 0 || s.port > 65535:
		return fmt.Errorf("--port %d is no port; there are 0 to 65535", s.port)
	}
	return nil
}

func (s *apiServer) run(ctx context.Context) error {
	app, err := s.load(ctx)
	if err != nil {
		return cannotRun(err)
	}
	chosen, sockets, err := s.choose(app)
	if err != nil {
		return cannotRun(err)
	}
	if s.engine == engineSAM {
		return s.runSAM(ctx, app, chosen)
	}
	app.APIs, app.WebSocketAPIs = chosen, sockets
	for _, api := range app.APIs {
		printDiagnostics(about(app.Diagnostics, api.Path))
	}
	return s.serve(ctx, app)
}

// choose keeps the APIs that were named, by name or construct path.
func (s *apiServer) choose(app *model.Application) ([]*model.API, []*model.WebSocketAPI, error) {
	if len(app.APIs)+len(app.WebSocketAPIs) == 0 {
		return nil, nil, errors.New("the application has no HTTP API, REST API, WebSocket API or function URL to serve")
	}
	if len(s.names) == 0 {
		return app.APIs, app.WebSocketAPIs, nil
	}
	var chosen []*model.API
	var sockets []*model.WebSocketAPI
	for _, name := range s.names {
		api, socket := find(app.APIs, name, apiID), find(app.WebSocketAPIs, name, webSocketID)
		switch {
		case api != nil && !slices.Contains(chosen, api):
			chosen = append(chosen, api)
		case socket != nil && !slices.Contains(sockets, socket):
			sockets = append(sockets, socket)
		case api == nil && socket == nil:
			known := append(names(app.APIs, apiID), names(app.WebSocketAPIs, webSocketID)...)
			return nil, nil, fmt.Errorf("there is no API %q; there are: %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, sockets, nil
}

// behind are the functions that serve the APIs, authorizers among them.
func behind(apis []*model.API) []*model.Function {
	var functions []*model.Function
	add := func(f *model.Function) {
		if f != nil && !slices.Contains(functions, f) {
			functions = append(functions, f)
		}
	}
	for _, api := range apis {
		for _, route := range api.Routes {
			add(route.Function)
			if route.Authorizer != nil {
				add(route.Authorizer.Function)
			}
		}
	}
	return functions
}

func (s *apiServer) serve(ctx context.Context, app *model.Application) error {
	functions := append(behind(app.APIs), behindWebSockets(app.WebSocketAPIs)...)
	if err := buildFunctions(ctx, functions, runtime.GOOS); err != nil {
		return cannotRun(err)
	}
	engine, closeEngine, err := s.start()
	if err != nil {
		return cannotRun(err)
	}
	defer closeEngine()
	gateway, err := apigateway.New(apigateway.Options{
		Application: app, Invoke: engine.Invoke, Logs: s.logs, Hosts: []string{s.host}, Origins: s.origins,
		StaticDir: s.staticDir, KeySet: s.keySet, DisableAuthorizers: s.disableAuthorizers,
	})
	if err != nil {
		return cannotRun(err)
	}
	sockets, err := websocket.New(websocket.Options{Application: app, Invoke: engine.Invoke, Logs: s.logs, Hosts: []string{s.host}, Origins: s.origins})
	if err != nil {
		return cannotRun(err)
	}
	defer func() { _ = sockets.Close() }() // before the engine, whose functions it tells
	apis := served(app, gateway, sockets)
	listeners, err := s.listen(apis)
	if err != nil {
		return cannotRun(err)
	}
	settle(app, apis, listeners)
	if err := s.secure(app, listeners); err != nil {
		return cannotRun(err)
	}
	if err := s.printTable(apis, listeners); err != nil {
		return cannotRun(err)
	}
	return failed(serveAll(ctx, apis, listeners, s.logs))
}

// listen opens a port for each API, or none.
func (s *apiServer) listen(apis []servedAPI) ([]net.Listener, error) {
	var listeners []net.Listener
	for i := range apis {
		port := s.port
		if port != 0 {
			port += i
		}
		listener, err := net.Listen("tcp", net.JoinHostPort(s.host, strconv.Itoa(port)))
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			return nil, fmt.Errorf("no port for the API %s: %w; give another with --port", apis[i].id.Name, err)
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

// serveAll serves until ctx ends, and then lets requests under way end for a
// few seconds.
func serveAll(ctx context.Context, apis []servedAPI, listeners []net.Listener, logs io.Writer) error {
	servers := make([]*http.Server, len(apis))
	ended := make(chan error, len(apis))
	for i, api := range apis {
		servers[i] = apigateway.Server(api.handler, logs)
		go func() { ended <- servers[i].Serve(listeners[i]) }()
	}
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for _, server := range servers {
		all.Go(func() {
			if server.Shutdown(grace) != nil {
				_ = server.Close()
			}
		})
	}
	all.Wait()
	return err
}

// apiReport is an API in what --json prints.
type apiReport struct {
	Name     string        `json:"name"`
	Path     string        `json:"path"`
	Protocol string        `json:"protocol"`
	Stage    string        `json:"stage"`
	URL      string        `json:"url"`
	Routes   []routeReport `json:"routes"`
}

type routeReport struct {
	Method        string `json:"method"`
	Path          string `json:"path"`
	Function      string `json:"function,omitempty"`
	Authorization string `json:"authorization,omitempty"`
	Note          string `json:"note,omitempty"`
}

func reportAPI(api *model.API, address net.Addr) apiReport {
	report := apiReport{
		Name: api.Name, Path: api.Path, Protocol: string(api.Protocol), Stage: api.StageName, URL: "http://" + address.String(),
		Routes: []routeReport{},
	}
	for _, route := range api.Routes {
		r := routeReport{Method: route.Method, Path: route.Path, Function: route.Function.Name}
		if route.AuthorizationType != "NONE" {
			r.Authorization = route.AuthorizationType
		}
		if route.Authorizer != nil {
			r.Authorization += " " + route.Authorizer.Name
		}
		report.Routes = append(report.Routes, r)
	}
	for _, static := range api.StaticRoutes {
		r := routeReport{Method: static.Method, Path: static.Path, Note: "answers by itself"}
		if static.Unserved != "" {
			r.Note = "not served: " + static.Unserved
		}
		report.Routes = append(report.Routes, r)
	}
	slices.SortStableFunc(report.Routes, func(a, b routeReport) int { return strings.Compare(a.Path, b.Path) })
	return report
}

// printTable says where the APIs are: what a program reads goes to standard
// output, what a person reads to standard error with the log.
func (s *apiServer) printTable(apis []servedAPI, listeners []net.Listener) error {
	reports := make([]apiReport, 0, len(apis))
	for i, api := range apis {
		reports = append(reports, api.report(listeners[i].Addr()))
	}
	if s.asJSON {
		e := json.NewEncoder(os.Stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(reports)
	}
	w := tabwriter.NewWriter(os.Stderr, 0, 0, 2, ' ', 0)
	for _, api := range reports {
		_, _ = fmt.Fprintf(w, "%s (%s) at %s\n", api.Name, protocolNames[model.Protocol(api.Protocol)], api.URL)
		for _, r := range api.Routes {
			target := "-> " + r.Function
			if r.Function == "" {
				target = r.Note
			}
			if r.Authorization != "" {
				target += "\t" + r.Authorization
			}
			_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\n", r.Method, r.Path, target)
		}
	}
	return w.Flush()
}

var protocolNames = map[model.Protocol]string{model.HTTP: "HTTP API", model.REST: "REST API", model.FunctionURL: "function URL", webSocketProtocol: "WebSocket API"}

// runSAM writes the template and runs the SAM CLI on it.
func (s *apiServer) runSAM(ctx context.Context, app *model.Application, chosen []*model.API) error {
	sam, err := exec.LookPath("sam")
	if err != nil {
		return cannotRun(errors.New("--engine sam needs the AWS SAM CLI, and there is no sam on the PATH; install it (pip install aws-sam-cli) or leave --engine out"))
	}
	if len(chosen) == 0 {
		return cannotRun(errors.New("the SAM CLI serves no WebSocket API; leave --engine out"))
	}
	if len(chosen) > 1 {
		return cannotRun(fmt.Errorf("the SAM CLI serves one API at a time, and there are %d: name one", len(chosen)))
	}
	result, err := writeTemplate(ctx, app, &output{dir: samtemplate.DefaultDir, format: string(samtemplate.CloudFormation)})
	if err != nil {
		return cannotRun(err)
	}
	printDiagnostics(result.Notes)
	template := result.Template
	for _, path := range result.APIs {
		if filepath.Base(path) == "api-"+chosen[0].Name+".yaml" {
			template = path
		}
	}
	args := []string{"local", "start-api", "--template", template, "--host", s.host, "--port", strconv.Itoa(s.port)}
	for _, flag := range [][2]string{{"--env-vars", s.envVars}, {"--log-file", s.logFile}, {"--profile", s.profile}, {"--region", s.region}, {"--static-dir", s.staticDir}} {
		if flag[1] != "" {
			args = append(args, flag[0], flag[1])
		}
	}
	if s.disableAuthorizers {
		args = append(args, "--disable-authorizer")
	}
	c := exec.CommandContext(ctx, sam, append(args, s.samArgs...)...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) } // it ends its containers
	c.WaitDelay = 30 * time.Second
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	err = c.Run()
	var exit *exec.ExitError
	switch {
	case err == nil || ctx.Err() != nil:
		return nil
	case errors.As(err, &exit):
		return exitStatus(max(exit.ExitCode(), 1))
	}
	return cannotRun(err)
}
