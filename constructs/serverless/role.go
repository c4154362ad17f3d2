package serverless

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// networkActions are what a function in a VPC needs for its network interface.
// EC2 knows no resource for them before the interface exists. Source: "Giving
// Lambda functions access to resources in an Amazon VPC",
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
var networkActions = []string{
	"ec2:CreateNetworkInterface",
	"ec2:DescribeNetworkInterfaces",
	"ec2:DescribeSubnets",
	"ec2:DeleteNetworkInterface",
	"ec2:AssignPrivateIpAddresses",
	"ec2:UnassignPrivateIpAddresses",
}

// ownRole takes the AWS managed policies out of the role that the CDK made:
// they let a function write to every log group of the account. The rights that
// the function needs are added one by one. The role can't be made before the
// function and be its child too, so it is the CDK's, changed.
func (f *Function) ownRole() {
	resource := f.Role().Node().DefaultChild().(awsiam.CfnRole)
	resource.SetManagedPolicyArns(awscdk.Lazy_UncachedList(
		&ownPolicies{all: resource.ManagedPolicyArns()},
		&awscdk.LazyListValueOptions{OmitEmpty: jsii.Bool(true)},
	))
	if f.props.VPC != nil {
		f.AddToRolePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions:   jsii.Strings(networkActions...),
			Resources: jsii.Strings("*"),
		}))
	}
}

// ownPolicies produces the managed policies of a function's role at synth, when
// all that a user added are known, without the two that the CDK attaches.
type ownPolicies struct{ all *[]*string }

// Produce implements [awscdk.IListProducer].
func (p *ownPolicies) Produce(context awscdk.IResolveContext) *[]*string {
	resolved, _ := context.Resolve(p.all, nil).([]any)
	kept := []*string{}
	for _, arn := range resolved {
		if literal, ok := arn.(string); ok {
			kept = append(kept, &literal)
		} else if !attachedByCDK(arn) {
			kept = append(kept, awscdk.Token_AsString(arn, nil))
		}
	}
	return &kept
}

// attachedByCDK knows the policies by the form in which the CDK writes their
// ARNs, with a pseudo parameter for the partition. One that a user wants can be
// attached by its literal ARN.
func attachedByCDK(arn any) bool {
	text, err := json.Marshal(arn)
	if err != nil {
		return false
	}
	for _, name := range []string{"AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole"} {
		if strings.Contains(string(text), `:iam::aws:policy/service-role/`+name+`"`) {
			return true
		}
	}
	return false
}
