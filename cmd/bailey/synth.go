package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge/synth"
	"github.com/bailey-cdk/bailey/internal/metadata"
)

func newSynth() *cobra.Command {
	var s selection
	var o output
	var app string
	var context []string
	var cold, force bool
	c := &cobra.Command{
		Use:   "synth",
		Short: "Run the CDK app for local use and write its SAM template",
		Long: `Run the CDK app that cdk.json names, leave its cloud assembly in ` + metadata.LocalAssembly + `, build
its Go functions for this machine and write the template that the SAM CLI runs.

The assembly is for local use alone. Its Go functions are not built for Lambda,
and cdk deploy never reads it: for production, use the cdk command as ever.`,
		Example: `  bailey synth
  bailey synth --app "go run ./infra" -c env=dev`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			values, err := contextValues(context)
			if err != nil {
				return err
			}
			o.timings.begin()
			defer o.timings.print()
			done := startProgress("synthesising")
			options := synth.Options{
				App: app, Output: s.assembly, Context: values, Local: true, Stderr: os.Stderr, Region: s.region, Force: force,
				Progress: done.say,
			}
			if self, err := os.Executable(); err == nil && !cold {
				options.Bailey = self
			}
			result, err := synth.Run(c.Context(), options)
			done()
			o.timings.parts = result.Phases
			if err != nil {
				return failed(err)
			}
			for _, warning := range result.Warnings {
				printWarning(warning)
			}
			switch {
			case o.json:
			case result.Unchanged:
				fmt.Printf("unchanged: %s (found in %d ms)\n", result.Assembly, result.Duration.Milliseconds())
			default:
				fmt.Printf("synthesised %s in %.1f s\n", result.Assembly, result.Duration.Seconds())
			}
			s.assembly = result.Assembly
			return failed(runBridge(c.Context(), &s, &o))
		},
	}
	s.flags(c)
	o.flags(c)
	c.Flags().StringVarP(&app, "app", "a", "", "command that runs the CDK app (default: app of cdk.json)")
	c.Flags().BoolVar(&force, "force", false, "run the CDK app even where nothing has changed")
	c.Flags().BoolVar(&cold, "cold", false, "use no CDK kernel that waits in the background, and keep none")
	c.Flags().StringArrayVarP(&context, "context", "c", nil, "CDK context: key=value")
	return c
}

func contextValues(pairs []string) (map[string]string, error) {
	values := map[string]string{}
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--context %q is not key=value", pair)
		}
		values[key] = value
	}
	return values, nil
}
