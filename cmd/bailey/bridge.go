package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/bridge/samtemplate"
	"github.com/bailey-cdk/bailey/internal/build"
)

// output is the flags that say what bridging writes and prints.
type output struct {
	dir     string
	format  string
	helpers bool
	explain bool
	json    bool
	timings timings
}

func (o *output) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVarP(&o.dir, "output-dir", "o", samtemplate.DefaultDir, "folder to write the template to")
	f.StringVar(&o.format, "format", string(samtemplate.CloudFormation), `"cloudformation", which the SAM CLI runs best, or "sam", with AWS::Serverless resources`)
	f.BoolVar(&o.helpers, "helpers", false, "keep the functions that the CDK's own constructs made")
	f.BoolVar(&o.explain, "explain", false, "say for each resource what became of it, and why")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	o.timings.flags(c)
}

func newBridge() *cobra.Command {
	var s selection
	var o output
	c := &cobra.Command{
		Use:   "bridge [PATH]",
		Short: "Write the SAM template of a cloud assembly",
		Long: `Read the cloud assembly in PATH, which cdk synth or bailey synth wrote, and write
the template that the SAM CLI runs: sam local invoke, start-api and start-lambda
find it without flags.

Go functions whose source is below this folder are built for this machine.

--from-stack reads the deployed stacks from AWS, so that names, URLs and ARNs are
those of the deployed resources.`,
		Example: `  bailey bridge
  bailey bridge path/to/cdk.out --stage Prod
  bailey bridge --from-stack
  bailey bridge --format sam -o handover
  bailey bridge --explain`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				s.assembly = args[0]
			}
			o.timings.begin()
			defer o.timings.print()
			collectLater()
			return failed(runBridge(c.Context(), &s, &o))
		},
	}
	s.flags(c)
	o.flags(c)
	return c
}

// collectLater puts the first collection off until the heap has 80 MB, which
// bridging 10,000 resources does not reach. After it, what collectLess set holds
// again.
func collectLater() {
	if os.Getenv("GOGC") == "" {
		usual := debug.SetGCPercent(2000)
		runtime.AddCleanup(new([64]byte), func(percent int) { debug.SetGCPercent(percent) }, usual)
	}
}

// runBridge reads, builds and writes.
func runBridge(ctx context.Context, s *selection, o *output) error {
	start := time.Now()
	app, err := s.load(ctx)
	if err != nil {
		return err
	}
	o.timings.done("reading the assembly", start)
	result, err := writeTemplate(ctx, app, o)
	if err != nil {
		return err
	}
	if o.json {
		return printBridgeJSON(app, result, o.explain)
	}
	printDiagnostics(app.Diagnostics)
	printDiagnostics(result.Notes)
	if o.explain {
		return printExplanation(bridge.Explain(app, result))
	}
	return printFunctions(app, result)
}

// printFunctions prints the functions and the files, in one piece: there may be
// thousands of lines.
func printFunctions(app *model.Application, result *samtemplate.Result) error {
	w := bufio.NewWriter(os.Stdout)
	for _, f := range app.Functions {
		if !f.Helper {
			_, _ = fmt.Fprintf(w, "%-30s %s\n", f.Name, f.Path)
		}
	}
	_, _ = fmt.Fprintln(w, "wrote", strings.Join(append([]string{result.Template}, result.APIs...), ", "))
	return w.Flush()
}

func writeTemplate(ctx context.Context, app *model.Application, o *output) (*samtemplate.Result, error) {
	format := samtemplate.Format(o.format)
	if format != samtemplate.CloudFormation && format != samtemplate.SAM {
		return nil, fmt.Errorf("--format %q is unknown; there are %q and %q", o.format, samtemplate.CloudFormation, samtemplate.SAM)
	}
	start := time.Now()
	if err := buildFunctions(ctx, app.Functions, "linux"); err != nil {
		return nil, err
	}
	o.timings.done("building functions", start)
	defer o.timings.done("writing the template", time.Now())
	return samtemplate.Write(app, samtemplate.Options{Dir: o.dir, Format: format, Helpers: o.helpers})
}

// buildFunctions builds Go functions, and says so where it takes a second.
func buildFunctions(ctx context.Context, functions []*model.Function, goos string) error { //nolint:unparam // on Linux runtime.GOOS is the same
	built, all := 0, 0
	for _, f := range functions {
		if f.Code.Go != nil {
			all++
		}
	}
	done := startProgress(fmt.Sprintf("building functions (0 of %d)", all))
	defer done()
	return bridge.Build(ctx, functions, bridge.BuildOptions{OS: goos, Progress: func(name string, r build.Result, err error) {
		built++
		done.say(fmt.Sprintf("building functions (%d of %d)", built, all))
		if err == nil && !r.Cached && r.Duration > time.Second {
			fmt.Fprintf(os.Stderr, "built %s in %.1f s\n", name, r.Duration.Seconds())
		}
	}})
}

func printDiagnostics(all []model.Diagnostic) {
	for _, d := range all {
		if d.Severity < model.Warning {
			continue
		}
		text := d.Message
		if d.Path != "" {
			text = d.Path + ": " + text
		}
		if d.Where != "" {
			text += " (" + d.Where + ")"
		}
		printWarning(text)
	}
}

// fates are the words of --explain.
var fates = map[bridge.Fate]string{
	bridge.ServedBySAM:    "served by the SAM CLI",
	bridge.ServedEmbedded: "served by the embedded engine only",
	bridge.Known:          "known, not run",
	bridge.PartOf:         "part of another resource",
	bridge.Left:           "ignored",
}

// printExplanation prints a table by fate: what is served first.
func printExplanation(all []bridge.Explanation) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, fate := range []bridge.Fate{bridge.ServedBySAM, bridge.ServedEmbedded, bridge.Known, bridge.PartOf, bridge.Left} {
		var lines []string
		for _, e := range all {
			if e.Fate == fate {
				lines = append(lines, strings.TrimRight(fmt.Sprintf("  %s\t%s\t%s", e.Path, e.Type, e.Reason), "\t"))
			}
		}
		if len(lines) > 0 {
			if _, err := fmt.Fprintf(w, "%s (%d)\n%s\n", fates[fate], len(lines), strings.Join(lines, "\n")); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}

// resourceReport is a resource in what --json prints.
type resourceReport struct {
	Path      string `json:"path"`
	LogicalID string `json:"logicalId"`
	Stack     string `json:"stack"`
	Type      string `json:"type"`
	Fate      string `json:"fate"`
	Reason    string `json:"reason,omitempty"`
}

// bridgeReport is what --json prints.
type bridgeReport struct {
	Resources   []resourceReport   `json:"resources,omitempty"`
	Template    string             `json:"template"`
	APIs        []string           `json:"apiTemplates,omitempty"`
	Functions   []functionReport   `json:"functions"`
	Diagnostics []diagnosticReport `json:"diagnostics"`
}

type functionReport struct {
	Name         string `json:"name"`
	Path         string `json:"path"`
	LogicalID    string `json:"logicalId"`
	FunctionName string `json:"functionName"`
	Runtime      string `json:"runtime,omitempty"`
	Architecture string `json:"architecture"`
	Code         string `json:"code,omitempty"`
}

type diagnosticReport struct {
	Severity string `json:"severity"`
	Path     string `json:"path,omitempty"`
	Where    string `json:"where,omitempty"`
	Message  string `json:"message"`
}

func printBridgeJSON(app *model.Application, result *samtemplate.Result, explain bool) error {
	report := bridgeReport{Template: result.Template, APIs: result.APIs, Functions: []functionReport{}, Diagnostics: []diagnosticReport{}}
	for _, f := range app.Functions {
		report.Functions = append(report.Functions, functionReport{f.Name, f.Path, f.LogicalID, f.FunctionName, f.Runtime, f.Architecture, filepath.ToSlash(f.Code.Path)})
	}
	for _, d := range append(app.Diagnostics, result.Notes...) {
		severity := "note"
		if d.Severity == model.Warning {
			severity = "warning"
		}
		report.Diagnostics = append(report.Diagnostics, diagnosticReport{severity, d.Path, d.Where, d.Message})
	}
	if explain {
		for _, x := range bridge.Explain(app, result) {
			report.Resources = append(report.Resources, resourceReport{x.Path, x.LogicalID, x.Stack, x.Type, string(x.Fate), x.Reason})
		}
	}
	e := json.NewEncoder(os.Stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(report)
}
