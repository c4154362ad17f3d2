package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge/cfn"
	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/bridge/samtemplate"
)

func newLocal() *cobra.Command {
	c := &cobra.Command{Use: "local", Short: "Run the application's functions on this machine"}
	c.AddCommand(newStartEvents(), newReset(), newPublish(), newSend(), newPutEvent(), newReplay(), newRedrive(), newTail())
	c.AddCommand(newInvoke(), newStartLambda(), newStartAPI())
	return c
}

// The engines of --engine.
const (
	engineProcess = "process"
	engineSAM     = "sam"
)

// invocation is what bailey local invoke was asked for.
type invocation struct {
	runner
	name    string
	event   string
	noEvent bool
	engine  string
	samArgs []string
}

func newInvoke() *cobra.Command {
	var i invocation
	c := &cobra.Command{
		Use:   "invoke [NAME] [-- SAM-FLAGS]",
		Short: "Run a function once",
		Long: `Run a function once and print its response. NAME is the function's construct id
("Checkout"), its construct path, its logical id or its FunctionName; it may be
left out where the application has one function.

The response goes to standard output, the function's log to standard error.

--engine process, the default, runs the function as a process of this machine
against Bailey's own Lambda Runtime API. --engine sam writes the template, runs
the installed SAM CLI on it and hands on what follows "--".

--from-stack reads the deployed stacks from AWS, so that the function works on
the deployed resources, with your own credentials.

Exit status: 0 for a response; 1 where the function failed; 2 where it could not
be run. The SAM CLI's own status is 0 also where the function failed.`,
		Example: `  bailey local invoke Checkout -e events/order.json
  echo '{"id": 1}' | bailey local invoke Checkout -e -
  bailey local invoke Checkout --from-stack -e events/order.json
  bailey local invoke Checkout --engine sam -- --skip-pull-image`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := i.arguments(c, args); err != nil {
				return err
			}
			return i.run(c.Context())
		},
	}
	i.flags(c)
	f := c.Flags()
	f.StringVarP(&i.event, "event", "e", "", `JSON file with the event, "-" for standard input (default: {})`)
	f.BoolVar(&i.noEvent, "no-event", false, "invoke with an empty event, as without --event")
	f.StringVar(&i.engine, "engine", engineProcess, `"process" or "sam"`)
	return c
}

// arguments sorts the words of the command line: a name, further parameter
// overrides as the SAM CLI takes them (without quotes, one after another), and
// what is for the SAM CLI itself.
func (i *invocation) arguments(c *cobra.Command, args []string) error {
	if dash := c.ArgsLenAtDash(); dash >= 0 {
		args, i.samArgs = args[:dash], args[dash:]
	}
	for _, word := range args {
		switch {
		case strings.Contains(word, "=") && len(i.parameters) > 0:
			i.parameters = append(i.parameters, word)
		case i.name == "":
			i.name = word
		case i.fromStack.given && len(i.fromStack.names) == 0:
			return fmt.Errorf("%q is too much: one function can be invoked at a time; the name of a deployed stack is given as --from-stack=%s", word, word)
		default:
			return fmt.Errorf("%q is too much: one function can be invoked at a time", word)
		}
	}
	switch {
	case i.engine != engineProcess && i.engine != engineSAM:
		return fmt.Errorf("--engine %q is unknown; there are %q and %q", i.engine, engineProcess, engineSAM)
	case len(i.samArgs) > 0 && i.engine != engineSAM:
		return errors.New(`what follows "--" is for the SAM CLI; give --engine sam`)
	case i.event != "" && i.noEvent:
		return errors.New("--event and --no-event exclude each other")
	}
	return nil
}

func (i *invocation) run(ctx context.Context) error {
	event, err := i.readEvent()
	if err != nil {
		return cannotRun(err)
	}
	app, err := i.load(ctx)
	if err != nil {
		return cannotRun(err)
	}
	f, err := i.function(app)
	if err != nil {
		return cannotRun(err)
	}
	if i.engine == engineSAM {
		return i.runSAM(ctx, app, f, event)
	}
	printDiagnostics(about(app.Diagnostics, f.Path))
	return i.runProcess(ctx, f, event)
}

// about are the diagnostics of one construct: the others do not matter to who
// invokes a single function.
func about(all []model.Diagnostic, path string) []model.Diagnostic {
	var kept []model.Diagnostic
	for _, d := range all {
		if d.Path == path {
			kept = append(kept, d)
		}
	}
	return kept
}

func (i *invocation) function(app *model.Application) (*model.Function, error) {
	if i.name != "" {
		return app.Function(i.name)
	}
	var own []*model.Function
	for _, f := range app.Functions {
		if !f.Helper {
			own = append(own, f)
		}
	}
	if len(own) == 1 {
		return own[0], nil
	}
	_, err := app.Function("")
	return nil, fmt.Errorf("name the function to invoke: %w", err)
}

// readEvent reads the event, which must be JSON: Lambda refuses others.
func (i *invocation) readEvent() ([]byte, error) {
	if i.event == "" {
		return []byte("{}"), nil
	}
	name := i.event
	var data []byte
	var err error
	if i.event == "-" {
		name = "standard input"
		data, err = io.ReadAll(os.Stdin)
	} else {
		data, err = os.ReadFile(i.event)
	}
	if err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	var any json.RawMessage
	if err := cfn.DecodeJSON(name, data, &any); err != nil {
		return nil, fmt.Errorf("event %w", err)
	}
	return bytes.TrimSpace(data), nil
}

func (i *invocation) runProcess(ctx context.Context, f *model.Function, event []byte) error {
	if err := buildFunctions(ctx, []*model.Function{f}, runtime.GOOS); err != nil {
		return cannotRun(err)
	}
	engine, end, err := i.start()
	if err != nil {
		return cannotRun(err)
	}
	defer end()
	result, err := engine.Invoke(ctx, f, local.Invocation{Payload: event})
	if err != nil {
		return cannotRun(err)
	}
	if _, err := fmt.Println(string(result.Payload)); err != nil {
		return cannotRun(err)
	}
	if result.FunctionError != "" {
		return exitStatus(1)
	}
	return nil
}

// runSAM writes the template and runs the SAM CLI on it.
func (i *invocation) runSAM(ctx context.Context, app *model.Application, f *model.Function, event []byte) error {
	sam, err := exec.LookPath("sam")
	if err != nil {
		return cannotRun(errors.New("--engine sam needs the AWS SAM CLI, and there is no sam on the PATH; install it (pip install aws-sam-cli) or leave --engine out"))
	}
	result, err := writeTemplate(ctx, app, &output{dir: samtemplate.DefaultDir, format: string(samtemplate.CloudFormation)})
	if err != nil {
		return cannotRun(err)
	}
	args := []string{"local", "invoke", samtemplate.ResourceID(f.Path), "--template", result.Template, "--event", "-"}
	for flag, value := range map[string]string{"--env-vars": i.envVars, "--log-file": i.logFile, "--profile": i.profile, "--region": i.region} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	c := exec.CommandContext(ctx, sam, append(args, i.samArgs...)...)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(event), os.Stdout, os.Stderr
	if err := c.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exitStatus(max(exit.ExitCode(), 1))
		}
		return cannotRun(err)
	}
	return nil
}
