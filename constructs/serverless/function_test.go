package serverless_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/constructtest"
	"github.com/bailey-cdk/bailey/constructs/serverless"
	"github.com/bailey-cdk/bailey/internal/metadata"
)

// checkout is the least that a function needs.
var checkout = serverless.FunctionProps{Entry: "./functions/checkout"}

func TestFunctionDefaults(t *testing.T) {
	stack := newStack(t)
	serverless.NewFunction(stack, "Checkout", checkout)
	wantGolden(t, stack, "function_default")
}

func TestFunctionWithEverything(t *testing.T) {
	stack := newStack(t)
	layer := awslambda.LayerVersion_FromLayerVersionArn(stack, jsii.String("Layer"),
		jsii.String("arn:aws:lambda:eu-west-1:123456789012:layer:tools:3"))
	serverless.NewFunction(stack, "Checkout", serverless.FunctionProps{
		Entry:               "./functions/checkout",
		BuildTags:           []string{"netgo", "osusergo"},
		Architecture:        serverless.X86_64,
		Memory:              1769,
		Timeout:             15 * time.Minute,
		EphemeralStorage:    1024,
		Environment:         map[string]string{"TABLE": "orders", "LEVEL": "info"},
		Layers:              []awslambda.ILayerVersion{layer},
		Description:         "takes orders",
		FunctionName:        "checkout",
		ReservedConcurrency: 7,
		Tracing:             serverless.TracingPassThrough,
		LogLevel:            "DEBUG",
		LogRetention:        awslogs.RetentionDays_ONE_WEEK,
		DeadLetterQueue:     serverless.NewQueue(stack, "Failed", serverless.QueueProps{}),
		PermissionsBoundary: awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("PowerUserAccess")),
		Tags:                map[string]string{"team": "orders", "cost-centre": "12"},
	})
	wantGolden(t, stack, "function_everything")
}

func TestFunctionInNetwork(t *testing.T) {
	stack := newStack(t)
	vpc := awsec2.Vpc_FromVpcAttributes(stack, jsii.String("Vpc"), &awsec2.VpcAttributes{
		VpcId: jsii.String("vpc-0123abcd"), AvailabilityZones: jsii.Strings("eu-west-1a"),
		PrivateSubnetIds: jsii.Strings("subnet-0123abcd"),
	})
	props := checkout
	props.VPC = vpc
	serverless.NewFunction(stack, "Checkout", props)
	wantGolden(t, stack, "function_network")
}

func TestFunctionInOtherLanguage(t *testing.T) {
	stack := newStack(t)
	layer := awslambda.NewLayerVersion(stack, jsii.String("Layer"), &awslambda.LayerVersionProps{
		Code:               awslambda.Code_FromAsset(jsii.String(abs(t, "node")), nil),
		CompatibleRuntimes: &[]awslambda.Runtime{awslambda.Runtime_NODEJS_22_X()},
	})
	serverless.NewFunction(stack, "Web", serverless.FunctionProps{
		CodeUri: "node", Runtime: "nodejs22.x", Handler: "index.handler",
		Layers: []awslambda.ILayerVersion{layer},
	})
	wantGolden(t, stack, "function_node")
}

func TestFunctionFromImage(t *testing.T) {
	stack := newStack(t)
	serverless.NewFunction(stack, "Built", serverless.FunctionProps{
		Dockerfile: "Dockerfile", DockerContext: "image", DockerTarget: "run",
		DockerBuildArgs: map[string]string{"VERSION": "1"}, ImageCommand: []string{"app.handler"},
	})
	serverless.NewFunction(stack, "Pulled", serverless.FunctionProps{
		ImageUri:     "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/orders:v1",
		Architecture: serverless.X86_64,
		ImageCommand: []string{"app.handler"},
	})
	wantGolden(t, stack, "function_image")
}

func TestFunctionSwitchedOff(t *testing.T) {
	stack := newStack(t)
	props := checkout
	props.ReservedConcurrency = serverless.NoConcurrency
	props.Tracing = serverless.TracingDisabled
	props.LogFormat = serverless.LogText
	serverless.NewFunction(stack, "Checkout", props)
	got := only(t, stack, "AWS::Lambda::Function")
	if got["ReservedConcurrentExecutions"] != 0.0 {
		t.Errorf("the reserved concurrency is %v, want 0", got["ReservedConcurrentExecutions"])
	}
	if got["TracingConfig"] != nil {
		t.Errorf("tracing is %v, want none", got["TracingConfig"])
	}
	if format := got["LoggingConfig"].(map[string]any)["LogFormat"]; format != "Text" {
		t.Errorf("the log format is %v, want Text", format)
	}
	if policy := asJSON(t, resources(t, stack, "AWS::IAM::Policy")); strings.Contains(policy, "xray") {
		t.Errorf("a function without tracing may write traces: %s", policy)
	}
}

// The CDK's own log group, behind a feature flag that cdk init sets today, would
// make a circle between the role, the log group and the function.
func TestFunctionWithFeatureFlags(t *testing.T) {
	stack := newStackWith(t, map[string]any{
		metadata.ContextLocal:                                      "true",
		"@aws-cdk/aws-lambda:useCdkManagedLogGroup":                true,
		"@aws-cdk/aws-lambda:recognizeLayerVersion":                true,
		"@aws-cdk/aws-iam:minimizePolicies":                        true,
		"@aws-cdk/aws-lambda:createNewPoliciesWithAddToRolePolicy": true,
	})
	f := serverless.NewFunction(stack, "Checkout", checkout)
	f.AddToRolePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("ses:SendEmail"), Resources: jsii.Strings("*"),
	}))
	wantNoFaults(t, stack)
	if got := only(t, stack, "AWS::Logs::LogGroup"); got["LogGroupName"] != nil || got["RetentionInDays"] != 30.0 {
		t.Errorf("the log group is %v", got)
	}
}

func TestFunctionIsAnAWSLambdaFunction(t *testing.T) {
	stack := newStack(t)
	orders := serverless.NewTable(stack, "Orders", serverless.TableProps{PartitionKey: "id"})
	checkout := serverless.NewFunction(stack, "Checkout", checkout)

	t.Run("a grant", func(t *testing.T) {
		orders.GrantReadData(checkout)
		if policy := asJSON(t, only(t, stack, "AWS::IAM::Policy")); !strings.Contains(policy, "dynamodb:GetItem") {
			t.Errorf("the policy lacks the grant: %s", policy)
		}
	})
	t.Run("an environment variable", func(t *testing.T) {
		checkout.AddEnvironment(jsii.String("ORDERS"), orders.TableName(), nil)
		if got := asJSON(t, only(t, stack, "AWS::Lambda::Function")["Environment"]); !strings.Contains(got, `"ORDERS":{"Ref":"Orders`) {
			t.Errorf("the environment is %s", got)
		}
	})
	t.Run("an alarm", func(t *testing.T) {
		checkout.MetricErrors(nil).CreateAlarm(stack, jsii.String("Failing"), &awscloudwatch.CreateAlarmOptions{
			Threshold: jsii.Number(1), EvaluationPeriods: jsii.Number(1),
		})
		if got := asJSON(t, only(t, stack, "AWS::CloudWatch::Alarm")["Dimensions"]); !strings.Contains(got, `{"Ref":"CheckoutB7CD3E82"}`) {
			t.Errorf("the alarm is on %s", got)
		}
	})
	t.Run("an EventBridge target", func(t *testing.T) {
		rule := awsevents.NewRule(stack, jsii.String("Shipped"), &awsevents.RuleProps{
			EventPattern: &awsevents.EventPattern{Source: jsii.Strings("shop")},
		})
		rule.AddTarget(awseventstargets.NewLambdaFunction(checkout, nil))
		if got := asJSON(t, only(t, stack, "AWS::Events::Rule")["Targets"]); !strings.Contains(got, `["CheckoutB7CD3E82","Arn"]`) {
			t.Errorf("the rule's targets are %s", got)
		}
	})
	t.Run("a version and an alias", func(t *testing.T) {
		checkout.AddAlias(jsii.String("live"), nil)
		if got := asJSON(t, only(t, stack, "AWS::Lambda::Alias")["FunctionName"]); !strings.Contains(got, "Checkout") {
			t.Errorf("the alias is of %s", got)
		}
	})
	t.Run("its log group", func(t *testing.T) {
		checkout.LogGroup().AddMetricFilter(jsii.String("Panics"), &awslogs.MetricFilterOptions{
			FilterPattern: awslogs.FilterPattern_Literal(jsii.String("panic")), MetricName: jsii.String("Panics"), MetricNamespace: jsii.String("Shop"),
		})
		if got := asJSON(t, only(t, stack, "AWS::Logs::MetricFilter")["LogGroupName"]); !strings.Contains(got, "CheckoutLogGroup") {
			t.Errorf("the metric filter is on %s", got)
		}
		if made := resources(t, stack, "Custom::LogRetention"); len(made) > 0 {
			t.Errorf("the CDK made a second log group: %v", made)
		}
	})
	wantNoFaults(t, stack)
}

func TestAspectVisitsTheGoValue(t *testing.T) {
	stack := newStack(t)
	checkout := serverless.NewFunction(stack, "Checkout", checkout)
	orders := serverless.NewTable(stack, "Orders", serverless.TableProps{PartitionKey: "id"})
	queue := serverless.NewQueue(stack, "Work", serverless.QueueProps{})
	api := serverless.NewHttpApi(stack, "Api", serverless.HttpApiProps{})
	constructtest.WantVisited(t, stack, checkout, orders, queue, api)
}

// Tags and other aspects of a function reach its role and log group, since they
// are its children.
func TestAspectsOfFunctionReachItsParts(t *testing.T) {
	stack := newStack(t)
	checkout := serverless.NewFunction(stack, "Checkout", checkout)
	awscdk.Tags_Of(checkout).Add(jsii.String("team"), jsii.String("orders"), nil)
	for _, kind := range []string{"AWS::Lambda::Function", "AWS::IAM::Role", "AWS::Logs::LogGroup"} {
		if got := asJSON(t, only(t, stack, kind)["Tags"]); got != `[{"Key":"team","Value":"orders"}]` {
			t.Errorf("the tags of %s are %s", kind, got)
		}
	}
}

func TestRoleHasNoPolicyOfAWS(t *testing.T) {
	stack := newStack(t)
	checkout := serverless.NewFunction(stack, "Checkout", checkout)
	if got := only(t, stack, "AWS::IAM::Role")["ManagedPolicyArns"]; got != nil {
		t.Errorf("the role has managed policies: %v", got)
	}
	for _, name := range []string{"AmazonSSMReadOnlyAccess", "job-function/Billing"} {
		checkout.Role().AddManagedPolicy(awsiam.ManagedPolicy_FromAwsManagedPolicyName(&name))
	}
	checkout.AddPolicy(serverless.ManagedPolicy("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"))
	got := asJSON(t, only(t, stack, "AWS::IAM::Role"))
	for _, want := range []string{"AmazonSSMReadOnlyAccess", "job-function/Billing", `"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"`} {
		if !strings.Contains(got, want) {
			t.Errorf("the role lacks what the app added, %s: %s", want, got)
		}
	}
}

func TestFunctionWithRoleOfTheApp(t *testing.T) {
	stack := newStack(t)
	role := awsiam.NewRole(stack, jsii.String("Mine"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	props := checkout
	props.Role = role
	serverless.NewFunction(stack, "Checkout", props)
	wantNoFaults(t, stack)
	only(t, stack, "AWS::IAM::Role")
	if policy := asJSON(t, only(t, stack, "AWS::IAM::Policy")); !strings.Contains(policy, "logs:PutLogEvents") {
		t.Errorf("the role can't write logs: %s", policy)
	}
}

func TestFunctionWithLogGroupOfTheApp(t *testing.T) {
	stack := newStack(t)
	props := checkout
	props.LogGroup = awslogs.NewLogGroup(stack, jsii.String("Shared"), nil)
	serverless.NewFunction(stack, "Checkout", props)
	wantNoFaults(t, stack)
	only(t, stack, "AWS::Logs::LogGroup")
}

func TestDeadLetterTopic(t *testing.T) {
	stack := newStack(t)
	props := checkout
	props.DeadLetterTopic = awssns.NewTopic(stack, jsii.String("Failed"), nil)
	serverless.NewFunction(stack, "Checkout", props)
	wantNoFaults(t, stack)
	if got := asJSON(t, only(t, stack, "AWS::Lambda::Function")["DeadLetterConfig"]); !strings.Contains(got, "Failed") {
		t.Errorf("the dead-letter config is %s", got)
	}
}

// Two synths of one app write the same template, map iteration or not.
func TestFunctionIsReproducible(t *testing.T) {
	write := func() string {
		stack := newStack(t)
		props := checkout
		props.Environment = map[string]string{"A1": "1", "B1": "2", "C1": "3", "D1": "4", "E1": "5"}
		props.Tags = map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}
		queue := serverless.NewQueue(stack, "Work", serverless.QueueProps{})
		props.Events = serverless.Events{
			"Get":  serverless.HttpApiEvent{Method: "GET", Path: "/a"},
			"Post": serverless.HttpApiEvent{Method: "POST", Path: "/a"},
			"Tick": serverless.ScheduleEvent{Schedule: "rate(1 hour)"},
			"Work": serverless.SQSEvent{Queue: queue},
		}
		serverless.NewFunction(stack, "Checkout", props)
		return asJSON(t, synthesised(stack).Template())
	}
	first := write()
	for range 3 {
		if again := write(); again != first {
			t.Fatalf("two synths differ:\n%s\n%s", first, again)
		}
	}
}

var _ awssqs.IQueue = (*serverless.Queue)(nil)
