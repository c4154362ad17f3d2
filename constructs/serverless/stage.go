package serverless

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// defaultStage is the stage of an HTTP API whose name is not in the URL.
const defaultStage = "$default"

var stageName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)

// stageNameProblem says what API Gateway would refuse. Source: "CreateStage",
// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateStage.html
func stageNameProblem(name string) string {
	if name == defaultStage || prop.IsToken(name) || stageName.MatchString(name) {
		return ""
	}
	return fmt.Sprintf("StageName %q is none for API Gateway: use at most 128 letters, digits, - and _", name)
}

var (
	stageVariable      = regexp.MustCompile(`^\w+$`)
	stageVariableValue = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#&=,]+$`)
)

// checkVariables checks stage variables, and clears those that are wrong.
// Source: "AWS::ApiGateway::Stage", Variables,
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html
func checkVariables(variables map[string]string, clear func()) (found []string) {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		value := variables[name]
		switch {
		case !stageVariable.MatchString(name):
			found = append(found, fmt.Sprintf("the stage variable %q has a name that API Gateway refuses: use letters, digits and _", name))
		case !prop.IsToken(value) && !stageVariableValue.MatchString(value):
			found = append(found, fmt.Sprintf("the stage variable %s has the value %q, which API Gateway refuses: use letters, digits and -._~:/?#&=,", name, value))
		}
	}
	if len(found) > 0 {
		clear()
	}
	return found
}

func checkTagsOf(tags map[string]string, clear func()) []string {
	found := prop.CheckTags(tags)
	if len(found) > 0 {
		clear()
	}
	return found
}

// atSynth runs check once, when the app is synthesised and all that belongs to
// a construct is known. It is hung on a construct without children, since an
// aspect visits everything below.
func atSynth(leaf constructs.IConstruct, check func()) {
	awscdk.Aspects_Of(leaf).Add(&lateCheck{run: check}, nil)
}

type lateCheck struct {
	run  func()
	done bool
}

// Visit implements [awscdk.IAspect].
func (c *lateCheck) Visit(constructs.IConstruct) {
	if !c.done {
		c.done = true
		c.run()
	}
}
