package serverless

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// PolicyTemplate is any of SAM's policy templates by its name, with its
// parameters by theirs: names of things, as SAM takes them.
//
//	serverless.PolicyTemplate("SESCrudPolicy", map[string]string{"IdentityName": "shop.example"})
//
// Where this package has a function of the same name, use that: it takes the
// construct, and so knows its ARN and its key. Source: "AWS SAM policy template
// list",
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html
func PolicyTemplate(name string, parameters map[string]string) Policy {
	return samPolicy{name, parameters}
}

type samPolicy struct {
	name       string
	parameters map[string]string
}

// samTemplate is what a template allows. In its resources and conditions,
// ${Name} stands for a parameter, and for a pseudo parameter of CloudFormation.
type samTemplate struct {
	Parameters []string `json:"parameters"`
	Statements []struct {
		Actions    []string                     `json:"actions"`
		Resources  []string                     `json:"resources"`
		Conditions map[string]map[string]string `json:"conditions"`
	} `json:"statements"`
}

//go:embed policy_templates.json
var samTemplateData []byte

// samTemplates reads the data when a template is first asked for.
var samTemplates = sync.OnceValue(func() (all map[string]samTemplate) {
	if err := json.Unmarshal(samTemplateData, &all); err != nil {
		panic(err) // The data is this package's own: the tests read it.
	}
	return all
})

// Attach implements [Policy].
func (p samPolicy) Attach(fn *Function) {
	all := samTemplates()
	template, known := all[p.name]
	if !known {
		fn.AddFault("SAM has no policy template of this name%s", similar(p.name, all))
		return
	}
	problems := p.check(template)
	for _, problem := range problems {
		fn.AddFault("%s", problem)
	}
	if len(problems) > 0 {
		return
	}
	fill := p.filler(awscdk.Stack_Of(fn))
	for _, s := range template.Statements {
		props := &awsiam.PolicyStatementProps{Actions: jsii.Strings(s.Actions...)}
		resources := make([]string, len(s.Resources))
		for i, resource := range s.Resources {
			resources[i] = fill.Replace(resource)
		}
		props.Resources = jsii.Strings(resources...)
		if len(s.Conditions) > 0 {
			conditions := map[string]any{}
			for operator, keys := range s.Conditions {
				filled := map[string]string{}
				for key, value := range keys {
					filled[key] = fill.Replace(value)
				}
				conditions[operator] = filled
			}
			props.Conditions = &conditions
		}
		fn.AddToRolePolicy(awsiam.NewPolicyStatement(props))
	}
}

func (p samPolicy) check(template samTemplate) (found []string) {
	for _, name := range template.Parameters {
		if p.parameters[name] == "" {
			found = append(found, fmt.Sprintf("the parameter %s is missing", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.parameters)) {
		if !slices.Contains(template.Parameters, name) {
			found = append(found, fmt.Sprintf("it has no parameter %s: it has %s", name, joinedOr(template.Parameters, "none")))
		}
	}
	return found
}

// filler writes the parameters, and what CloudFormation knows of a stack.
func (p samPolicy) filler(stack awscdk.Stack) *strings.Replacer {
	pairs := []string{
		"${AWS::Partition}", *stack.Partition(), "${AWS::Region}", *stack.Region(), "${AWS::AccountId}", *stack.Account(),
	}
	for name, value := range p.parameters {
		pairs = append(pairs, "${"+name+"}", value)
	}
	return strings.NewReplacer(pairs...)
}

// similar names the templates that begin as a name does, which is how far most
// mistakes go.
func similar(name string, all map[string]samTemplate) string {
	for end := len(name); end > 2; end-- {
		var found []string
		for _, other := range slices.Sorted(maps.Keys(all)) {
			if strings.HasPrefix(strings.ToLower(other), strings.ToLower(name[:end])) {
				found = append(found, other)
			}
		}
		if len(found) > 0 {
			return ": it has " + strings.Join(found, ", ")
		}
	}
	return ""
}

func joinedOr(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}
