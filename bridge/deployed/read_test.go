package deployed

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/assembly"
	"github.com/bailey-cdk/bailey/bridge/cfn"
)

// fake answers as CloudFormation does, in the AWS query protocol.
type fake struct {
	stacks  map[string]string // the members of a Stack, by name and ARN
	pages   map[string][]string
	exports string
	refuse  map[string]string // an error code, by action
	asked   []string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	action, name := r.Form.Get("Action"), r.Form.Get("StackName")
	f.asked = append(f.asked, action)
	if code, ok := f.refuse[action]; ok {
		answerError(w, code, "not for you")
		return
	}
	switch action {
	case "DescribeStacks":
		f.describe(w, name)
	case "ListStackResources":
		page := 0
		_, _ = fmt.Sscan(r.Form.Get("NextToken"), &page)
		next := ""
		if page+1 < len(f.pages[name]) {
			next = fmt.Sprintf("<NextToken>%d</NextToken>", page+1)
		}
		answer(w, action, "<StackResourceSummaries>"+f.pages[name][page]+"</StackResourceSummaries>"+next)
	case "ListExports":
		answer(w, action, "<Exports>"+f.exports+"</Exports>")
	default:
		answerError(w, "InvalidAction", action)
	}
}

func (f *fake) describe(w http.ResponseWriter, name string) {
	var members strings.Builder
	for _, key := range slices.Sorted(maps.Keys(f.stacks)) {
		if name == key || name == "" && !strings.HasPrefix(key, "arn:") {
			members.WriteString("<member>" + f.stacks[key] + "</member>")
		}
	}
	if members.Len() == 0 && name != "" {
		answerError(w, "ValidationError", "Stack with id "+name+" does not exist")
		return
	}
	answer(w, "DescribeStacks", "<Stacks>"+members.String()+"</Stacks>")
}

func answer(w http.ResponseWriter, action, result string) {
	fmt.Fprintf(w, `<%[1]sResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>`, action, result)
}

func answerError(w http.ResponseWriter, code, message string) {
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, message)
}

func stackXML(name, more string) string {
	return fmt.Sprintf("<StackName>%[1]s</StackName><StackId>%[2]s</StackId><StackStatus>UPDATE_COMPLETE</StackStatus>%[3]s", name, stackARN(name), more)
}

func stackARN(name string) string {
	return "arn:aws:cloudformation:eu-west-1:210987654321:stack/" + name + "/1"
}

func resourceXML(logical, physical, status string) string {
	return fmt.Sprintf("<member><LogicalResourceId>%s</LogicalResourceId><PhysicalResourceId>%s</PhysicalResourceId><ResourceStatus>%s</ResourceStatus></member>", logical, physical, status)
}

// serve leads the SDK to the fake.
func serve(t *testing.T, f http.Handler) {
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	lead(t, server.URL)
}

func lead(t *testing.T, endpoint string) {
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "",
		"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "", "AWS_MAX_ATTEMPTS": "1",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true", "HOME": filepath.Dir(none),
	} {
		t.Setenv(name, value)
	}
}

// stageOf has a stack of each name, the first with a stack nested in it.
func stageOf(t *testing.T, names ...string) *assembly.Stage {
	t.Helper()
	stage := &assembly.Stage{}
	for _, name := range names {
		template, err := cfn.Parse(name, []byte(`{"Resources": {
			"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Fn::ImportValue": "theirs"}}},
			"Inner": {"Type": "AWS::CloudFormation::Stack"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		stage.Stacks = append(stage.Stacks, &assembly.Stack{Name: name, Path: "App/" + name, Template: template, Nested: map[string]*assembly.Stack{}})
	}
	stage.Stacks[0].Nested["Inner"] = &assembly.Stack{Name: "inner", Path: "App/" + names[0] + "/Inner", Template: &cfn.Template{}}
	return stage
}

func newFake() *fake {
	inner := stackARN("Shop-Inner-X")
	return &fake{
		stacks: map[string]string{
			"Shop": stackXML("Shop", `<Outputs><member><OutputKey>Url</OutputKey><OutputValue>https://x</OutputValue></member></Outputs>
				<Parameters>
				<member><ParameterKey>Level</ParameterKey><ParameterValue>debug</ParameterValue></member>
				<member><ParameterKey>Zone</ParameterKey><ParameterValue>/zone</ParameterValue><ResolvedValue>z1</ResolvedValue></member>
				<member><ParameterKey>Password</ParameterKey><ParameterValue>****</ParameterValue></member></Parameters>`),
			"Draft":  strings.Replace(stackXML("Draft", ""), "UPDATE_COMPLETE", "REVIEW_IN_PROGRESS", 1),
			"Other":  stackXML("Other", ""),
			inner:    stackXML("Shop-Inner-X", ""),
			"Hidden": stackXML("Hidden", "<ParentId>"+stackARN("Other")+"</ParentId>"),
		},
		pages: map[string][]string{
			"Shop":  {resourceXML("Table", "Shop-Table-X", "CREATE_COMPLETE") + resourceXML("Gone", "g", "DELETE_COMPLETE"), resourceXML("Inner", inner, "UPDATE_COMPLETE") + resourceXML("Failed", "", "CREATE_FAILED")},
			inner:   {resourceXML("Queue", "https://sqs/1/q", "CREATE_COMPLETE")},
			"Other": {resourceXML("Table", "Other-Table-X", "CREATE_COMPLETE")},
		},
		exports: "<member><Name>theirs</Name><Value>their value</Value></member>",
	}
}

func TestRead(t *testing.T) {
	f := newFake()
	serve(t, f)
	got, err := Read(t.Context(), stageOf(t, "Shop"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{"theirs": "their value"}
	want := map[string]*cfn.Deployed{
		"App/Shop": {
			StackID: stackARN("Shop"), PhysicalIDs: map[string]string{"Table": "Shop-Table-X", "Inner": stackARN("Shop-Inner-X")},
			Outputs: map[string]string{"Url": "https://x"}, Parameters: map[string]string{"Level": "debug", "Zone": "z1"}, Exports: exports,
		},
		"App/Shop/Inner": {
			StackID: stackARN("Shop-Inner-X"), PhysicalIDs: map[string]string{"Queue": "https://sqs/1/q"},
			Outputs: map[string]string{}, Parameters: map[string]string{}, Exports: exports,
		},
	}
	if !reflect.DeepEqual(got.ByPath, want) || len(got.Remarks) != 0 {
		t.Errorf("got %+v, %q", got.ByPath, got.Remarks)
	}
	for _, action := range f.asked {
		if !strings.HasPrefix(action, "Describe") && !strings.HasPrefix(action, "List") {
			t.Errorf("it called %s", action)
		}
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct {
		stacks, names, want []string
	}{
		{[]string{"Shop"}, []string{"Other"}, []string{"App/Shop=" + stackARN("Other")}},
		{[]string{"Mine"}, []string{"Mine=Other"}, []string{"App/Mine=" + stackARN("Other")}},
		{[]string{"Other", "Mine"}, []string{"Other"}, []string{"App/Other=" + stackARN("Other")}},
		{[]string{"Other", "Mine"}, []string{"App/Other"}, []string{"App/Other=" + stackARN("Other")}},
		{[]string{"Other", "Mine"}, nil, []string{"App/Other=" + stackARN("Other")}},
	} {
		serve(t, newFake())
		got, err := Read(t.Context(), stageOf(t, test.stacks...), Options{Names: test.names})
		if err != nil {
			t.Errorf("%q of %q: %v", test.names, test.stacks, err)
			continue
		}
		var read []string
		for path, d := range got.ByPath {
			read = append(read, path+"="+d.StackID)
		}
		if !slices.Equal(read, test.want) {
			t.Errorf("%q of %q: got %q, want %q", test.names, test.stacks, read, test.want)
		}
	}
}

// What is not deployed stays local, and is told.
func TestRemarks(t *testing.T) {
	f := newFake()
	f.refuse = map[string]string{"ListExports": "AccessDenied"}
	serve(t, f)
	got, err := Read(t.Context(), stageOf(t, "Other", "Mine"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"access denied: not for you",
		"nested stack App/Other/Inner is not deployed; its values stay local",
		"stack App/Mine is not deployed in eu-west-1; its values stay local",
	} {
		if i >= len(got.Remarks) || !strings.Contains(got.Remarks[i], want) {
			t.Errorf("got the remarks %q, want %q", got.Remarks, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for name, test := range map[string]struct {
		stacks, names []string
		prepare       func(*testing.T, *fake)
		want          string
	}{
		"missing":       {[]string{"Mine"}, nil, nil, "--from-stack: stack Mine is not deployed in eu-west-1; there are: Other, Shop"},
		"missing name":  {[]string{"Shop"}, []string{"Live"}, nil, "--from-stack: stack Live is not deployed in eu-west-1; there are: Other, Shop"},
		"draft":         {[]string{"Draft"}, nil, nil, "stack Draft is not deployed in eu-west-1; there are"},
		"unknown":       {[]string{"Shop", "Other"}, []string{"Live"}, nil, `the application has no stack "Live"; it has: Other, Shop`},
		"half":          {[]string{"Shop"}, []string{"Shop="}, nil, "it names no deployed stack"},
		"denied":        {[]string{"Shop"}, nil, func(_ *testing.T, f *fake) { f.refuse = map[string]string{"DescribeStacks": "AccessDenied"} }, "access denied: not for you; it needs cloudformation:DescribeStacks"},
		"denied later":  {[]string{"Shop"}, nil, func(_ *testing.T, f *fake) { f.refuse = map[string]string{"ListStackResources": "AccessDenied"} }, "access denied"},
		"expired":       {[]string{"Shop"}, nil, func(_ *testing.T, f *fake) { f.refuse = map[string]string{"DescribeStacks": "ExpiredToken"} }, "AWS does not take the credentials: ExpiredToken: not for you"},
		"other":         {[]string{"Shop"}, nil, func(_ *testing.T, f *fake) { f.refuse = map[string]string{"DescribeStacks": "Oops"} }, "CloudFormation in eu-west-1 answers Oops: not for you"},
		"no region":     {[]string{"Shop"}, nil, func(t *testing.T, _ *fake) { t.Setenv("AWS_REGION", "") }, "stack App/Shop names no region"},
		"no profile":    {[]string{"Shop"}, nil, func(t *testing.T, _ *fake) { t.Setenv("AWS_PROFILE", "nobody") }, "the AWS configuration has no profile nobody"},
		"no credential": {[]string{"Shop"}, nil, func(t *testing.T, _ *fake) { t.Setenv("AWS_ACCESS_KEY_ID", "") }, "no AWS credentials: set AWS_PROFILE"},
		"no network":    {[]string{"Shop"}, nil, func(t *testing.T, _ *fake) { lead(t, "http://"+closedPort(t)) }, "CloudFormation in eu-west-1 can't be reached: dial tcp"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			serve(t, f)
			if test.prepare != nil {
				test.prepare(t, f)
			}
			got, err := Read(t.Context(), stageOf(t, test.stacks...), Options{Names: test.names})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, %v, want %q", got, err, test.want)
			}
			if strings.ContainsAny(err.Error(), "\n") {
				t.Errorf("the message has several lines: %v", err)
			}
		})
	}
}

func TestProfile(t *testing.T) {
	serve(t, newFake())
	file := filepath.Join(t.TempDir(), "config")
	text := "[profile work]\nregion = eu-west-1\naws_access_key_id = k\naws_secret_access_key = s\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(name, "")
	}
	var none *CredentialsError
	if _, err := Read(t.Context(), stageOf(t, "Shop"), Options{Region: "eu-west-1"}); !errors.As(err, &none) {
		t.Errorf("without the profile: got %v", err)
	}
	if _, err := Read(t.Context(), stageOf(t, "Shop"), Options{Profile: "work"}); err != nil {
		t.Error(err)
	}
}

func closedPort(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
