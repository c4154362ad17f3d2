package deployed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/bailey-cdk/bailey/bridge/assembly"
	"github.com/bailey-cdk/bailey/bridge/cfn"
)

// Options of [Read].
type Options struct {
	// Names say which deployed stack is which of the application's:
	// "APPLICATION-STACK=DEPLOYED-STACK", or the deployed stack's name alone
	// where it is the application's as well, or where the application has only
	// one. None at all takes each stack under its own name.
	Names []string
	// Region is of the stacks that name none, "" for the SDK's own choice.
	Region string
	// Profile is of the shared AWS configuration, "" for the SDK's own choice.
	Profile string
}

// Stacks are the deployed stacks of an application.
type Stacks struct {
	// ByPath are the stacks, nested ones too, by construct path.
	ByPath map[string]*cfn.Deployed
	// Remarks say what was not found, and so stays local.
	Remarks []string
}

// timeout bounds the whole of the reading.
const timeout = time.Minute

// Read reads the stacks of a stage. A stack that a name asks for must be
// there; without names, one must be.
func Read(ctx context.Context, stage *assembly.Stage, o Options) (*Stacks, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	wanted, err := choose(stage, o.Names)
	if err != nil {
		return nil, err
	}
	r := &reader{o: o, regions: map[string]*region{}, found: &Stacks{ByPath: map[string]*cfn.Deployed{}}}
	var missing *MissingError
	for _, w := range wanted {
		err := r.stack(ctx, w)
		if errors.As(err, &missing) && len(o.Names) == 0 {
			r.remark("stack %s is not deployed in %s; its values stay local", w.stack.Path, missing.Region)
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	if len(r.found.ByPath) == 0 && missing != nil {
		return nil, missing
	}
	return r.found, nil
}

// wanted is a stack of the application with the name of the deployed one.
type wanted struct {
	stack *assembly.Stack
	name  string
}

func choose(stage *assembly.Stage, names []string) ([]wanted, error) {
	var all []wanted
	if len(names) == 0 {
		for _, s := range stage.Stacks {
			all = append(all, wanted{s, s.Name})
		}
		return all, nil
	}
	for _, name := range names {
		own, deployed, pair := strings.Cut(name, "=")
		i := slices.IndexFunc(stage.Stacks, func(s *assembly.Stack) bool { return s.Name == own || s.Path == own })
		switch {
		case i >= 0 && !pair:
			deployed = stage.Stacks[i].Name
		case i < 0 && !pair && len(stage.Stacks) == 1:
			i, deployed = 0, own
		case i < 0:
			return nil, fmt.Errorf("--from-stack %s: the application has no stack %q; it has: %s; write --from-stack=STACK=DEPLOYED for one that is deployed under another name",
				name, own, strings.Join(stackNames(stage), ", "))
		case deployed == "":
			return nil, fmt.Errorf("--from-stack %s: it names no deployed stack", name)
		}
		all = append(all, wanted{stage.Stacks[i], deployed})
	}
	return all, nil
}

func stackNames(stage *assembly.Stage) []string {
	var names []string
	for _, s := range stage.Stacks {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return names
}

// reader reads the stacks of one stage.
type reader struct {
	o       Options
	regions map[string]*region
	found   *Stacks
}

func (r *reader) remark(format string, arguments ...any) {
	r.found.Remarks = append(r.found.Remarks, fmt.Sprintf(format, arguments...))
}

// region is CloudFormation in one region.
type region struct {
	name    string
	client  *cloudformation.Client
	exports map[string]string
}

func (r *reader) region(ctx context.Context, s *assembly.Stack) (*region, error) {
	name := cmp.Or(s.Region, r.o.Region)
	if known, ok := r.regions[name]; ok {
		return known, nil
	}
	settings, err := config.LoadDefaultConfig(ctx, func(l *config.LoadOptions) error {
		l.Region, l.SharedConfigProfile = name, r.o.Profile
		return nil
	})
	if err != nil {
		return nil, explain(err, name)
	}
	if settings.Region == "" {
		return nil, fmt.Errorf("--from-stack: stack %s names no region; give --region, AWS_REGION or a profile that has one", s.Path)
	}
	if _, err := settings.Credentials.Retrieve(ctx); err != nil {
		return nil, &CredentialsError{err}
	}
	made := &region{name: settings.Region, client: cloudformation.NewFromConfig(settings)}
	r.regions[name] = made
	return made, nil
}

// stack reads one stack with those nested in it.
func (r *reader) stack(ctx context.Context, w wanted) error {
	in, err := r.region(ctx, w.stack)
	if err != nil {
		return err
	}
	d, err := in.read(ctx, w.name)
	if err != nil {
		return err
	}
	if importsValues(w.stack) && in.exports == nil {
		if in.exports, err = in.listExports(ctx); err != nil {
			r.remark("%v; values that other applications export stay unresolved", err)
			in.exports = map[string]string{}
		}
	}
	return r.add(ctx, in, w.stack, d)
}

func (r *reader) add(ctx context.Context, in *region, s *assembly.Stack, d *cfn.Deployed) error {
	d.Exports = in.exports
	r.found.ByPath[s.Path] = d
	for _, id := range slices.Sorted(maps.Keys(s.Nested)) {
		arn, ok := d.PhysicalIDs[id]
		if !ok {
			r.remark("nested stack %s is not deployed; its values stay local", s.Nested[id].Path)
			continue
		}
		child, err := in.read(ctx, arn)
		if err != nil {
			return err
		}
		if err := r.add(ctx, in, s.Nested[id], child); err != nil {
			return err
		}
	}
	return nil
}

// read reads one deployed stack by its name or ARN.
func (in *region) read(ctx context.Context, name string) (*cfn.Deployed, error) {
	got, err := in.client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if doesNotExist(err) || err == nil && !isDeployed(got.Stacks) {
		return nil, &MissingError{Stack: name, Region: in.name, Existing: in.existing(ctx)}
	}
	if err != nil {
		return nil, explain(err, in.name)
	}
	stack := got.Stacks[0]
	d := &cfn.Deployed{
		StackID: aws.ToString(stack.StackId), PhysicalIDs: map[string]string{},
		Outputs: map[string]string{}, Parameters: map[string]string{},
	}
	for _, o := range stack.Outputs {
		if value := aws.ToString(o.OutputValue); value != hidden {
			d.Outputs[aws.ToString(o.OutputKey)] = value
		}
	}
	for _, p := range stack.Parameters {
		if value := cmp.Or(aws.ToString(p.ResolvedValue), aws.ToString(p.ParameterValue)); value != hidden {
			d.Parameters[aws.ToString(p.ParameterKey)] = value
		}
	}
	return d, in.readResources(ctx, name, d)
}

// hidden is what AWS gives for a value that it hides.
const hidden = "****"

func isDeployed(stacks []types.Stack) bool {
	return len(stacks) > 0 && stacks[0].StackStatus != types.StackStatusReviewInProgress && stacks[0].StackStatus != types.StackStatusDeleteComplete
}

func (in *region) readResources(ctx context.Context, name string, d *cfn.Deployed) error {
	pages := cloudformation.NewListStackResourcesPaginator(in.client, &cloudformation.ListStackResourcesInput{StackName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return explain(err, in.name)
		}
		for _, r := range page.StackResourceSummaries {
			if id := aws.ToString(r.PhysicalResourceId); id != "" && exists(r.ResourceStatus) {
				d.PhysicalIDs[aws.ToString(r.LogicalResourceId)] = id
			}
		}
	}
	return nil
}

func exists(status types.ResourceStatus) bool {
	switch status {
	case types.ResourceStatusCreateFailed, types.ResourceStatusDeleteComplete, types.ResourceStatusDeleteSkipped:
		return false
	}
	return true
}

func (in *region) listExports(ctx context.Context) (map[string]string, error) {
	exports := map[string]string{}
	pages := cloudformation.NewListExportsPaginator(in.client, &cloudformation.ListExportsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain(err, in.name)
		}
		for _, e := range page.Exports {
			exports[aws.ToString(e.Name)] = aws.ToString(e.Value)
		}
	}
	return exports, nil
}

// existing are the stacks that there are, for a message: none where they can't
// be listed.
func (in *region) existing(ctx context.Context) []string {
	var names []string
	pages := cloudformation.NewDescribeStacksPaginator(in.client, &cloudformation.DescribeStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return names
		}
		for _, s := range page.Stacks {
			if s.ParentId == nil && isDeployed([]types.Stack{s}) {
				names = append(names, aws.ToString(s.StackName))
			}
		}
	}
	slices.Sort(names)
	return names
}

// importsValues says whether a stack, or one nested in it, imports a value.
func importsValues(s *assembly.Stack) bool {
	for _, r := range s.Template.Resources {
		if hasImport(r.Properties) {
			return true
		}
	}
	for _, o := range s.Template.Outputs {
		if hasImport(o.Value) {
			return true
		}
	}
	for _, child := range s.Nested {
		if importsValues(child) {
			return true
		}
	}
	return false
}

func hasImport(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if key == "Fn::ImportValue" || hasImport(value) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasImport)
	}
	return false
}
