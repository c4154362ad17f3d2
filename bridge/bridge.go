package bridge

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/assembly"
	"github.com/bailey-cdk/bailey/bridge/cfn"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/internal/build"
)

// Transform changes an application after it was read and before anything is
// made of it.
type Transform func(*model.Application) error

// Options of [Load].
type Options struct {
	// Assembly is the folder of the cloud assembly.
	Assembly string
	// Stage is the CDK Stage to take. "" is the app itself, or the only stage
	// that there is.
	Stage string
	// Project is the folder of the CDK app, where the Go sources of its
	// functions are. "" is the working folder.
	Project string
	// ParameterOverrides are values of template parameters.
	ParameterOverrides map[string]string
	// Region and AccountID are those of stacks that name none. See
	// [model.Options].
	Region, AccountID string
	// Deployed reads stacks of the stage as they are deployed, by construct
	// path, for the values of their resources. nil leaves all values local. See
	// package bridge/deployed.
	Deployed func(*assembly.Stage) (map[string]*cfn.Deployed, error)
	// Transforms are called in order.
	Transforms []Transform
}

// Load reads the application that one stage of a cloud assembly defines. The
// error is an [assembly.NotFoundError] where there is no assembly, or a
// [StageError] where the stage must be chosen.
func Load(o Options) (*model.Application, error) {
	project, err := filepath.Abs(o.Project)
	if err != nil {
		return nil, err
	}
	a, err := assembly.Load(o.Assembly)
	if err != nil {
		return nil, err
	}
	stage, err := choose(a, o.Stage)
	if err != nil {
		return nil, err
	}
	options := model.Options{
		Region: o.Region, AccountID: o.AccountID, ParameterOverrides: o.ParameterOverrides, Project: project,
	}
	if o.Deployed != nil {
		if options.Deployed, err = o.Deployed(stage); err != nil {
			return nil, err
		}
	}
	app, err := model.Read(stage, options)
	if err != nil {
		return nil, err
	}
	for _, transform := range o.Transforms {
		if err := transform(app); err != nil {
			return nil, err
		}
	}
	return app, nil
}

// StageError says that a stage does not exist, or that one must be chosen.
type StageError struct {
	Wanted string
	Stages []string
}

func (e *StageError) Error() string {
	known := strings.Join(e.Stages, ", ")
	if e.Wanted == "" {
		return fmt.Sprintf("the assembly has several stages: %s; choose one with --stage", known)
	}
	return fmt.Sprintf("the assembly has no stage %q; there are: %s", e.Wanted, known)
}

func choose(a *assembly.Assembly, wanted string) (*assembly.Stage, error) {
	var names []string
	for _, stage := range a.Stages {
		// a pipeline's own stack has no functions, and is not what is meant
		// where there are stages
		meant := stage.Name == wanted && (wanted != "" || stage.HasFunctions())
		if meant || (wanted == "" && len(a.Stages) == 1) {
			return stage, nil
		}
		if stage.Name != "" {
			names = append(names, stage.Name)
		}
	}
	return nil, &StageError{wanted, names}
}

// BuildOptions of [Build].
type BuildOptions struct {
	// Dir is the folder that the builds go to, one folder a function. "" is
	// ".bailey/build" below the function's source folder.
	Dir string
	// OS is the GOOS to build for: "" is "linux", as containers need it.
	OS string
	// Debug is the name of a function that is built for a debugger, "" for
	// none. It goes to a folder of its own.
	Debug string
	// Progress is told of each build as it ends. It may be nil.
	Progress func(name string, result build.Result, err error)
}

// Build builds those of the functions that have Go source, in parallel and for
// the architecture of this machine, and sets their Code.Path and Architecture.
// A function whose inputs did not change costs milliseconds.
func Build(ctx context.Context, functions []*model.Function, o BuildOptions) error {
	var sources []*model.Function
	var targets []build.Target
	names := map[string]string{}
	for _, f := range functions {
		if f.Code.Go == nil {
			continue
		}
		t := target(f, o)
		names[t.Output] = f.Name
		sources, targets = append(sources, f), append(targets, t)
	}
	_, err := build.All(ctx, targets, func(r build.Result, err error) {
		if o.Progress != nil {
			o.Progress(names[r.Target.Output], r, err)
		}
	})
	if err != nil {
		return err
	}
	for i, f := range sources {
		f.Code.Path, f.Architecture = targets[i].Output, targets[i].Architecture
	}
	return nil
}

func target(f *model.Function, o BuildOptions) build.Target {
	t := build.Target{
		Dir: f.Code.Go.Dir, Package: f.Code.Go.Package, Tags: f.Code.Go.Tags,
		OS: o.OS, Architecture: build.HostArchitecture(),
	}
	if t.OS == "" {
		t.OS = "linux"
	}
	dir := o.Dir
	if dir == "" {
		dir = filepath.Join(t.Dir, ".bailey", "build")
	}
	t.Output = filepath.Join(dir, f.Name, t.OS+"-"+t.Architecture)
	if f.Name == o.Debug && o.Debug != "" {
		t.Debug = true
		t.Output += "-debug"
	}
	return t
}
