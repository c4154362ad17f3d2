package cfn

import (
	"encoding/json"
	"strings"
	"testing"
)

// scopeOf makes a scope of one template for tests.
func scopeOf(t testing.TB, template string) *Scope {
	t.Helper()
	parsed, err := Parse("test.template.json", []byte(template))
	if err != nil {
		t.Fatal(err)
	}
	e := &Evaluation{}
	s := &Scope{Template: parsed, Pseudo: LocalPseudo("", "", "Shop")}
	e.Add(s)
	return s
}

const everything = `{
  "Parameters": {
    "Level": {"Type": "String", "Default": "info"},
    "Zones": {"Type": "CommaDelimitedList", "Default": "a, b,c"},
    "Count": {"Type": "Number", "Default": 3},
    "Open": {"Type": "String"},
    "Ssm": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/made/here"},
    "SsmList": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/made/list"},
    "SsmElsewhere": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/made/elsewhere"},
    "Hidden": {"Type": "String", "NoEcho": true, "Default": "secret"}
  },
  "Mappings": {"Sizes": {"us-east-1": {"size": "large", "list": ["x", "y"]}}},
  "Conditions": {
    "Yes": {"Fn::Equals": ["1", 1]},
    "No": {"Fn::Not": [{"Condition": "Yes"}]},
    "Both": {"Fn::And": [{"Condition": "Yes"}, {"Fn::Equals": [{"Ref": "Level"}, "info"]}]},
    "Either": {"Fn::Or": [{"Condition": "No"}, {"Condition": "Both"}]},
    "Loop": {"Fn::Not": [{"Condition": "Loop"}]}
  },
  "Resources": {
    "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
    "Named": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Fn::Join": ["-", ["my", {"Ref": "Level"}]]}}},
    "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": true}},
    "Topic": {"Type": "AWS::SNS::Topic"},
    "Bucket": {"Type": "AWS::S3::Bucket"},
    "Fn": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "orders"}},
    "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Fn"}}},
    "Alias": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Fn::GetAtt": ["Fn", "Arn"]}, "Name": "live"}},
    "A": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Ref": "B"}}},
    "B": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Ref": "A"}}},
    "Param": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/made/here", "Value": {"Ref": "Level"}, "Type": "String"}},
    "ParamList": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/made/list", "Value": "p,q", "Type": "StringList"}},
    "Custom": {"Type": "Custom::Thing"}
  },
  "Outputs": {"Out": {"Value": {"Ref": "Named"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-table"}}}}
}`

// TestEval has one row for each form of each intrinsic function. A row with a
// problem gives a part of its text.
func TestEval(t *testing.T) {
	for _, test := range []struct{ name, value, want, problem string }{
		{"plain", `{"a": [1, true, null, "x"]}`, `{"a":[1,true,null,"x"]}`, ""},
		{"number keeps its spelling", `1.10`, `1.10`, ""},

		{"Ref parameter", `{"Ref": "Level"}`, `"info"`, ""},
		{"Ref number parameter", `{"Ref": "Count"}`, `3`, ""},
		{"Ref list parameter", `{"Ref": "Zones"}`, `["a","b","c"]`, ""},
		{"Ref parameter without default", `{"Ref": "Open"}`, `"UNRESOLVED(Ref Open)"`, "no default; give one with --parameter-overrides Open=VALUE"},
		{"Ref SSM parameter of the application", `{"Ref": "Ssm"}`, `"info"`, ""},
		{"Ref SSM list", `{"Ref": "SsmList"}`, `["p","q"]`, ""},
		{"Ref SSM parameter of elsewhere", `{"Ref": "SsmElsewhere"}`, `"UNRESOLVED(Ref SsmElsewhere)"`, `no stack of the application makes the SSM parameter "/made/elsewhere"`},
		{"Ref NoEcho", `{"Ref": "Hidden"}`, `"secret"`, "NoEcho"},
		{
			"Ref pseudo", `[{"Ref": "AWS::AccountId"}, {"Ref": "AWS::Region"}, {"Ref": "AWS::Partition"}, {"Ref": "AWS::URLSuffix"}, {"Ref": "AWS::StackName"}, {"Ref": "AWS::NotificationARNs"}]`,
			`["123456789012","us-east-1","aws","amazonaws.com","Shop",[]]`, "",
		},
		{"Ref NoValue in map", `{"a": {"Ref": "AWS::NoValue"}, "b": 1}`, `{"b":1}`, ""},
		{"Ref NoValue in list", `[{"Ref": "AWS::NoValue"}, 1]`, `[1]`, ""},
		{"Ref unknown", `{"Ref": "Nothing"}`, `"UNRESOLVED(Ref Nothing)"`, "no parameter or resource of this name"},
		{"Ref table", `{"Ref": "Table"}`, `"Shop-Table"`, ""},
		{"Ref named table", `{"Ref": "Named"}`, `"my-info"`, ""},
		{"Ref queue", `{"Ref": "Queue"}`, `"https://sqs.us-east-1.amazonaws.com/123456789012/Shop-Queue.fifo"`, ""},
		{"Ref topic", `{"Ref": "Topic"}`, `"arn:aws:sns:us-east-1:123456789012:Shop-Topic"`, ""},
		{"Ref bucket", `{"Ref": "Bucket"}`, `"shop-bucket"`, ""},
		{"Ref version", `{"Ref": "Version"}`, `"arn:aws:lambda:us-east-1:123456789012:function:orders:1"`, ""},
		{"Ref alias", `{"Ref": "Alias"}`, `"arn:aws:lambda:us-east-1:123456789012:function:orders:live"`, ""},
		{"Ref cycle", `{"Ref": "A"}`, `"UNRESOLVED(Ref A)"`, "refers to itself: Ref A → "},
		{"Ref of what is no name", `{"Ref": 1}`, `"UNRESOLVED(Ref)"`, "takes the name"},
		{"Ref custom resource", `{"Ref": "Custom"}`, `"UNRESOLVED(Ref Custom)"`, "does not know what a Custom::Thing returns"},

		{"GetAtt", `{"Fn::GetAtt": ["Table", "Arn"]}`, `"arn:aws:dynamodb:us-east-1:123456789012:table/Shop-Table"`, ""},
		{"GetAtt short form", `{"Fn::GetAtt": "Queue.QueueName"}`, `"Shop-Queue.fifo"`, ""},
		{"GetAtt unknown attribute", `{"Fn::GetAtt": ["Table", "Color"]}`, `"UNRESOLVED(Fn::GetAtt Table.Color)"`, "only AWS knows this attribute"},
		{"GetAtt unknown resource", `{"Fn::GetAtt": ["Nothing", "Arn"]}`, `"UNRESOLVED(Fn::GetAtt Nothing.Arn)"`, "no resource of this name"},
		{"GetAtt malformed", `{"Fn::GetAtt": ["Table"]}`, `"UNRESOLVED(Fn::GetAtt)"`, "takes a resource and an attribute"},

		{
			"Sub", `{"Fn::Sub": "${Level} ${Table} ${Table.Arn} ${AWS::Region} ${!Literal}"}`,
			`"info Shop-Table arn:aws:dynamodb:us-east-1:123456789012:table/Shop-Table us-east-1 ${Literal}"`, "",
		},
		{"Sub with map", `{"Fn::Sub": ["${a}-${Level}", {"a": {"Ref": "Count"}}]}`, `"3-info"`, ""},
		{"Sub with a list", `{"Fn::Sub": "${Zones}"}`, `"UNRESOLVED(Fn::Sub ${Zones})"`, "list or a map"},
		{"Sub malformed", `{"Fn::Sub": 1}`, `"UNRESOLVED(Fn::Sub)"`, "takes a text"},

		{"Join", `{"Fn::Join": [",", ["a", {"Ref": "Count"}, true]]}`, `"a,3,true"`, ""},
		{"Join of a list parameter", `{"Fn::Join": ["", {"Ref": "Zones"}]}`, `"abc"`, ""},
		{"Join malformed", `{"Fn::Join": ["x"]}`, `"UNRESOLVED(Fn::Join)"`, "list of 2 values"},
		{"Join of no list", `{"Fn::Join": ["", "x"]}`, `"UNRESOLVED(Fn::Join \"x\")"`, "not a list"},
		{"Join keeps what it knows", `{"Fn::Join": ["/", ["a", {"Ref": "Open"}]]}`, `"a/UNRESOLVED(Ref Open)"`, "no default"},

		{"Split and Select", `{"Fn::Select": [1, {"Fn::Split": ["/", "a/b/c"]}]}`, `"b"`, ""},
		{"Select with a text index", `{"Fn::Select": ["2", {"Ref": "Zones"}]}`, `"c"`, ""},
		{"Select out of range", `{"Fn::Select": [3, {"Ref": "Zones"}]}`, `"UNRESOLVED(Fn::Select [3,{\"Ref\":\"Zones\"}])"`, "outside the list of 3"},
		{"Select of what is unresolved", `{"Fn::Select": [5, {"Fn::Split": [":", {"Ref": "Open"}]}]}`, `"UNRESOLVED(Ref Open)"`, "no default"},
		{"Split by nothing", `{"Fn::Split": ["", "x"]}`, `"UNRESOLVED(Fn::Split [\"\",\"x\"])"`, "takes a separator"},

		{"If true", `{"Fn::If": ["Yes", "a", {"Ref": "Open"}]}`, `"a"`, ""},
		{"If false", `{"Fn::If": ["No", "a", "b"]}`, `"b"`, ""},
		{"If And", `{"Fn::If": ["Both", "a", "b"]}`, `"a"`, ""},
		{"If Or", `{"Fn::If": ["Either", "a", "b"]}`, `"a"`, ""},
		{"If NoValue", `{"x": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}}`, `{}`, ""},
		{"If unknown condition", `{"Fn::If": ["Maybe", "a", "b"]}`, `"b"`, "no condition of this name"},
		{"condition cycle", `{"Fn::If": ["Loop", "a", "b"]}`, `"a"`, "refers to itself"},

		{"FindInMap", `{"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "size"]}`, `"large"`, ""},
		{"FindInMap list", `{"Fn::FindInMap": ["Sizes", "us-east-1", "list"]}`, `["x","y"]`, ""},
		{"FindInMap default", `{"Fn::FindInMap": ["Sizes", "mars", "size", {"DefaultValue": "tiny"}]}`, `"tiny"`, ""},
		{"FindInMap unknown", `{"Fn::FindInMap": ["Sizes", "mars", "size"]}`, `"UNRESOLVED(Fn::FindInMap Sizes.mars.size)"`, "no such entry"},

		{"ImportValue", `{"Fn::ImportValue": {"Fn::Sub": "${AWS::StackName}-table"}}`, `"my-info"`, ""},
		{"ImportValue unknown", `{"Fn::ImportValue": "x"}`, `"UNRESOLVED(Fn::ImportValue x)"`, "no stack of the application exports it"},

		{"Base64", `{"Fn::Base64": {"Ref": "Level"}}`, `"aW5mbw=="`, ""},
		{"Cidr", `{"Fn::Cidr": ["10.0.0.0/16", 3, 8]}`, `["10.0.0.0/24","10.0.1.0/24","10.0.2.0/24"]`, ""},
		{"Cidr text arguments", `{"Fn::Select": [1, {"Fn::Cidr": ["192.168.0.0/24", "6", "5"]}]}`, `"192.168.0.32/27"`, ""},
		{"Cidr IPv6", `{"Fn::Cidr": ["2001:db8::/56", 2, 64]}`, `["2001:db8::/64","2001:db8:0:1::/64"]`, ""},
		{"Cidr too many", `{"Fn::Cidr": ["10.0.0.0/24", 3, 7]}`, `"UNRESOLVED(Fn::Cidr 10.0.0.0/24)"`, "do not fit"},
		{"Cidr malformed", `{"Fn::Cidr": ["here", 3, 8]}`, `"UNRESOLVED(Fn::Cidr [\"here\",3,8])"`, "takes an IP block"},
		{"GetAZs", `{"Fn::GetAZs": ""}`, `["us-east-1a","us-east-1b","us-east-1c"]`, ""},
		{"GetAZs of a region", `{"Fn::Select": [0, {"Fn::GetAZs": "eu-west-1"}]}`, `"eu-west-1a"`, ""},
		{"ToJsonString", `{"Fn::ToJsonString": {"b": {"Ref": "Count"}, "a": "<&>"}}`, `"{\"a\":\"<&>\",\"b\":3}"`, ""},
		{"Length", `{"Fn::Length": {"Ref": "Zones"}}`, `3`, ""},
		{"Length of no list", `{"Fn::Length": "abc"}`, `"UNRESOLVED(Fn::Length \"abc\")"`, "takes a list"},
		{"unknown function", `{"Fn::Transform": {"Name": "x"}}`, `"UNRESOLVED(Fn::Transform)"`, "does not know this intrinsic function"},
		{"dynamic reference", `"a{{resolve:secretsmanager:x:SecretString}}b"`, `"a{{resolve:secretsmanager:x:SecretString}}b"`, "kept as it is"},
		{"a policy's Condition is data", `{"Condition": {"StringEquals": {"a": "b"}}}`, `{"Condition":{"StringEquals":{"a":"b"}}}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := scopeOf(t, everything)
			var value any
			if err := DecodeJSON("value", []byte(test.value), &value); err != nil {
				t.Fatal(err)
			}
			got, problems := s.Eval(value, "Resources.X.Properties.Y")
			text, err := marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if text != test.want {
				t.Errorf("got %s, want %s", text, test.want)
			}
			checkProblems(t, problems, test.problem)
		})
	}
}

func checkProblems(t *testing.T, problems []Problem, want string) {
	t.Helper()
	if want == "" {
		if len(problems) > 0 {
			t.Errorf("unexpected problems: %+v", problems)
		}
		return
	}
	for _, p := range problems {
		if p.Where == "" || p.Expression == "" {
			t.Errorf("a problem without place or expression: %+v", p)
		}
		if strings.Contains(p.Reason, want) {
			return
		}
	}
	t.Errorf("no problem says %q: %+v", want, problems)
}

func marshal(v any) (string, error) {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSpace(text.String()), err
}

// TestNoBillionLaughs: references that double the text at each step must
// neither hang nor fill the memory.
func TestNoBillionLaughs(t *testing.T) {
	var resources []string
	for i := range 40 {
		next := "T" + string(rune('A'+(i+1)/26)) + string(rune('a'+(i+1)%26))
		name := "T" + string(rune('A'+i/26)) + string(rune('a'+i%26))
		resources = append(resources, `"`+name+`": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Fn::Join": ["", [{"Ref": "`+next+`"}, {"Ref": "`+next+`"}]]}}}`)
	}
	resources = append(resources, `"TBo": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "x"}}`)
	s := scopeOf(t, `{"Resources": {`+strings.Join(resources, ",")+`}}`)
	got, problems := s.String(map[string]any{"Ref": "TAa"}, "here")
	checkProblems(t, problems, "its text is over 1 MiB")
	if len(got) > 3*maxText {
		t.Errorf("the value has %d bytes", len(got))
	}
}

func TestNestedStack(t *testing.T) {
	parent := scopeOf(t, `{"Resources": {
	  "Table": {"Type": "AWS::DynamoDB::Table"},
	  "Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": {"Parameters": {"TableName": {"Ref": "Table"}}}}}}`)
	template, err := Parse("inner.json", []byte(`{"Parameters": {"TableName": {"Type": "String"}},
	  "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
	  "Outputs": {"Both": {"Value": {"Fn::Sub": "${TableName}/${Queue.QueueName}"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	parent.evaluation.AddNested(parent, "Inner", &Scope{Template: template, Pseudo: LocalPseudo("", "", "Shop-Inner")})
	got, problems := parent.String(map[string]any{"Fn::GetAtt": []any{"Inner", "Outputs.Both"}}, "here")
	if got != "Shop-Table/Shop-Inner-Queue" || len(problems) > 0 {
		t.Errorf("got %q, %v", got, problems)
	}
	_, problems = parent.String(map[string]any{"Fn::GetAtt": []any{"Inner", "Outputs.Other"}}, "here")
	checkProblems(t, problems, "no such output")
}

func TestOverride(t *testing.T) {
	s := scopeOf(t, everything)
	s.evaluation.Overrides = map[string]string{"Open": "given", "Zones": "x,y", "SsmElsewhere": "told"}
	for value, want := range map[string]string{"Open": `"given"`, "Zones": `["x","y"]`, "SsmElsewhere": `"told"`} {
		got, problems := s.Eval(map[string]any{"Ref": value}, "here")
		if text, _ := marshal(got); text != want || len(problems) > 0 {
			t.Errorf("%s: got %s, want %s; %v", value, text, want, problems)
		}
	}
}

// TestReturnValues looks at the table itself: every pattern must expand.
func TestReturnValues(t *testing.T) {
	for kind := range returnValues {
		s := scopeOf(t, `{"Resources": {"X": {"Type": "`+kind+`", "Properties": {"FunctionName": "f", "Name": "n"}}}}`)
		values := map[string]any{"Ref": map[string]any{"Ref": "X"}}
		for attribute := range returnValues[kind].attributes {
			values[attribute] = map[string]any{"Fn::GetAtt": []any{"X", attribute}}
		}
		for name, value := range values {
			got, problems := s.String(value, "here")
			if len(problems) > 0 || strings.Contains(got, "${") {
				t.Errorf("%s %s: %q %v", kind, name, got, problems)
			}
		}
	}
}

func TestPartitions(t *testing.T) {
	for region, want := range map[string]string{"cn-north-1": "aws-cn amazonaws.com.cn", "us-gov-west-1": "aws-us-gov amazonaws.com", "eu-west-1": "aws amazonaws.com"} {
		if p := LocalPseudo("", region, "s"); p.Partition+" "+p.URLSuffix != want {
			t.Errorf("%s: %s %s", region, p.Partition, p.URLSuffix)
		}
	}
}

func FuzzEval(f *testing.F) {
	f.Add(everything, `{"Ref": "A"}`)
	f.Add(`{"Resources":{"A":{"Type":"AWS::Lambda::Alias","Properties":{"FunctionName":{"Ref":"A"},"Name":{"Fn::Sub":"${A}"}}}}}`, `{"Fn::GetAtt":["A","AliasArn"]}`)
	f.Add(`{"Mappings":{"a":{"b":{"c":{"Fn::FindInMap":["a","b","c"]}}}}}`, `{"Fn::FindInMap":["a","b","c"]}`)
	f.Add(`{}`, `{"Fn::Cidr":["::/0",256,1]}`)
	f.Fuzz(func(t *testing.T, template, value string) {
		parsed, err := Parse("fuzz.json", []byte(template))
		if err != nil {
			return
		}
		var v any
		if DecodeJSON("value", []byte(value), &v) != nil {
			return
		}
		s := &Scope{Template: parsed, Pseudo: LocalPseudo("", "", "Shop")}
		(&Evaluation{}).Add(s)
		s.Eval(v, "here")
		for _, id := range parsed.LogicalIDs() {
			s.Active(parsed.Resources[id].Condition)
			s.Eval(parsed.Resources[id].Properties, "there")
			s.PhysicalName(id)
		}
	})
}
