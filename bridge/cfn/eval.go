package cfn

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// UnresolvedPrefix begins a value, or the part of a value, that no local run
// can know. The expression follows, in parentheses.
const UnresolvedPrefix = "UNRESOLVED"

// Problem is an expression that could not be resolved.
type Problem struct {
	// Expression is what stood there: "Fn::GetAtt Orders.Endpoint".
	Expression string
	// Where is the place: "store.template.json: Resources.A.Properties.B".
	Where string
	// Reason says why, and what would resolve it.
	Reason string
	// Dynamic marks a dynamic reference ({{resolve:...}}), which is kept as it
	// is.
	Dynamic bool
	// Secret marks a value that was resolved, but that came from a parameter
	// with NoEcho: it must not be written anywhere.
	Secret bool
	// Local marks a value that was resolved, but not with the resource of the
	// deployed stack, which has none.
	Local bool
}

// Pseudo holds the pseudo parameters of one stack. See "Pseudo parameters
// reference" in the AWS CloudFormation Template Reference.
type Pseudo struct {
	AccountID string
	Region    string
	Partition string
	URLSuffix string
	StackName string
	StackID   string
}

// LocalPseudo is what the SAM CLI gives to a template that it runs locally:
// account 123456789012 in us-east-1, or the region that is given.
func LocalPseudo(account, region, stackName string) Pseudo {
	if account == "" {
		account = "123456789012"
	}
	if region == "" {
		region = "us-east-1"
	}
	p := Pseudo{AccountID: account, Region: region, Partition: "aws", URLSuffix: "amazonaws.com", StackName: stackName}
	switch {
	case strings.HasPrefix(region, "cn-"):
		p.Partition, p.URLSuffix = "aws-cn", "amazonaws.com.cn"
	case strings.HasPrefix(region, "us-gov-"):
		p.Partition = "aws-us-gov"
	}
	p.StackID = fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/%s/%s", p.Partition, region, account, stackName, uuid(account, region, stackName))
	return p
}

// Evaluation is a set of stacks that can refer to each other.
type Evaluation struct {
	// Overrides are parameter values that win over every default.
	Overrides map[string]string
	scopes    []*Scope
	// exports and ssm are found on first use, once all scopes are added.
	exports     map[string]place
	crossRegion map[string]place
	ssm         map[string]place
	// made and depth are what limits.go bounds.
	made, depth int
}

// place is an unevaluated value in a scope.
type place struct {
	scope *Scope
	value any
	at    string
	// output is the key of the output that the value is, "" for other values.
	output string
}

// Scope is one stack of an evaluation.
type Scope struct {
	Template *Template
	Pseudo   Pseudo
	// Name gives the local physical name of a resource for which the template
	// names none.
	Name func(logicalID string, r *Resource) string
	// Deployed is the stack as it is deployed, nil for made values. The pseudo
	// parameters should be its own: see [DeployedPseudo].
	Deployed *Deployed

	evaluation *Evaluation
	parent     *Scope
	// parameters are what a parent stack hands to a nested one.
	parameters map[string]any
	nested     map[string]*Scope
	parentAt   string

	memo  map[string]*memoized
	names map[string]string
	// busy are the keys that are being evaluated.
	busy []string
	// shown and bound are of a deployed stack: what its outputs tell of
	// attributes, and its physical ids taken apart.
	shown map[string]string
	bound map[string]map[string]string
}

type memoized struct {
	value    any
	problems []Problem
	// busyAt is where the key stands in busy, from 1, while it is evaluated.
	busyAt int
}

// Add makes a stack part of the evaluation. All stacks must be added before
// the first call of [Scope.Eval].
func (e *Evaluation) Add(s *Scope) {
	s.evaluation = e
	s.memo = make(map[string]*memoized, len(s.Template.Resources))
	s.names = map[string]string{}
	if s.nested == nil {
		s.nested = map[string]*Scope{}
	}
	e.scopes = append(e.scopes, s)
}

// AddNested makes child the nested stack that the resource logicalID of
// parent stands for.
func (e *Evaluation) AddNested(parent *Scope, logicalID string, child *Scope) {
	child.parent = parent
	child.parentAt = "Resources." + logicalID + ".Properties.Parameters."
	child.parameters, _ = parent.Template.Resources[logicalID].Properties["Parameters"].(map[string]any)
	parent.nested[logicalID] = child
	e.Add(child)
}

// noValue is what {"Ref": "AWS::NoValue"} leaves: its property is removed.
type noValue struct{}

// Eval returns v without intrinsics. The place of v in the template is given
// by at ("Resources.A.Properties.B"), for messages.
func (s *Scope) Eval(v any, at string) (any, []Problem) {
	if plain(v) {
		return v, nil
	}
	c := &call{scope: s, at: at}
	result := c.eval(v)
	if _, ok := result.(noValue); ok {
		result = nil
	}
	if !c.spend(sizeOf(result, maxMade)) {
		result = c.unresolved(brief(v), "the template's values are over 128 MiB together")
	}
	return result, c.problems
}

// plain says whether a value is what it evaluates to, and needs no counting.
func plain(v any) bool {
	text, ok := v.(string)
	return ok && len(text) < freeSize-2 && !strings.Contains(text, dynamicPrefix)
}

// Ref is what Ref gives for a resource of the scope's template, as a text.
func (s *Scope) Ref(logicalID, at string) (string, []Problem) {
	c := &call{scope: s, at: at}
	return c.result(c.ref(logicalID), "Ref", logicalID)
}

// GetAtt is what Fn::GetAtt gives for an attribute of a resource, as a text.
func (s *Scope) GetAtt(logicalID, attribute, at string) (string, []Problem) {
	c := &call{scope: s, at: at}
	return c.result(c.attributeOf(logicalID, attribute), "Fn::GetAtt", []any{logicalID, attribute})
}

// result is the text that a function gave.
func (c *call) result(value any, function string, argument any) (string, []Problem) {
	if plain(value) {
		return value.(string), c.problems
	}
	return c.scope.String(map[string]any{function: argument}, c.at) // as it is kept
}

// String evaluates v to a text. Numbers and booleans become what
// CloudFormation makes of them.
func (s *Scope) String(v any, at string) (string, []Problem) {
	result, problems := s.Eval(v, at)
	if result == nil {
		return "", problems
	}
	text, ok := scalar(result)
	if !ok {
		problems = append(problems, Problem{Expression: brief(v), Where: s.where(at), Reason: "it is a list or a map, where a text is needed"})
	}
	return text, problems
}

// Active says whether a resource or output with this Condition exists. One
// without a condition always does.
func (s *Scope) Active(condition string) (bool, []Problem) {
	if condition == "" {
		return true, nil
	}
	c := &call{scope: s, at: "Conditions." + condition}
	return c.condition(condition), c.problems
}

func (s *Scope) where(at string) string { return s.Template.File + ": " + at }

// call is one evaluation of one value.
type call struct {
	scope    *Scope
	at       string
	problems []Problem
}

// add notes problems, each once: a value may be referred to from many places,
// and what is wrong with it must not multiply at each.
func (c *call) add(problems ...Problem) {
	for _, p := range problems {
		if !slices.Contains(c.problems, p) && len(c.problems) < maxProblems {
			c.problems = append(c.problems, p)
		}
	}
}

func (c *call) unresolved(expression, reason string) string {
	expression = clip(expression, maxExpression)
	c.add(Problem{Expression: expression, Where: c.scope.where(c.at), Reason: reason})
	return UnresolvedPrefix + "(" + expression + ")"
}

func (c *call) eval(v any) any {
	switch v := v.(type) {
	case string:
		c.noteDynamic(v)
		return v
	case []any:
		return c.deeper(func() string { return brief(v) }, func() any { return c.list(v) })
	case map[string]any:
		return c.deeper(func() string { return brief(v) }, func() any {
			if name, argument, ok := intrinsic(v); ok {
				return c.call(name, argument)
			}
			return c.object(v)
		})
	}
	return v
}

func (c *call) list(v []any) []any {
	list := make([]any, 0, len(v))
	for _, element := range v {
		if e := c.eval(element); e != any(noValue{}) {
			list = append(list, e)
		}
	}
	return list
}

func (c *call) object(v map[string]any) map[string]any {
	object := make(map[string]any, len(v))
	for _, key := range slices.Sorted(maps.Keys(v)) {
		if e := c.eval(v[key]); e != any(noValue{}) {
			object[key] = e
		}
	}
	return object
}

// dynamicPrefix begins a dynamic reference.
const dynamicPrefix = "{{resolve:"

// noteDynamic lists the dynamic references in a text, which stay as they are.
// See "Get values stored in other services using dynamic references" in the
// AWS CloudFormation User Guide.
func (c *call) noteDynamic(text string) {
	for rest := text; ; {
		start := strings.Index(rest, dynamicPrefix)
		if start < 0 {
			return
		}
		end := strings.Index(rest[start:], "}}")
		if end < 0 {
			return
		}
		c.add(Problem{
			Expression: rest[start : start+end+2],
			Where:      c.scope.where(c.at),
			Reason:     "a dynamic reference is read by CloudFormation alone; it is kept as it is",
			Dynamic:    true,
		})
		rest = rest[start+end+2:]
	}
}

// intrinsic finds the function of a map such as {"Fn::Join": [...]}.
func intrinsic(v map[string]any) (name string, argument any, ok bool) {
	if len(v) != 1 {
		return "", nil, false
	}
	for key, value := range v {
		if key == "Ref" || key == "Condition" || strings.HasPrefix(key, "Fn::") {
			// {"Condition": {...}} is a policy statement's, not a reference
			if _, text := value.(string); key == "Condition" && !text {
				return "", nil, false
			}
			return key, value, true
		}
	}
	return "", nil, false
}

// once evaluates what key names at most once, and refuses a cycle.
func (c *call) once(s *Scope, key string, evaluate func(*call) any) any {
	if m, ok := s.memo[key]; ok {
		if m.busyAt > 0 {
			return c.unresolved(key, "it refers to itself: "+cycle(s.busy[m.busyAt-1:], key))
		}
		c.add(m.problems...)
		return m.value
	}
	s.busy = append(s.busy, key)
	// kept also where it lies in a cycle, whose members would otherwise be
	// evaluated once for each way round
	m := &memoized{busyAt: len(s.busy)}
	s.memo[key] = m
	inner := &call{scope: s, at: c.at}
	value := inner.deeper(func() string { return key }, func() any { return evaluate(inner) })
	s.busy = s.busy[:len(s.busy)-1]
	*m = memoized{value: value, problems: inner.problems}
	c.add(inner.problems...)
	return value
}

// shownCycle is how many members of a cycle a message has.
const shownCycle = 10

func cycle(keys []string, first string) string {
	shown := slices.Clone(keys)
	if n := len(keys); n > shownCycle {
		shown = append(shown[:shownCycle:shownCycle], fmt.Sprintf("%d more", n-shownCycle))
	}
	return strings.Join(append(shown, first), " → ")
}
