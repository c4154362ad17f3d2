package serverless_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/bailey-cdk/bailey/constructs/internal/constructtest"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

// policyTemplates are the package's data on SAM's templates.
func policyTemplates(t *testing.T) (all map[string]policyTemplate) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(constructtest.Folder, "policy_templates.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

type policyTemplate struct {
	Parameters []string
	Statements []templateStatement
}

type templateStatement struct {
	Actions    []string
	Resources  []string
	Conditions map[string]map[string]string
}

func TestPolicyTemplate(t *testing.T) {
	const here = `"arn:",{"Ref":"AWS::Partition"},":`
	for _, c := range []struct {
		name       string
		parameters map[string]string
		want       string
	}{
		{"EC2DescribePolicy", nil, `[{"Action":["ec2:DescribeRegions","ec2:DescribeInstances"],"Effect":"Allow","Resource":"*"}]`},
		{
			"SESSendBouncePolicy",
			map[string]string{"IdentityName": "shop.example"},
			`[{"Action":"ses:SendBounce","Effect":"Allow","Resource":{"Fn::Join":["",[` + here + `ses:",{"Ref":"AWS::Region"},":",{"Ref":"AWS::AccountId"},":identity/shop.example"]]}}]`,
		},
		{
			"EFSWriteAccessPolicy",
			map[string]string{"FileSystem": "fs-1", "AccessPoint": "ap-1"},
			`[{"Action":["elasticfilesystem:ClientMount","elasticfilesystem:ClientWrite"],"Condition":{"StringEquals":{"elasticfilesystem:AccessPointArn":{"Fn::Join":["",[` + here +
				`elasticfilesystem:",{"Ref":"AWS::Region"},":",{"Ref":"AWS::AccountId"},":access-point/ap-1"]]}}},"Effect":"Allow","Resource":{"Fn::Join":["",[` + here +
				`elasticfilesystem:",{"Ref":"AWS::Region"},":",{"Ref":"AWS::AccountId"},":file-system/fs-1"]]}}]`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			stack := newStack(t)
			props := checkout
			props.Policies = []serverless.Policy{serverless.PolicyTemplate(c.name, c.parameters)}
			serverless.NewFunction(stack, "Checkout", props)
			wantNoFaults(t, stack)
			document := only(t, stack, "AWS::IAM::Policy")["PolicyDocument"].(map[string]any)
			var own []any
			for _, s := range document["Statement"].([]any) {
				if text := asJSON(t, s); !strings.Contains(text, `"logs:`) && !strings.Contains(text, `"xray:`) {
					own = append(own, s)
				}
			}
			if got := asJSON(t, own); got != c.want {
				t.Errorf("the statements are\n%s, want\n%s", got, c.want)
			}
		})
	}
}

// Each template of SAM's can be had, with the parameters that it has.
func TestEveryPolicyTemplate(t *testing.T) {
	stack := newStack(t)
	f := serverless.NewFunction(stack, "Checkout", checkout)
	all := policyTemplates(t)
	for name, template := range all {
		parameters := map[string]string{}
		for _, parameter := range template.Parameters {
			parameters[parameter] = "arn:aws:service:eu-west-1:123456789012:thing"
		}
		f.AddPolicy(serverless.PolicyTemplate(name, parameters))
		for _, s := range template.Statements {
			for _, text := range s.Resources {
				for _, parameter := range template.Parameters {
					text = strings.ReplaceAll(text, "${"+parameter+"}", "")
				}
				for _, known := range []string{"Partition", "Region", "AccountId"} {
					text = strings.ReplaceAll(text, "${AWS::"+known+"}", "")
				}
				if strings.Contains(text, "${") {
					t.Errorf("%s: a resource has what nothing fills: %s", name, text)
				}
			}
		}
	}
	wantNoFaults(t, stack)
	if len(all) < 81 {
		t.Errorf("there are %d templates, want SAM's 81", len(all))
	}
	// The CDK puts what is too much for one policy into others.
	policies := asJSON(t, resources(t, stack, "AWS::IAM::Policy")) + asJSON(t, resources(t, stack, "AWS::IAM::ManagedPolicy"))
	for _, want := range []string{"textract:*", "states:StartSyncExecution", "codecommit:GitPush"} {
		if !strings.Contains(policies, want) {
			t.Errorf("the role may not %s", want)
		}
	}
}

func TestPolicyTemplateFaults(t *testing.T) {
	policy := func(name string, parameters map[string]string, fault string) mistake {
		return mistake{Name: name, Make: func(s awscdk.Stack, id string) {
			p := checkout
			p.Policies = []serverless.Policy{serverless.PolicyTemplate(name, parameters)}
			serverless.NewFunction(s, id, p)
		}, Fault: fault}
	}
	wantMistakes(t, func(awscdk.Stack) []mistake {
		return []mistake{
			policy("SESCrud", nil, "SESCrud: SAM has no policy template of this name: it has SESCrudPolicy"),
			policy("xyz", nil, "xyz: SAM has no policy template of this name"),
			policy("SESCrudPolicy", nil, "SESCrudPolicy: the parameter IdentityName is missing"),
			policy("EC2DescribePolicy", map[string]string{"Region": "a"}, "EC2DescribePolicy: it has no parameter Region: it has none"),
			policy("KMSDecryptPolicy", map[string]string{"KeyId": "a", "Key": "b"}, "KMSDecryptPolicy: it has no parameter Key: it has KeyId"),
		}
	})
}

// The functions of the package's own allow what the template of their name
// does, but for what their documentation says.
func TestFunctionsAgreeWithTemplates(t *testing.T) {
	all := policyTemplates(t)
	for _, sam := range samTemplates {
		template, known := all[sam.name]
		if !known || len(template.Statements) != 1 {
			t.Errorf("%s is no template with one statement: %+v", sam.name, template)
			continue
		}
		if got := template.Statements[0].Actions; !reflect.DeepEqual(got, sam.actions) {
			t.Errorf("%s: the data has the actions %q, want %q", sam.name, got, sam.actions)
		}
	}
}
