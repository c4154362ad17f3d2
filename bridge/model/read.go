package model

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/assembly"
	"github.com/bailey-cdk/bailey/bridge/cfn"
)

// Options of [Read].
type Options struct {
	// Region and AccountID stand in where a stack leaves its own open. The
	// defaults are us-east-1 and 123456789012, as the SAM CLI has them.
	Region    string
	AccountID string
	// ParameterOverrides win over the defaults of template parameters.
	ParameterOverrides map[string]string
	// Deployed are stacks as they are deployed, by the construct path of the
	// stack. Their values are those of the deployed resources.
	Deployed map[string]*cfn.Deployed
	// Project is the folder below which the Go sources named by metadata are
	// taken from. "" uses the code assets alone.
	Project string
}

// Read makes the application that a stage's stacks define together. Its error
// holds every fault that makes a function impossible to name or find;
// everything less is a diagnostic of the application.
func Read(stage *assembly.Stage, o Options) (*Application, error) {
	r := newReader(stage, o)
	for _, s := range stage.Stacks {
		r.addStack(s, nil, "")
	}
	r.nameFunctions()
	for _, phase := range phases() {
		for _, res := range r.resources {
			if read, ok := phase[res.r.Type]; ok && r.active(res) {
				read(r, res)
			}
		}
	}
	for _, missing := range stage.Missing {
		r.report(Diagnostic{Warning, stage.Name, "manifest.json: missing", "the synthesis could not look up " + missing + ", and went on with a placeholder; run cdk synth once with AWS credentials, which stores the answer in cdk.context.json"})
	}
	r.fates()
	r.finish()
	return r.app, errors.Join(r.faults...)
}

// phases are the readers by resource type, in the order in which they refer to
// each other.
func phases() []map[string]func(*reader, *resource) {
	return []map[string]func(*reader, *resource){
		{"AWS::Lambda::LayerVersion": (*reader).layer},
		{"AWS::Lambda::Function": (*reader).function},
		{
			"AWS::ApiGatewayV2::Api":               (*reader).apiV2,
			"AWS::ApiGateway::RestApi":             (*reader).restAPI,
			"AWS::Lambda::Url":                     (*reader).functionURL,
			"AWS::Lambda::Alias":                   (*reader).alias,
			"AWS::Lambda::EventSourceMapping":      (*reader).eventSourceMapping,
			"AWS::Lambda::EventInvokeConfig":       (*reader).eventInvokeConfig,
			"AWS::Events::Rule":                    (*reader).rule,
			"AWS::Events::EventBus":                (*reader).eventBus,
			"AWS::Scheduler::Schedule":             (*reader).schedule,
			"AWS::SNS::Topic":                      (*reader).topic,
			"AWS::SNS::Subscription":               (*reader).subscription,
			"AWS::SQS::Queue":                      (*reader).queue,
			"AWS::DynamoDB::Table":                 (*reader).table,
			"AWS::DynamoDB::GlobalTable":           (*reader).table,
			"AWS::Kinesis::Stream":                 (*reader).stream,
			"AWS::KinesisFirehose::DeliveryStream": (*reader).deliveryStream,
			"AWS::S3::Bucket":                      (*reader).bucket,
			"AWS::StepFunctions::StateMachine":     (*reader).stateMachine,
			"AWS::Logs::SubscriptionFilter":        (*reader).subscriptionFilter,
		},
	}
}

// reader gathers one application.
type reader struct {
	o          Options
	app        *Application
	evaluation *cfn.Evaluation
	resources  []*resource
	faults     []error
	seen       map[Diagnostic]bool

	// functionNames are the names of functions that the template leaves
	// unnamed, or that another function has too.
	functionNames map[*resource]string
	names         map[string]string    // path by FunctionName
	functions     map[string]*Function // by ARN
	layers        map[string]*Layer    // by ARN
	authorizers   map[*resource]*Authorizer
	buckets       map[string]*Bucket // by name
	// Indexes, each made on first use: parts of APIs by family, API and kind,
	// parts of one kind by id, and custom resources by bucket.
	parts               map[string]map[string]map[string][]*resource
	byID                map[*resource]map[string]*resource
	placeholders        map[string]bool // by the path of an asset
	customNotifications map[string][]*resource
	// left says of a resource with a reader why it is not in the model.
	left map[*resource]string
}

// resource is one active resource with the stack that it stands in.
type resource struct {
	id    string
	r     *cfn.Resource
	scope *cfn.Scope
	stack *assembly.Stack
	path  string
}

func newReader(stage *assembly.Stage, o Options) *reader {
	local := cfn.LocalPseudo(o.AccountID, o.Region, "")
	return &reader{
		o:             o,
		app:           &Application{Stage: stage.Name, Region: local.Region, AccountID: local.AccountID},
		evaluation:    &cfn.Evaluation{Overrides: o.ParameterOverrides},
		seen:          map[Diagnostic]bool{},
		functionNames: map[*resource]string{},
		names:         map[string]string{},
		functions:     map[string]*Function{},
		layers:        map[string]*Layer{},
		authorizers:   map[*resource]*Authorizer{},
		buckets:       map[string]*Bucket{},
		parts:         map[string]map[string]map[string][]*resource{},
		byID:          map[*resource]map[string]*resource{},
		placeholders:  map[string]bool{},
		left:          map[*resource]string{},
	}
}

// addStack adds a stack with those nested in it.
func (r *reader) addStack(s *assembly.Stack, parent *cfn.Scope, logicalID string) {
	pseudo := cfn.LocalPseudo(cmp.Or(s.Account, r.o.AccountID), cmp.Or(s.Region, r.o.Region), s.Name)
	deployed := r.o.Deployed[s.Path]
	if deployed != nil {
		p, err := cfn.DeployedPseudo(deployed.StackID)
		if err != nil {
			r.faults = append(r.faults, fmt.Errorf("stack %s: %w", s.Path, err))
		}
		pseudo = p
	}
	byID := make(map[string]*resource, len(s.Template.Resources))
	scope := &cfn.Scope{Template: s.Template, Pseudo: pseudo, Deployed: deployed, Name: func(id string, _ *cfn.Resource) string {
		return r.physicalName(byID[id])
	}}
	if parent == nil {
		r.evaluation.Add(scope)
	} else {
		r.evaluation.AddNested(parent, logicalID, scope)
	}
	for _, id := range s.Template.LogicalIDs() {
		res := &resource{id: id, r: s.Template.Resources[id], scope: scope, stack: s, path: s.ConstructPath(id)}
		byID[id] = res
		r.resources = append(r.resources, res)
	}
	for _, id := range s.Template.LogicalIDs() {
		if child, ok := s.Nested[id]; ok {
			r.addStack(child, scope, id)
		}
	}
}

// physicalName is the local name of a resource that the template leaves
// unnamed: the function's unique name, or the stack's with the construct path.
func (r *reader) physicalName(res *resource) string {
	if name, ok := r.functionNames[res]; ok {
		return name
	}
	inside := strings.TrimPrefix(res.path, res.stack.Path+"/")
	return res.stack.Name + "-" + spell(inside)
}

// active says whether the resource exists; a condition may say that it does
// not.
func (r *reader) active(res *resource) bool {
	active, problems := res.scope.Active(res.r.Condition)
	r.problems(res, problems)
	return active
}

// property is a property of a resource without intrinsics, nil where it is
// not given. The name may lead through objects: "LoggingConfig.LogFormat".
func (r *reader) property(res *resource, name string) any {
	value := any(res.r.Properties)
	for part := range strings.SplitSeq(name, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		if value, ok = object[part]; !ok {
			return nil
		}
	}
	result, problems := res.scope.Eval(value, res.at(name))
	r.problems(res, problems)
	return result
}

func (res *resource) at(property string) string {
	return "Resources." + res.id + ".Properties." + property
}

func (res *resource) where(property string) string {
	return filepath.Base(res.scope.Template.File) + ": " + res.at(property)
}

// problems makes diagnostics of what could not be resolved.
func (r *reader) problems(res *resource, problems []cfn.Problem) {
	for _, p := range problems {
		if p.Secret {
			continue
		}
		severity := Warning
		if p.Dynamic {
			severity = Note
		}
		r.report(Diagnostic{severity, res.path, shortWhere(p.Where), p.Expression + ": " + p.Reason})
	}
}

// shortWhere leaves out the folder of the template: it is the assembly's.
func shortWhere(where string) string {
	file, rest, ok := strings.Cut(where, ": ")
	if !ok {
		return where
	}
	return filepath.Base(file) + ": " + rest
}

func (r *reader) report(d Diagnostic) {
	if !r.seen[d] {
		r.seen[d] = true
		r.app.Diagnostics = append(r.app.Diagnostics, d)
	}
}

func (r *reader) warn(res *resource, property, format string, arguments ...any) {
	r.report(Diagnostic{Warning, res.path, res.where(property), fmt.Sprintf(format, arguments...)})
}

// leave keeps a resource out of the model, and says why.
func (r *reader) leave(res *resource, property, format string, arguments ...any) {
	r.left[res] = fmt.Sprintf(format, arguments...)
	r.warn(res, property, "%s", r.left[res])
}

// finish sorts the application and gives its resources their short names.
func (r *reader) finish() {
	slices.SortFunc(r.app.Functions, func(a, b *Function) int { return strings.Compare(a.Path, b.Path) })
	sortAndName(r.app.Layers, func(l *Layer) *ID { return &l.ID })
	sortAndName(r.app.APIs, func(a *API) *ID { return &a.ID })
	sortAndName(r.app.WebSocketAPIs, func(a *WebSocketAPI) *ID { return &a.ID })
	sortAndName(r.app.EventSourceMappings, func(m *EventSourceMapping) *ID { return &m.ID })
	sortAndName(r.app.EventInvokeConfigs, func(c *EventInvokeConfig) *ID { return &c.ID })
	sortAndName(r.app.Rules, func(x *Rule) *ID { return &x.ID })
	sortAndName(r.app.Schedules, func(s *Schedule) *ID { return &s.ID })
	sortAndName(r.app.Subscriptions, func(s *Subscription) *ID { return &s.ID })
	sortAndName(r.app.SubscriptionFilters, func(f *SubscriptionFilter) *ID { return &f.ID })
	sortAndName(r.app.Tables, func(t *Table) *ID { return &t.ID })
	sortAndName(r.app.Queues, func(q *Queue) *ID { return &q.ID })
	sortAndName(r.app.Topics, func(t *Topic) *ID { return &t.ID })
	sortAndName(r.app.EventBuses, func(b *EventBus) *ID { return &b.ID })
	sortAndName(r.app.Streams, func(s *Stream) *ID { return &s.ID })
	sortAndName(r.app.DeliveryStreams, func(s *DeliveryStream) *ID { return &s.ID })
	sortAndName(r.app.Buckets, func(b *Bucket) *ID { return &b.ID })
	sortAndName(r.app.StateMachines, func(m *StateMachine) *ID { return &m.ID })
	slices.SortStableFunc(r.app.Resources, func(a, b *Resource) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.LogicalID, b.LogicalID))
	})
	slices.SortStableFunc(r.app.Diagnostics, func(a, b Diagnostic) int {
		return strings.Compare(a.Path+"\x00"+a.Where+"\x00"+a.Message, b.Path+"\x00"+b.Where+"\x00"+b.Message)
	})
}

func sortAndName[T any](all []T, id func(T) *ID) {
	sort.Slice(all, func(i, j int) bool { return id(all[i]).Path < id(all[j]).Path })
	ids := make([]*ID, len(all))
	for i, one := range all {
		ids[i] = id(one)
	}
	shortNames(ids)
}

func (res *resource) identity() ID {
	return ID{Path: res.path, Stack: res.stack.Name, LogicalID: res.id}
}
