package eventfork

import (
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/bailey-cdk/bailey/constructs/internal/nag"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

// functions is the folder of the functions inside a fork, as an import path: it
// is built from the module that the app requires, wherever that lies.
const functions = "github.com/bailey-cdk/bailey/constructs/eventfork/functions/"

// newFunction makes one of the functions inside a fork.
func newFunction(scope constructs.Construct, id string, p serverless.FunctionProps) *serverless.Function {
	f := serverless.NewFunction(scope, id, p)
	nag.SuppressPolicy(f.Role(), "AwsSolutions-IAM5",
		"X-Ray knows no resources to which the right to write traces could be limited.", `/^Resource::\*$/`)
	nag.SuppressPolicy(f.Role(), "AwsSolutions-IAM5",
		"The CDK grants the use of a key by all forms of two actions, on that key alone.", `/^Action::kms:(GenerateDataKey|ReEncrypt)\*$/`)
	return f
}

// suppressQualified is for the right to invoke a function.
func suppressQualified(f *serverless.Function) {
	nag.SuppressPolicy(f.Role(), "AwsSolutions-IAM5", "The CDK grants the invocation of a function's versions and aliases with the function's own.", `/^Resource::<[A-Za-z0-9]+\.Arn>:\*$/`)
}
