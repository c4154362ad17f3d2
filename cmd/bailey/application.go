package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge"
	"github.com/bailey-cdk/bailey/bridge/assembly"
	"github.com/bailey-cdk/bailey/bridge/cfn"
	"github.com/bailey-cdk/bailey/bridge/deployed"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/bridge/overrides"
	"github.com/bailey-cdk/bailey/internal/metadata"
)

// selection is the flags that say which application is meant, and with which
// values. They are the same for every command that reads one.
type selection struct {
	assembly   string
	stage      string
	region     string
	parameters []string
	envVars    string
	fromStack  fromStack
	profile    string // of invoke alone
}

// fromStack is --from-stack: whether it was given, and with which names.
type fromStack struct {
	given bool
	names []string
}

// Set takes one use of the flag: everyStack is what stands for no name.
func (f *fromStack) Set(name string) error {
	f.given = true
	if name != everyStack {
		f.names = append(f.names, name)
	}
	return nil
}

func (f *fromStack) String() string { return strings.Join(f.names, ",") }
func (f *fromStack) Type() string   { return "name" }

const everyStack = "*"

func (s *selection) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.assembly, "assembly", os.Getenv("BAILEY_ASSEMBLY"), "folder of the cloud assembly (default "+metadata.LocalAssembly+" where bailey synth wrote it, else cdk.out)")
	f.StringVar(&s.stage, "stage", "", "CDK stage, where the assembly has several")
	f.StringVar(&s.region, "region", cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")), "AWS region of stacks that name none")
	f.StringArrayVar(&s.parameters, "parameter-overrides", nil, "values of template parameters: Key=Value, or ParameterKey=Key,ParameterValue=Value")
	f.StringVarP(&s.envVars, "env-vars", "n", "", "JSON file with environment variables by function")
	f.Var(&s.fromStack, "from-stack", "use the deployed stack's resources, outputs and parameters, read from AWS: =NAME, =STACK=NAME, or each stack under its own name")
	f.Lookup("from-stack").NoOptDefVal = everyStack
}

// folder is the assembly to read.
func (s *selection) folder() string {
	if s.assembly != "" {
		return s.assembly
	}
	if _, err := os.Stat(filepath.Join(metadata.LocalAssembly, "manifest.json")); err == nil {
		return metadata.LocalAssembly
	}
	return "cdk.out"
}

// load reads the application and applies the overrides.
func (s *selection) load(ctx context.Context) (*model.Application, error) {
	settings, err := overrides.Load(s.parameters, s.envVars, overrides.File)
	if err != nil {
		return nil, err
	}
	options := bridge.Options{Assembly: s.folder(), Stage: s.stage, Region: s.region, ParameterOverrides: settings.Parameters}
	if s.fromStack.given {
		options.Deployed = func(stage *assembly.Stage) (map[string]*cfn.Deployed, error) { return s.deployed(ctx, stage) }
	}
	app, err := bridge.Load(options)
	if err != nil {
		return nil, err
	}
	for _, remark := range settings.Apply(app) {
		printWarning(remark)
	}
	return app, nil
}

// deployed reads the stage's stacks from AWS.
func (s *selection) deployed(ctx context.Context, stage *assembly.Stage) (map[string]*cfn.Deployed, error) {
	done := startProgress("reading the deployed stacks")
	found, err := deployed.Read(ctx, stage, deployed.Options{Names: s.fromStack.names, Region: s.region, Profile: s.profile})
	done()
	if err != nil {
		return nil, err
	}
	for _, remark := range found.Remarks {
		printWarning(remark)
	}
	return found.ByPath, nil
}
