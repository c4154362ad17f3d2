package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/fatih/color"
	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge/dev"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/bridge/synth"
)

// devSession is what bailey dev was asked for.
type devSession struct {
	runner
	options       dev.Options
	app           string
	context       []string
	debugPort     int
	debugFunction string
	cold          bool
	noEvents      bool
	asJSON        bool
	timings       bool
}

func newDev() *cobra.Command {
	var d devSession
	c := &cobra.Command{
		Use:   "dev",
		Short: "Serve the application and take over each change as it is saved",
		Long: `Synthesise the CDK app, serve its APIs, its functions and its queues, topics and
other carriers of events on this machine, and watch the source. A changed handler
is rebuilt and takes over from the next request on; a changed infrastructure is
synthesised and replaces the old one while it serves. What does not compile is
said, and what was good serves on. There is no container. It ends with Ctrl-C.

Each API has a port of its own: the first has --port, the others the next ones.
--debug-port runs one Go function under Delve, for a debugger to connect to.

--json prints a JSON object a line: ready, log, request, build, reload, error,
mended and note.`,
		Example: `  bailey dev
  bailey dev --port 8080 --env-vars env.json
  bailey dev --debug-port 2345 --debug-function Checkout`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return d.run(c.Context(), c.Flags().Changed("debug-port")) },
	}
	d.selection.flags(c)
	f := c.Flags()
	o := &d.options
	f.StringVarP(&d.logFile, "log-file", "l", "", "file to add the log to, in place of standard error")
	f.StringVar(&d.profile, "profile", "", "AWS profile whose credentials --from-stack gets, and the functions with --no-events")
	f.StringVarP(&d.app, "app", "a", "", "command that runs the CDK app (default: app of cdk.json)")
	f.StringArrayVarP(&d.context, "context", "c", nil, "CDK context: key=value")
	f.BoolVar(&d.cold, "cold", false, "use no CDK kernel that waits in the background, and keep none")
	f.StringVar(&o.Host, "host", "127.0.0.1", "address to listen on; keep it a loopback address")
	f.IntVarP(&o.Port, "port", "p", 3000, "port of the first API, 0 for free ones")
	f.IntVar(&o.LambdaPort, "lambda-port", 3001, "port of Lambda's Invoke API, 0 for a free one")
	f.IntVar(&o.EventsPort, "events-port", 4566, "port of the event plane, 0 for a free one")
	f.BoolVar(&d.noEvents, "no-events", false, "serve no event plane: functions reach AWS itself")
	f.StringVarP(&o.StaticDir, "static-dir", "s", "", "folder whose files are served where no route matches")
	f.StringArrayVar(&o.Origins, "allow-origin", nil, "web origin whose pages may call an API without CORS configuration, * for all")
	f.StringVar(&o.KeySet, "jwt-keys", "", "JSON Web Key Set to verify tokens with, in place of their issuers' keys")
	f.BoolVar(&o.DisableAuthorizers, "disable-authorizer", false, "leave every route open")
	f.IntVarP(&d.debugPort, "debug-port", "d", 0, "port on which Delve waits for a debugger")
	f.StringVar(&d.debugFunction, "debug-function", "", "function to debug (default: the first Go function)")
	f.BoolVar(&d.asJSON, "json", false, "print a JSON object a line")
	f.BoolVar(&d.timings, "timings", false, "say where the time went, for each change")
	return c
}

func (d *devSession) run(ctx context.Context, debug bool) error {
	out, closeOutput, err := d.output()
	if err != nil {
		return cannotRun(err)
	}
	defer closeOutput()
	values, err := contextValues(d.context)
	if err != nil {
		return err
	}
	o := d.options
	o.Synth = synth.Options{App: d.app, Output: d.assembly, Context: values, Local: true, Region: d.region}
	if self, err := os.Executable(); err == nil && !d.cold {
		o.Synth.Bailey = self
	}
	first := true
	o.Load = func(ctx context.Context, assembly string) (*model.Application, error) {
		d.assembly = assembly
		app, err := d.load(ctx)
		if err == nil && first {
			first = false
			printDiagnostics(app.Diagnostics)
		}
		return app, err
	}
	if d.noEvents {
		o.EventsPort = dev.Off
	}
	if debug {
		if d.debugPort < 1 || d.debugPort > 65535 {
			return fmt.Errorf("--debug-port %d is no port; there are 1 to 65535", d.debugPort)
		}
		o.Debug = &dev.Debug{Port: d.debugPort, Function: d.debugFunction}
	}
	o.Environ = d.environ()
	done := startProgress("starting")
	defer done()
	o.Synth.Progress = done.say
	p := d.printer(out)
	o.Report = func(e dev.Event) {
		done()
		p(e)
	}
	err = dev.Run(ctx, o)
	if ctx.Err() != nil {
		return nil // Ctrl-C
	}
	return failedOrNil(err)
}

func failedOrNil(err error) error {
	if err == nil {
		return nil
	}
	return cannotRun(err)
}

// output is what a person reads, or a program.
func (d *devSession) output() (out *os.File, end func(), err error) {
	if d.logFile != "" {
		f, err := os.OpenFile(d.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		return f, func() { f.Close() }, err
	}
	if d.asJSON {
		return os.Stdout, func() {}, nil
	}
	return os.Stderr, func() {}, nil
}

func (d *devSession) printer(out *os.File) func(dev.Event) {
	if d.asJSON {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		return func(event dev.Event) { _ = e.Encode(event) } // whoever reads has gone
	}
	p := &devPrinter{out: out, timings: d.timings}
	if isatty.IsTerminal(out.Fd()) && os.Getenv("NO_COLOR") == "" {
		p.colours = true
	}
	return p.print
}

// devPrinter prints events for a person.
type devPrinter struct {
	out     io.Writer
	colours bool
	timings bool
	width   int // of the longest name of a function
	apis    int
}

func (p *devPrinter) paint(text string, attributes ...color.Attribute) string {
	if !p.colours {
		return text
	}
	c := color.New(attributes...)
	c.EnableColor()
	return c.Sprint(text)
}

// hues are those that read well on light and dark.
var hues = [8]color.Attribute{color.FgCyan, color.FgMagenta, color.FgGreen, color.FgYellow, color.FgBlue, color.FgHiCyan, color.FgHiMagenta, color.FgHiGreen}

// hue is the function's own, the same in each session.
func hue(name string) color.Attribute {
	h := fnv.New32a()
	h.Write([]byte(name))
	return hues[h.Sum32()%8]
}

func (p *devPrinter) print(e dev.Event) {
	switch e.Kind {
	case dev.Ready:
		p.ready(e.Served)
		p.phases(e.Phases)
	case dev.Log:
		id := e.RequestID
		if len(id) > 8 {
			id = id[:8]
		}
		label := fmt.Sprintf("%-*s %-8s |", p.width, e.Function, id)
		p.line(p.paint(label, hue(e.Function)) + " " + e.Message)
	case dev.Request:
		what := fmt.Sprintf("%s %s %d (%.0f ms)", e.Method, e.Path, e.Status, e.Milliseconds)
		if p.apis > 1 {
			what = e.API + ": " + what
		}
		p.line(p.paint(what, p.status(e.Status)))
	case dev.Build:
		if p.timings {
			p.line(fmt.Sprintf("built %s in %.0f ms", e.Function, e.Milliseconds))
		}
	case dev.Reload:
		p.line(p.paint(reloaded(e), color.FgGreen))
		p.phases(e.Phases)
	case dev.Failed:
		p.line(p.paint("error:", color.FgRed) + " " + e.Message)
	case dev.Mended:
		p.line(p.paint(e.Message, color.FgGreen))
	default:
		p.line(e.Message)
	}
}

func (p *devPrinter) line(text string) {
	_, _ = fmt.Fprintln(p.out, text) // whoever reads may have gone
}

func (p *devPrinter) status(status int) color.Attribute {
	switch {
	case status >= 500:
		return color.FgRed
	case status >= 400:
		return color.FgYellow
	}
	return color.FgGreen
}

func reloaded(e dev.Event) string {
	what := strings.Join(e.Functions, ", ")
	switch {
	case e.Infrastructure && what == "":
		what = "the infrastructure"
	case e.Infrastructure:
		what = "the infrastructure and " + what
	}
	return fmt.Sprintf("reloaded %s in %.0f ms", what, e.Milliseconds)
}

func (p *devPrinter) phases(phases []dev.Phase) {
	if !p.timings {
		return
	}
	for _, phase := range phases {
		p.line(fmt.Sprintf("  %6.0f ms  %s", phase.Milliseconds, phase.Name))
	}
}

// ready prints the table of what is served where.
func (p *devPrinter) ready(s *dev.Served) {
	p.apis = len(s.APIs)
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	row := func(what, at, more string) {
		_, _ = fmt.Fprintln(w, strings.TrimRight(what+"\t"+at+"\t"+more, "\t"))
	}
	for _, api := range s.APIs {
		row(api.Protocol, api.URL, api.Path)
	}
	if s.Lambda != "" {
		row("Lambda", s.Lambda, "aws lambda invoke --endpoint-url "+s.Lambda+" ...")
	}
	if s.Events != "" {
		row("events", s.Events, "AWS_ENDPOINT_URL="+s.Events)
	}
	for _, list := range []struct {
		what  string
		names []string
	}{
		{"functions", s.Functions},
		{"queues", s.Queues},
		{"topics", s.Topics},
		{"event buses", s.Buses},
		{"delivery streams", s.Streams},
		{"buckets", s.Buckets},
	} {
		if len(list.names) > 0 {
			row(list.what, strings.Join(list.names, ", "), "")
		}
	}
	_ = w.Flush() // as far as it can be printed
	for _, name := range s.Functions {
		p.width = max(p.width, len(name))
	}
	p.line("watching for changes; Ctrl-C ends")
}
