package cfn

import (
	"reflect"
	"strings"
	"testing"
)

const deployedTemplate = `{
  "Parameters": {
    "Level": {"Type": "String", "Default": "info"},
    "Zones": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/zones"},
    "Password": {"Type": "String", "NoEcho": true, "Default": "guess"},
    "New": {"Type": "String", "Default": "new"}
  },
  "Resources": {
    "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "local"}},
    "Shown": {"Type": "AWS::DynamoDB::Table"},
    "Queue": {"Type": "AWS::SQS::Queue"},
    "FarQueue": {"Type": "AWS::SQS::Queue"},
    "Topic": {"Type": "AWS::SNS::Topic"},
    "Api": {"Type": "AWS::ApiGatewayV2::Api"},
    "Rest": {"Type": "AWS::ApiGateway::RestApi"},
    "Role": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/service/"}},
    "Plain": {"Type": "AWS::IAM::Role"},
    "Rule": {"Type": "AWS::Events::Rule"},
    "Function": {"Type": "AWS::Lambda::Function"},
    "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
    "Secret": {"Type": "AWS::SecretsManager::Secret"},
    "Search": {"Type": "AWS::OpenSearchService::Domain"},
    "Odd": {"Type": "Custom::Thing"},
    "Missing": {"Type": "AWS::SQS::Queue"}
  },
  "Outputs": {
    "Stream": {"Value": {"Fn::GetAtt": ["Shown", "StreamArn"]}},
    "Made": {"Value": {"Fn::Join": ["", ["a", {"Ref": "Table"}]]}, "Export": {"Name": "made"}},
    "Hidden": {"Value": {"Ref": "Password"}, "Export": {"Name": "hidden"}}
  }
}`

func deployedScope(t *testing.T) *Scope {
	t.Helper()
	template, err := Parse("t.json", []byte(deployedTemplate))
	if err != nil {
		t.Fatal(err)
	}
	const id = "arn:aws:cloudformation:eu-west-1:210987654321:stack/Live/1a2b"
	pseudo, err := DeployedPseudo(id)
	if err != nil {
		t.Fatal(err)
	}
	s := &Scope{Template: template, Pseudo: pseudo, Deployed: &Deployed{
		StackID: id,
		PhysicalIDs: map[string]string{
			"Table": "Live-Table-XYZ", "Shown": "Live-Shown-XYZ",
			"Queue": "https://sqs.eu-west-1.amazonaws.com/210987654321/Live-Queue-XYZ", "FarQueue": "http://127.0.0.1:5000/1/far",
			"Topic": "arn:aws:sns:eu-west-1:210987654321:Live-Topic", "Api": "abc123", "Rest": "r3st",
			"Role": "Live-Role-X", "Plain": "Live-Plain-X", "Rule": "bus|Live-Rule",
			"Function": "Live-Function", "Version": "arn:aws:lambda:eu-west-1:210987654321:function:Live-Function:7",
			"Secret": "arn:aws:secretsmanager:eu-west-1:210987654321:secret:Live-abcdef", "Search": "live-search", "Odd": "odd-1",
		},
		Outputs:    map[string]string{"Stream": "arn:stream", "Made": "as deployed", "Hidden": "s3cret"},
		Parameters: map[string]string{"Level": "debug", "Zones": "a,b"},
		Exports:    map[string]string{"foreign": "of another app"},
	}}
	new(Evaluation).Add(s)
	return s
}

func TestDeployedValues(t *testing.T) {
	arn := func(service, rest string) string { return "arn:aws:" + service + ":eu-west-1:210987654321:" + rest }
	for expression, want := range map[string]any{
		`{"Ref": "AWS::AccountId"}`:                  "210987654321",
		`{"Ref": "AWS::Region"}`:                     "eu-west-1",
		`{"Ref": "AWS::StackName"}`:                  "Live",
		`{"Ref": "AWS::StackId"}`:                    "arn:aws:cloudformation:eu-west-1:210987654321:stack/Live/1a2b",
		`{"Ref": "Level"}`:                           "debug",
		`{"Ref": "Zones"}`:                           []any{"a", "b"},
		`{"Ref": "New"}`:                             "new",
		`{"Ref": "Table"}`:                           "Live-Table-XYZ",
		`{"Ref": "Odd"}`:                             "odd-1",
		`{"Ref": "Queue"}`:                           "https://sqs.eu-west-1.amazonaws.com/210987654321/Live-Queue-XYZ",
		`{"Fn::ImportValue": "made"}`:                "as deployed",
		`{"Fn::ImportValue": "foreign"}`:             "of another app",
		`{"Fn::GetAtt": ["Table", "Arn"]}`:           arn("dynamodb", "table/Live-Table-XYZ"),
		`{"Fn::GetAtt": ["Shown", "StreamArn"]}`:     "arn:stream",
		`{"Fn::GetAtt": ["Queue", "Arn"]}`:           arn("sqs", "Live-Queue-XYZ"),
		`{"Fn::GetAtt": ["Queue", "QueueName"]}`:     "Live-Queue-XYZ",
		`{"Fn::GetAtt": ["FarQueue", "Arn"]}`:        arn("sqs", "far"),
		`{"Fn::GetAtt": ["FarQueue", "QueueUrl"]}`:   "http://127.0.0.1:5000/1/far",
		`{"Fn::GetAtt": ["Topic", "TopicArn"]}`:      arn("sns", "Live-Topic"),
		`{"Fn::GetAtt": ["Topic", "TopicName"]}`:     "Live-Topic",
		`{"Fn::GetAtt": ["Api", "ApiEndpoint"]}`:     "https://abc123.execute-api.eu-west-1.amazonaws.com",
		`{"Fn::GetAtt": ["Role", "Arn"]}`:            "arn:aws:iam::210987654321:role/service/Live-Role-X",
		`{"Fn::GetAtt": ["Plain", "Arn"]}`:           "arn:aws:iam::210987654321:role/Live-Plain-X",
		`{"Fn::GetAtt": ["Rule", "Arn"]}`:            arn("events", "rule/bus/Live-Rule"),
		`{"Fn::GetAtt": ["Function", "Arn"]}`:        arn("lambda", "function:Live-Function"),
		`{"Fn::GetAtt": ["Version", "Version"]}`:     "7",
		`{"Fn::GetAtt": ["Version", "FunctionArn"]}`: arn("lambda", "function:Live-Function:7"),
		`{"Fn::GetAtt": ["Secret", "Id"]}`:           arn("secretsmanager", "secret:Live-abcdef"),
		`{"Fn::GetAtt": ["Search", "DomainArn"]}`:    arn("es", "domain/live-search"),
	} {
		got, problems := deployedScope(t).Eval(decodeValue(t, expression), "here")
		if !reflect.DeepEqual(got, want) || len(problems) != 0 {
			t.Errorf("%s: got %v, %v, want %v", expression, got, problems, want)
		}
	}
}

// What AWS alone knows is named, and never a made value.
func TestDeployedValuesAreNotMadeUp(t *testing.T) {
	for expression, reason := range map[string]string{
		`{"Fn::GetAtt": ["Table", "StreamArn"]}`:       "add an output",
		`{"Fn::GetAtt": ["Table", "TableId"]}`:         "add an output",
		`{"Fn::GetAtt": ["Rest", "RootResourceId"]}`:   "add an output",
		`{"Fn::GetAtt": ["Search", "DomainEndpoint"]}`: "add an output",
		`{"Fn::GetAtt": ["Odd", "Answer"]}`:            "add an output",
		`{"Ref": "Password"}`:                          "--parameter-overrides Password=VALUE",
		`{"Fn::ImportValue": "nobody's"}`:              "no stack of the application exports it",
	} {
		got, problems := deployedScope(t).Eval(decodeValue(t, expression), "here")
		text, _ := got.(string)
		if len(problems) == 0 || !strings.HasPrefix(text, UnresolvedPrefix) || !strings.Contains(problems[len(problems)-1].Reason, reason) {
			t.Errorf("%s: got %v, %v", expression, got, problems)
		}
	}
}

// A secret that an output shows stays marked as one.
func TestDeployedSecretOutput(t *testing.T) {
	got, problems := deployedScope(t).Eval(decodeValue(t, `{"Fn::ImportValue": "hidden"}`), "here")
	if got != "s3cret" || len(problems) != 1 || !problems[0].Secret {
		t.Errorf("got %v, %v", got, problems)
	}
}

func TestNotDeployedResourceStaysLocal(t *testing.T) {
	got, problems := deployedScope(t).Eval(decodeValue(t, `{"Fn::GetAtt": ["Missing", "Arn"]}`), "here")
	if got != "arn:aws:sqs:eu-west-1:210987654321:Live-Missing" {
		t.Errorf("got %v", got)
	}
	if len(problems) == 0 || !problems[0].Local || !strings.Contains(problems[0].Reason, "the deployed stack Live has no such resource") {
		t.Errorf("got the problems %v", problems)
	}
}

func TestDeployedPseudoRefusesOtherARNs(t *testing.T) {
	for _, id := range []string{"", "Live", "arn:aws:s3:::bucket", "arn:aws:cloudformation:r:1:stack/Live", "arn:aws:cloudformation:r:1:changeSet/a/b"} {
		if p, err := DeployedPseudo(id); err == nil {
			t.Errorf("%q: got %+v", id, p)
		}
	}
}

// Every pattern of Ref is undone by what bind finds in what it made.
func TestBindUndoesExpand(t *testing.T) {
	for kind, known := range returnValues {
		r := &Resource{Type: kind, Properties: map[string]any{"Name": "N", "PolicyName": "P", "AliasName": "A", "ClientName": "C", "FunctionName": "F"}}
		local := &Scope{Template: &Template{Resources: map[string]*Resource{"R": r}}, Pseudo: LocalPseudo("", "", "S")}
		new(Evaluation).Add(local)
		made, _ := local.String(map[string]any{"Ref": "R"}, "")
		deployed := &Scope{Template: local.Template, Pseudo: local.Pseudo, Deployed: &Deployed{PhysicalIDs: map[string]string{"R": made}}}
		new(Evaluation).Add(deployed)
		if bind(known.ref, made) == nil {
			t.Errorf("%s: %s is not found in %s", kind, known.ref, made)
		}
		for name := range known.attributes {
			want, _ := local.Eval(map[string]any{"Fn::GetAtt": []any{"R", name}}, "")
			got, problems := deployed.Eval(map[string]any{"Fn::GetAtt": []any{"R", name}}, "")
			if len(problems) == 0 && got != want {
				t.Errorf("%s.%s: got %v of the physical id %s, want %v", kind, name, got, made, want)
			}
		}
	}
}

func decodeValue(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := DecodeJSON("value", []byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
