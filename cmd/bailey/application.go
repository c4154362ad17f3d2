package main

import (
	"cmp"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge"
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
}

func (s *selection) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.assembly, "assembly", os.Getenv("BAILEY_ASSEMBLY"), "folder of the cloud assembly (default "+metadata.LocalAssembly+" where bailey synth wrote it, else cdk.out)")
	f.StringVar(&s.stage, "stage", "", "CDK stage, where the assembly has several")
	f.StringVar(&s.region, "region", cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")), "AWS region of stacks that name none")
	f.StringArrayVar(&s.parameters, "parameter-overrides", nil, "values of template parameters: Key=Value, or ParameterKey=Key,ParameterValue=Value")
	f.StringVarP(&s.envVars, "env-vars", "n", "", "JSON file with environment variables by function")
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
func (s *selection) load() (*model.Application, error) {
	settings, err := overrides.Load(s.parameters, s.envVars, overrides.File)
	if err != nil {
		return nil, err
	}
	app, err := bridge.Load(bridge.Options{
		Assembly: s.folder(), Stage: s.stage, Region: s.region, ParameterOverrides: settings.Parameters,
	})
	if err != nil {
		return nil, err
	}
	for _, remark := range settings.Apply(app) {
		printWarning(remark)
	}
	return app, nil
}
