package serverless_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/serverless"
)

// arnOf is how SAM writes the ARN of something from its name, with its pseudo
// parameters filled in.
func arnOf(service, rest string) string {
	return "arn:aws:" + service + ":eu-west-1:123456789012:" + rest
}

// samTemplates holds what SAM 1.110.0 makes of its policy templates, from
// samtranslator/policy_templates_data/policy_templates.json.
var samTemplates = []struct {
	name      string
	policy    func(scope awscdk.Stack) serverless.Policy
	actions   []string
	resources []string
}{
	{
		name:   "DynamoDBCrudPolicy",
		policy: func(s awscdk.Stack) serverless.Policy { return serverless.DynamoDBCrudPolicy(theTable(s)) },
		actions: []string{
			"dynamodb:GetItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:Query",
			"dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:BatchGetItem", "dynamodb:DescribeTable",
			"dynamodb:ConditionCheckItem",
		},
		resources: []string{arnOf("dynamodb", "table/thing"), arnOf("dynamodb", "table/thing/index/*")},
	},
	{
		name:   "DynamoDBReadPolicy",
		policy: func(s awscdk.Stack) serverless.Policy { return serverless.DynamoDBReadPolicy(theTable(s)) },
		actions: []string{
			"dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:DescribeTable",
		},
		resources: []string{arnOf("dynamodb", "table/thing"), arnOf("dynamodb", "table/thing/index/*")},
	},
	{
		name:      "DynamoDBWritePolicy",
		policy:    func(s awscdk.Stack) serverless.Policy { return serverless.DynamoDBWritePolicy(theTable(s)) },
		actions:   []string{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"},
		resources: []string{arnOf("dynamodb", "table/thing"), arnOf("dynamodb", "table/thing/index/*")},
	},
	{
		name:   "S3ReadPolicy",
		policy: func(s awscdk.Stack) serverless.Policy { return serverless.S3ReadPolicy(theBucket(s)) },
		actions: []string{
			"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:GetObjectVersion", "s3:GetLifecycleConfiguration",
		},
		resources: []string{"arn:aws:s3:::thing", "arn:aws:s3:::thing/*"},
	},
	{
		name:      "S3WritePolicy",
		policy:    func(s awscdk.Stack) serverless.Policy { return serverless.S3WritePolicy(theBucket(s)) },
		actions:   []string{"s3:PutObject", "s3:PutObjectAcl", "s3:PutLifecycleConfiguration"},
		resources: []string{"arn:aws:s3:::thing", "arn:aws:s3:::thing/*"},
	},
	{
		name:   "S3CrudPolicy",
		policy: func(s awscdk.Stack) serverless.Policy { return serverless.S3CrudPolicy(theBucket(s)) },
		actions: []string{
			"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:GetObjectVersion", "s3:PutObject",
			"s3:PutObjectAcl", "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration", "s3:DeleteObject",
		},
		resources: []string{"arn:aws:s3:::thing", "arn:aws:s3:::thing/*"},
	},
	{
		name: "SQSSendMessagePolicy",
		policy: func(s awscdk.Stack) serverless.Policy {
			return serverless.SQSSendMessagePolicy(awssqs.Queue_FromQueueArn(s, jsii.String("Queue"), jsii.String(arnOf("sqs", "thing"))))
		},
		actions:   []string{"sqs:SendMessage*"},
		resources: []string{arnOf("sqs", "thing")},
	},
	{
		name: "SQSPollerPolicy",
		policy: func(s awscdk.Stack) serverless.Policy {
			return serverless.SQSPollerPolicy(awssqs.Queue_FromQueueArn(s, jsii.String("Queue"), jsii.String(arnOf("sqs", "thing"))))
		},
		actions: []string{
			"sqs:ChangeMessageVisibility", "sqs:ChangeMessageVisibilityBatch", "sqs:DeleteMessage",
			"sqs:DeleteMessageBatch", "sqs:GetQueueAttributes", "sqs:ReceiveMessage",
		},
		resources: []string{arnOf("sqs", "thing")},
	},
	{
		name: "SNSPublishMessagePolicy",
		policy: func(s awscdk.Stack) serverless.Policy {
			return serverless.SNSPublishMessagePolicy(awssns.Topic_FromTopicArn(s, jsii.String("Topic"), jsii.String(arnOf("sns", "thing"))))
		},
		actions:   []string{"sns:Publish"},
		resources: []string{arnOf("sns", "thing")},
	},
	{
		// SAM has one resource, function:thing*, which is also the start of
		// other functions' names. This is the only intended difference.
		name: "LambdaInvokePolicy",
		policy: func(s awscdk.Stack) serverless.Policy {
			return serverless.LambdaInvokePolicy(awslambda.Function_FromFunctionArn(s, jsii.String("Function"), jsii.String(arnOf("lambda", "function:thing"))))
		},
		actions:   []string{"lambda:InvokeFunction"},
		resources: []string{arnOf("lambda", "function:thing"), arnOf("lambda", "function:thing:*")},
	},
	{
		name: "EventBridgePutEventsPolicy",
		policy: func(s awscdk.Stack) serverless.Policy {
			return serverless.EventBridgePutEventsPolicy(awsevents.EventBus_FromEventBusArn(s, jsii.String("Bus"), jsii.String(arnOf("events", "event-bus/thing"))))
		},
		actions:   []string{"events:PutEvents"},
		resources: []string{arnOf("events", "event-bus/thing")},
	},
}

func theTable(s awscdk.Stack) awsdynamodb.ITable {
	return awsdynamodb.Table_FromTableArn(s, jsii.String("Table"), jsii.String(arnOf("dynamodb", "table/thing")))
}

func theBucket(s awscdk.Stack) awss3.IBucket {
	return awss3.Bucket_FromBucketArn(s, jsii.String("Bucket"), jsii.String("arn:aws:s3:::thing"))
}

// statement is one of a role's policy.
type statement struct {
	Effect           string
	Action, Resource list
	Condition        any
}

// list is one string or several, as IAM writes either.
type list []any

func (l *list) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, (*[]any)(l)); err == nil {
		return nil
	}
	var one any
	err := json.Unmarshal(text, &one)
	*l = list{one}
	return err
}

// statements are those of the stack's only role policy beyond what every
// function has: the rights to its log group and to X-Ray.
func statements(t *testing.T, stack awscdk.Stack) []statement {
	t.Helper()
	var policy struct {
		PolicyDocument struct{ Statement []statement }
	}
	if err := json.Unmarshal([]byte(asJSON(t, only(t, stack, "AWS::IAM::Policy"))), &policy); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(policy.PolicyDocument.Statement, func(s statement) bool {
		first := fmt.Sprint(s.Action[0])
		return strings.HasPrefix(first, "logs:") || strings.HasPrefix(first, "xray:")
	})
}

func texts(l list) []string {
	all := []string{}
	for _, v := range l {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

func TestPolicyTemplatesAreSAMs(t *testing.T) {
	for _, sam := range samTemplates {
		t.Run(sam.name, func(t *testing.T) {
			stack := newStack(t)
			props := checkout
			props.Policies = []serverless.Policy{sam.policy(stack)}
			serverless.NewFunction(stack, "Checkout", props)
			wantNoFaults(t, stack)
			got := statements(t, stack)
			if len(got) != 1 {
				t.Fatalf("there are %d statements, want one: %v", len(got), got)
			}
			if got[0].Effect != "Allow" {
				t.Errorf("the effect is %s", got[0].Effect)
			}
			if actions := texts(got[0].Action); !reflect.DeepEqual(actions, sam.actions) {
				t.Errorf("the actions are %q, want %q", actions, sam.actions)
			}
			if resources := texts(got[0].Resource); !reflect.DeepEqual(resources, sam.resources) {
				t.Errorf("the resources are %q, want %q", resources, sam.resources)
			}
		})
	}
}

func TestPoliciesTakeWhatTheAppMade(t *testing.T) {
	stack := newStack(t)
	props := checkout
	props.Policies = []serverless.Policy{
		serverless.DynamoDBCrudPolicy(serverless.NewTable(stack, "Orders", serverless.TableProps{PartitionKey: "id"})),
		serverless.S3ReadPolicy(awss3.NewBucket(stack, jsii.String("Files"), nil)),
		serverless.SQSSendMessagePolicy(serverless.NewQueue(stack, "Work", serverless.QueueProps{})),
		serverless.SNSPublishMessagePolicy(awssns.NewTopic(stack, jsii.String("Placed"), nil)),
	}
	f := serverless.NewFunction(stack, "Checkout", props)
	f.AddPolicy(serverless.LambdaInvokePolicy(serverless.NewFunction(stack, "Other", checkout)))
	wantNoFaults(t, stack)
	policies := asJSON(t, resources(t, stack, "AWS::IAM::Policy"))
	for _, id := range []string{"OrdersA9B65338", "Files8E6940B8", "WorkBF636A8B", "Other", "Placed"} {
		if !strings.Contains(policies, id) {
			t.Errorf("no policy names %s: %s", id, policies)
		}
	}
}

// A right to an encrypted thing is worth nothing without one to its key.
func TestPoliciesUseKeys(t *testing.T) {
	for name, c := range map[string]struct {
		policy func(s awscdk.Stack, key awskms.Key) serverless.Policy
		writes bool
	}{
		"DynamoDBReadPolicy": {func(s awscdk.Stack, key awskms.Key) serverless.Policy {
			return serverless.DynamoDBReadPolicy(serverless.NewTable(s, "T", serverless.TableProps{PartitionKey: "id", EncryptionKey: key}))
		}, false},
		"DynamoDBCrudPolicy": {func(s awscdk.Stack, key awskms.Key) serverless.Policy {
			return serverless.DynamoDBCrudPolicy(serverless.NewTable(s, "T", serverless.TableProps{PartitionKey: "id", EncryptionKey: key}))
		}, true},
		"S3ReadPolicy": {func(s awscdk.Stack, key awskms.Key) serverless.Policy {
			return serverless.S3ReadPolicy(awss3.NewBucket(s, jsii.String("B"), &awss3.BucketProps{EncryptionKey: key}))
		}, false},
		"S3WritePolicy": {func(s awscdk.Stack, key awskms.Key) serverless.Policy {
			return serverless.S3WritePolicy(awss3.NewBucket(s, jsii.String("B"), &awss3.BucketProps{EncryptionKey: key}))
		}, true},
		"SQSSendMessagePolicy": {func(s awscdk.Stack, key awskms.Key) serverless.Policy {
			return serverless.SQSSendMessagePolicy(serverless.NewQueue(s, "Q", serverless.QueueProps{EncryptionKey: key}))
		}, true},
		"SQSPollerPolicy": {func(s awscdk.Stack, key awskms.Key) serverless.Policy {
			return serverless.SQSPollerPolicy(serverless.NewQueue(s, "Q", serverless.QueueProps{EncryptionKey: key}))
		}, false},
		"SNSPublishMessagePolicy": {func(s awscdk.Stack, key awskms.Key) serverless.Policy {
			return serverless.SNSPublishMessagePolicy(awssns.NewTopic(s, jsii.String("T"), &awssns.TopicProps{MasterKey: key}))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			stack := newStack(t)
			key := awskms.NewKey(stack, jsii.String("Key"), nil)
			props := checkout
			props.Policies = []serverless.Policy{c.policy(stack, key)}
			serverless.NewFunction(stack, "Checkout", props)
			wantNoFaults(t, stack)
			var rights []string
			for _, s := range statements(t, stack) {
				for _, action := range texts(s.Action) {
					if strings.HasPrefix(action, "kms:") {
						rights = append(rights, action)
					}
				}
			}
			if !slices.Contains(rights, "kms:Decrypt") || slices.Contains(rights, "kms:Encrypt") != c.writes {
				t.Errorf("the rights to the key are %q", rights)
			}
		})
	}
}

func TestRawPolicies(t *testing.T) {
	stack := newStack(t)
	props := checkout
	props.Policies = []serverless.Policy{
		serverless.Statement{
			Actions: []string{"ses:SendEmail"}, Resources: []string{"arn:aws:ses:eu-west-1:123456789012:identity/shop.example"},
			Conditions: map[string]map[string]any{"StringEquals": {"ses:FromAddress": "orders@shop.example"}},
		},
		serverless.Statement{Actions: []string{"ses:DeleteIdentity"}, Resources: []string{"*"}, Deny: true},
		serverless.RawStatement(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings("ssm:GetParameter"), Resources: jsii.Strings("*"),
		})),
		serverless.ManagedPolicy("AmazonRekognitionReadOnlyAccess"),
		serverless.ManagedPolicy("arn:aws:iam::123456789012:policy/house-rules"),
		serverless.ManagedPolicy("arn:aws:iam::123456789012:policy/more-rules"),
	}
	serverless.NewFunction(stack, "Checkout", props)
	wantNoFaults(t, stack)
	got := asJSON(t, statements(t, stack))
	want := `[{"Effect":"Allow","Action":["ses:SendEmail"],"Resource":["arn:aws:ses:eu-west-1:123456789012:identity/shop.example"],"Condition":{"StringEquals":{"ses:FromAddress":"orders@shop.example"}}},` +
		`{"Effect":"Deny","Action":["ses:DeleteIdentity"],"Resource":["*"],"Condition":null},` +
		`{"Effect":"Allow","Action":["ssm:GetParameter"],"Resource":["*"],"Condition":null}]`
	if got != want {
		t.Errorf("the statements are\n%s, want\n%s", got, want)
	}
	managed := asJSON(t, only(t, stack, "AWS::IAM::Role")["ManagedPolicyArns"])
	for _, name := range []string{"AmazonRekognitionReadOnlyAccess", "house-rules", "more-rules"} {
		if !strings.Contains(managed, name) {
			t.Errorf("the managed policies lack %s: %s", name, managed)
		}
	}
}
