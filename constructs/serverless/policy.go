package serverless

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// Policy is something that a function may do. The functions of this package
// named after SAM's policy templates make the usual ones, and [PolicyTemplate]
// makes any of SAM's; [Statement], [RawStatement] and [ManagedPolicy] say
// anything else.
//
// Other packages can implement it: Attach adds to the role of fn, and reports a
// mistake by [Function.AddFault].
type Policy interface {
	Attach(fn *Function)
}

// attachPolicy is the way that every policy comes to a function.
func (f *Function) attachPolicy(policy Policy) {
	if prop.IsNil(policy) {
		f.AddFault("a policy is nil: remove it from Policies")
		return
	}
	f.faults.About(policyName(policy), func() { policy.Attach(f) })
}

func policyName(policy Policy) string {
	switch p := policy.(type) {
	case grant:
		return p.template.name
	case samPolicy:
		return p.name
	}
	return fmt.Sprintf("policy %T", policy)
}

// Statement is an IAM statement in plain values.
type Statement struct {
	// Actions are such as "ses:SendEmail".
	Actions []string
	// Resources are ARNs, with "*" and "?" as wildcards.
	Resources []string
	// Deny forbids what the statement names; it is allowed by default.
	Deny bool
	// Conditions are as in IAM's JSON: operator, key, value or values.
	Conditions map[string]map[string]any
}

// Attach implements [Policy].
func (s Statement) Attach(fn *Function) {
	if len(s.Actions) == 0 || len(s.Resources) == 0 {
		fn.AddFault("a statement needs Actions and Resources: it has %d and %d", len(s.Actions), len(s.Resources))
		return
	}
	props := &awsiam.PolicyStatementProps{
		Actions:   jsii.Strings(s.Actions...),
		Resources: jsii.Strings(s.Resources...),
	}
	if s.Deny {
		props.Effect = awsiam.Effect_DENY
	}
	if len(s.Conditions) > 0 {
		conditions := map[string]any{}
		for operator, keys := range s.Conditions {
			conditions[operator] = keys
		}
		props.Conditions = &conditions
	}
	fn.AddToRolePolicy(awsiam.NewPolicyStatement(props))
}

// RawStatement is a statement that was made with the CDK.
func RawStatement(statement awsiam.PolicyStatement) Policy { return rawStatement{statement} }

type rawStatement struct{ statement awsiam.PolicyStatement }

func (r rawStatement) Attach(fn *Function) {
	if prop.IsNil(r.statement) {
		fn.AddFault("the statement is nil: pass one of awsiam.NewPolicyStatement")
		return
	}
	fn.AddToRolePolicy(r.statement)
}

// ManagedPolicy is a managed policy by its ARN, or one of AWS by its name, such
// as "AmazonSSMReadOnlyAccess". AWS writes those for everyone, so they allow
// more than a function needs: prefer the others.
type ManagedPolicy string

// Attach implements [Policy].
func (m ManagedPolicy) Attach(fn *Function) {
	name := string(m)
	switch {
	case name == "":
		fn.AddFault("the policy is empty: give an ARN, or the name of a policy of AWS")
	case strings.HasPrefix(name, "arn:") || prop.IsToken(name):
		id := fmt.Sprintf("ManagedPolicy%d", len(*fn.Node().Children()))
		fn.Role().AddManagedPolicy(awsiam.ManagedPolicy_FromManagedPolicyArn(fn, &id, &name))
	default:
		fn.Role().AddManagedPolicy(awsiam.ManagedPolicy_FromAwsManagedPolicyName(&name))
	}
}

// grant is a policy template with what it is about.
type grant struct {
	template *policyTemplate
	things   map[string]thing
}

// A thing fills a template's placeholder. Its ARN is read late: reading it of a
// thing that is nil would panic in the user's own line.
type thing struct {
	missing bool
	arn     func() *string
	key     func() awskms.IKey
}

// about names the construct v that a policy is about, with ways to its ARN and,
// unless key is nil, to the KMS key that its content is encrypted with.
func about(v any, arn func() *string, key func() awskms.IKey) thing {
	return thing{missing: prop.IsNil(v), arn: arn, key: key}
}

// Attach implements [Policy].
func (g grant) Attach(fn *Function) {
	for _, name := range g.template.parameters() {
		if g.things[name].missing {
			fn.AddFault("the %s is nil: make it before the function and pass it", strings.ToLower(name))
			return
		}
	}
	for _, p := range g.template.permissions {
		resources := make([]string, len(p.resources))
		for i, pattern := range p.resources {
			resources[i] = g.fill(pattern)
		}
		fn.AddToRolePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions:   jsii.Strings(p.actions...),
			Resources: jsii.Strings(resources...),
		}))
	}
	g.useKeys(fn)
}

// fill writes the ARNs in a resource pattern.
func (g grant) fill(pattern string) string {
	for name, thing := range g.things {
		if placeholder := "{" + name + "}"; strings.Contains(pattern, placeholder) {
			pattern = strings.ReplaceAll(pattern, placeholder, *thing.arn())
		}
	}
	return pattern
}

// useKeys lets fn use the customer managed keys: without them the rights to the
// things themselves are worth nothing. SAM's templates leave this to the user.
func (g grant) useKeys(fn *Function) {
	for _, name := range g.template.parameters() {
		thing := g.things[name]
		if thing.key == nil {
			continue
		}
		key := thing.key()
		switch {
		case prop.IsNil(key):
		case g.template.encrypts:
			key.GrantEncryptDecrypt(fn)
		default:
			key.GrantDecrypt(fn)
		}
	}
}
