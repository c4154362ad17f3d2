package serverless_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/serverless"
)

// line is the line of its caller, plus after.
func line(after int) int {
	_, _, number, _ := runtime.Caller(1)
	return number + after
}

// Five mistakes in two functions are all in one synth, with path and line.
func TestAllFaultsInOneSynth(t *testing.T) {
	stack := newStack(t)
	first := line(1)
	serverless.NewFunction(stack, "Checkout", serverless.FunctionProps{
		Entry:       "./functions/checkuot",
		Memory:      64,
		Environment: map[string]string{"AWS_REGION": "eu-west-1"},
	})
	second := line(1)
	serverless.NewFunction(stack, "Fulfilment", serverless.FunctionProps{
		Entry:   "./functions/fulfilment",
		Timeout: 20 * time.Minute,
		Events:  serverless.Events{"Place": serverless.HttpApiEvent{Method: "POST", Path: "orders"}},
	})
	want := []string{
		fmt.Sprintf(`fault_test.go:%d: Shop/Checkout: Entry "./functions/checkuot" is not there: name the folder of a Go main package, relative to the folder of cdk.json`, first),
		fmt.Sprintf(`fault_test.go:%d: Shop/Checkout: Memory is 64 MB: allowed are 128 to 10240 MB`, first),
		fmt.Sprintf(`fault_test.go:%d: Shop/Checkout: the environment variable AWS_REGION is reserved by Lambda: choose another name`, first),
		fmt.Sprintf(`fault_test.go:%d: Shop/Fulfilment: Timeout is 20m0s: allowed are 1s to 15m in whole seconds`, second),
		fmt.Sprintf(`fault_test.go:%d: Shop/Fulfilment: event "Place": the path "orders" does not begin with "/"`, second),
	}
	got := faults(stack)
	if len(got) != len(want) {
		t.Errorf("there are %d faults, want %d", len(got), len(want))
	}
	for _, w := range want {
		found := false
		for _, g := range got {
			found = found || strings.HasSuffix(g, w)
		}
		if !found {
			t.Errorf("no fault ends with\n%s\nin\n%s", w, strings.Join(got, "\n"))
		}
	}
}

// The file is named relative to the working folder where it lies below.
func TestFaultPositionIsRelative(t *testing.T) {
	_, file, _, _ := runtime.Caller(0)
	stack := newStack(t)
	t.Chdir(strings.TrimSuffix(file, "/constructs/serverless/fault_test.go"))
	number := line(1)
	serverless.NewFunction(stack, "Checkout", serverless.FunctionProps{})
	got := faults(stack)
	want := fmt.Sprintf("constructs/serverless/fault_test.go:%d: Shop/Checkout: the function has no code", number)
	if len(got) != 1 || !strings.HasPrefix(got[0], want) {
		t.Errorf("the faults are %q, want one that begins with %q", got, want)
	}
}

// A fault of AddEvent is at that call, not at the function's.
func TestFaultOfAddEventIsAtItsCall(t *testing.T) {
	stack := newStack(t)
	f := serverless.NewFunction(stack, "Checkout", checkout)
	event := line(1)
	f.AddEvent("Tick", serverless.ScheduleEvent{Schedule: "hourly"})
	policy := line(1)
	f.AddPolicy(nil)
	wantFault(t, stack, fmt.Sprintf("fault_test.go:%d:", event), `event "Tick": the schedule "hourly" is no schedule`)
	wantFault(t, stack, fmt.Sprintf("fault_test.go:%d:", policy), "a policy is nil")
}

// TestFunctionFaults has every check of a function's props. With each mistake
// the function is made nevertheless, and works as one in the rest of the app.
func TestFunctionFaults(t *testing.T) {
	long := strings.Repeat("x", 257)
	for name, c := range map[string]struct {
		props func(s awscdk.Stack) serverless.FunctionProps
		fault string
	}{
		"no code":                {plain(serverless.FunctionProps{}), "the function has no code: set Entry"},
		"Entry and CodeUri":      {plain(serverless.FunctionProps{Entry: "./functions/checkout", CodeUri: "node"}), "Entry and CodeUri are all set"},
		"Entry is not there":     {plain(serverless.FunctionProps{Entry: "./functions/none"}), `Entry "./functions/none" is not there`},
		"Entry is a file":        {plain(serverless.FunctionProps{Entry: "./functions/checkout/main.go"}), "is a file: name its folder"},
		"Entry is no command":    {plain(serverless.FunctionProps{Entry: "./functions/library"}), `Entry "./functions/library" is the package library`},
		"Entry has no Go":        {plain(serverless.FunctionProps{Entry: "./functions/empty"}), `Entry "./functions/empty" has no Go files for Linux`},
		"Entry is for Windows":   {plain(serverless.FunctionProps{Entry: "./functions/windows"}), "has no Go files for Linux"},
		"Entry without dot":      {plain(serverless.FunctionProps{Entry: "functions/checkout"}), `reads as an import path: write "./functions/checkout"`},
		"Entry is absolute":      {plain(serverless.FunctionProps{Entry: "/functions/checkout"}), "is absolute: write it relative"},
		"Entry for Node.js":      {plain(serverless.FunctionProps{Entry: "./functions/checkout", Runtime: "nodejs22.x"}), `but Runtime is "nodejs22.x": leave Runtime out`},
		"Entry with a Handler":   {plain(serverless.FunctionProps{Entry: "./functions/checkout", Handler: "main"}), `but Handler is "main": leave Handler out`},
		"two tags in one":        {plain(serverless.FunctionProps{Entry: "./functions/checkout", BuildTags: []string{"a,b"}}), `the build tag "a,b" is not one word`},
		"tags without Entry":     {plain(serverless.FunctionProps{CodeUri: "node", Runtime: "nodejs22.x", Handler: "index.handler", BuildTags: []string{"a"}}), "BuildTags need an Entry"},
		"CodeUri alone":          {plain(serverless.FunctionProps{CodeUri: "node"}), "CodeUri needs a Runtime"},
		"CodeUri is not there":   {plain(serverless.FunctionProps{CodeUri: "none", Runtime: "nodejs22.x", Handler: "index.handler"}), `CodeUri "none" can't be read`},
		"CodeUri is a file":      {plain(serverless.FunctionProps{CodeUri: "node/index.js", Runtime: "nodejs22.x", Handler: "index.handler"}), "is a file: name its folder"},
		"unknown Runtime":        {plain(serverless.FunctionProps{CodeUri: "node", Runtime: "rust", Handler: "index.handler"}), `the Runtime "rust" is none of Lambda's`},
		"ImageUri elsewhere":     {plain(serverless.FunctionProps{ImageUri: "docker.io/library/alpine:3"}), "is no image in Amazon ECR"},
		"ImageUri with Runtime":  {plain(serverless.FunctionProps{ImageUri: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1", Runtime: "nodejs22.x"}), "an image has its own runtime"},
		"Dockerfile not there":   {plain(serverless.FunctionProps{Dockerfile: "Containerfile", DockerContext: "image"}), `the Dockerfile "image/Containerfile" is not there`},
		"DockerTarget alone":     {plain(serverless.FunctionProps{Entry: "./functions/checkout", DockerTarget: "run"}), "need a Dockerfile"},
		"ImageCommand alone":     {plain(serverless.FunctionProps{Entry: "./functions/checkout", ImageCommand: []string{"a"}}), "need an ImageUri or a Dockerfile"},
		"unknown architecture":   {valid(func(p *serverless.FunctionProps) { p.Architecture = "amd64" }), `Architecture is "amd64": allowed are "arm64", "x86_64"`},
		"too little memory":      {valid(func(p *serverless.FunctionProps) { p.Memory = 127 }), "Memory is 127 MB"},
		"too much memory":        {valid(func(p *serverless.FunctionProps) { p.Memory = 10241 }), "Memory is 10241 MB"},
		"negative timeout":       {valid(func(p *serverless.FunctionProps) { p.Timeout = -time.Second }), "Timeout is -1s"},
		"timeout too short":      {valid(func(p *serverless.FunctionProps) { p.Timeout = time.Millisecond }), "Timeout is 1ms"},
		"timeout of a fraction":  {valid(func(p *serverless.FunctionProps) { p.Timeout = 1500 * time.Millisecond }), "in whole seconds"},
		"timeout too long":       {valid(func(p *serverless.FunctionProps) { p.Timeout = 901 * time.Second }), "Timeout is 15m1s: allowed are 1s to 15m"},
		"too little storage":     {valid(func(p *serverless.FunctionProps) { p.EphemeralStorage = 511 }), "EphemeralStorage is 511 MB"},
		"too much storage":       {valid(func(p *serverless.FunctionProps) { p.EphemeralStorage = 10241 }), "EphemeralStorage is 10241 MB"},
		"reserved variable":      {valid(func(p *serverless.FunctionProps) { p.Environment = map[string]string{"LAMBDA_TASK_ROOT": "/x"} }), "LAMBDA_TASK_ROOT is reserved by Lambda"},
		"bad variable":           {valid(func(p *serverless.FunctionProps) { p.Environment = map[string]string{"my-table": "x"} }), `"my-table" has a name that Lambda refuses`},
		"short variable":         {valid(func(p *serverless.FunctionProps) { p.Environment = map[string]string{"A": "x"} }), `"A" has a name that Lambda refuses`},
		"large environment":      {valid(func(p *serverless.FunctionProps) { p.Environment = map[string]string{"BIG": strings.Repeat("x", 4094)} }), "take 4097 bytes: Lambda allows 4096"},
		"nil layer":              {valid(func(p *serverless.FunctionProps) { p.Layers = []awslambda.ILayerVersion{nil} }), "Layers[0] is nil"},
		"six layers":             {valid(func(p *serverless.FunctionProps) { p.Layers = make([]awslambda.ILayerVersion, 6) }), "there are 6 Layers"},
		"long description":       {valid(func(p *serverless.FunctionProps) { p.Description = long }), "Description has 257 characters"},
		"long name":              {valid(func(p *serverless.FunctionProps) { p.FunctionName = long[:65] }), "has 65 characters: Lambda allows 64"},
		"bad name":               {valid(func(p *serverless.FunctionProps) { p.FunctionName = "check out" }), `FunctionName "check out" has characters`},
		"negative concurrency":   {valid(func(p *serverless.FunctionProps) { p.ReservedConcurrency = -2 }), "ReservedConcurrency is -2"},
		"unknown tracing":        {valid(func(p *serverless.FunctionProps) { p.Tracing = "On" }), `Tracing is "On"`},
		"unknown log format":     {valid(func(p *serverless.FunctionProps) { p.LogFormat = "XML" }), `LogFormat is "XML"`},
		"unknown log level":      {valid(func(p *serverless.FunctionProps) { p.LogLevel = "VERBOSE" }), `LogLevel is "VERBOSE"`},
		"log level of text":      {valid(func(p *serverless.FunctionProps) { p.LogLevel, p.LogFormat = "INFO", serverless.LogText }), "LogLevel needs the LogFormat LogJSON"},
		"unknown retention":      {valid(func(p *serverless.FunctionProps) { p.LogRetention = "2 weeks" }), `LogRetention "2 weeks" is none of CloudWatch's`},
		"long tag":               {valid(func(p *serverless.FunctionProps) { p.Tags = map[string]string{"a": long} }), `the tag "a" is too long`},
		"tag of AWS":             {valid(func(p *serverless.FunctionProps) { p.Tags = map[string]string{"aws:x": "1"} }), `"aws:x" begins with aws:`},
		"groups without network": {valid(func(p *serverless.FunctionProps) { p.VPCSubnets = &awsec2.SubnetSelection{} }), "need a VPC"},
		"nil event":              {valid(func(p *serverless.FunctionProps) { p.Events = serverless.Events{"E": nil} }), `event "E" is nil`},
		"event without id":       {valid(func(p *serverless.FunctionProps) { p.Events = serverless.Events{"": serverless.HttpApiEvent{}} }), "an event has no id"},
		"event id taken": {valid(func(p *serverless.FunctionProps) {
			p.Events = serverless.Events{"LogGroup": serverless.ScheduleEvent{Schedule: "rate(1 hour)"}}
		}), `event "LogGroup" has the id of another construct`},
		"nil pointer": {valid(func(p *serverless.FunctionProps) { p.DeadLetterQueue = (*serverless.Queue)(nil) }), "DeadLetterQueue is a nil *serverless.Queue"},
		"LogGroup and LogRetention": {func(s awscdk.Stack) serverless.FunctionProps {
			p := checkout
			p.LogGroup = awslogs.NewLogGroup(s, jsii.String("Logs"), nil)
			p.LogRetention = awslogs.RetentionDays_ONE_DAY
			return p
		}, "LogGroup and LogRetention are both set"},
		"two dead letters": {func(s awscdk.Stack) serverless.FunctionProps {
			p := checkout
			p.DeadLetterQueue = awssqs.NewQueue(s, jsii.String("Q"), nil)
			p.DeadLetterTopic = awssns.NewTopic(s, jsii.String("T"), nil)
			return p
		}, "DeadLetterQueue and DeadLetterTopic are both set"},
		"Role and boundary": {func(s awscdk.Stack) serverless.FunctionProps {
			p := checkout
			p.Role = awsiam.NewRole(s, jsii.String("R"), &awsiam.RoleProps{AssumedBy: awsiam.NewAccountRootPrincipal()})
			p.PermissionsBoundary = awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("PowerUserAccess"))
			return p
		}, "Role and PermissionsBoundary are both set"},
		"layer of an image": {func(s awscdk.Stack) serverless.FunctionProps {
			return serverless.FunctionProps{Dockerfile: "Dockerfile", DockerContext: "image", Layers: []awslambda.ILayerVersion{
				awslambda.LayerVersion_FromLayerVersionArn(s, jsii.String("L"), jsii.String("arn:aws:lambda:eu-west-1:123456789012:layer:tools:3")),
			}}
		}, "an image can't have Layers"},
		"layer for Node.js": {func(s awscdk.Stack) serverless.FunctionProps {
			p := checkout
			p.Layers = []awslambda.ILayerVersion{awslambda.NewLayerVersion(s, jsii.String("L"), &awslambda.LayerVersionProps{
				Code: awslambda.Code_FromAsset(jsii.String(abs(t, "node")), nil), CompatibleRuntimes: &[]awslambda.Runtime{awslambda.Runtime_NODEJS_22_X()},
			})}
			return p
		}, "the CDK refuses it: This lambda function uses a runtime that is incompatible with this layer"},
	} {
		t.Run(name, func(t *testing.T) {
			stack := newStack(t)
			f := serverless.NewFunction(stack, "Checkout", c.props(stack))
			got := faults(stack)
			if len(got) != 1 || !strings.Contains(got[0], ": Shop/Checkout: ") || !strings.Contains(got[0], c.fault) {
				t.Errorf("the faults are %q, want one with %q", got, c.fault)
			}
			f.AddEnvironment(jsii.String("STILL"), f.FunctionArn(), nil)
			f.GrantInvoke(awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil))
		})
	}
}

func plain(p serverless.FunctionProps) func(awscdk.Stack) serverless.FunctionProps {
	return func(awscdk.Stack) serverless.FunctionProps { return p }
}

// valid are valid props with one change.
func valid(change func(p *serverless.FunctionProps)) func(awscdk.Stack) serverless.FunctionProps {
	p := checkout
	change(&p)
	return plain(p)
}

func TestEventFaults(t *testing.T) {
	fifo := func(s awscdk.Stack) awssqs.IQueue {
		return awssqs.NewQueue(s, jsii.String("Q"), &awssqs.QueueProps{Fifo: jsii.Bool(true)})
	}
	queue := func(s awscdk.Stack) awssqs.IQueue { return serverless.NewQueue(s, "Q", serverless.QueueProps{}) }
	for name, c := range map[string]struct {
		event func(s awscdk.Stack) serverless.Event
		fault string
	}{
		"unknown method":       {just(serverless.HttpApiEvent{Method: "FETCH", Path: "/a"}), `the method "FETCH" is none that API Gateway routes: use one of ANY, DELETE, GET`},
		"method without path":  {just(serverless.HttpApiEvent{Method: "GET"}), `the path "" does not begin with "/"`},
		"path without slash":   {just(serverless.HttpApiEvent{Path: "orders"}), `the path "orders" does not begin with "/"`},
		"slash at the end":     {just(serverless.HttpApiEvent{Path: "/orders/"}), `ends with "/"`},
		"two slashes":          {just(serverless.HttpApiEvent{Path: "/orders//x"}), "has an empty segment"},
		"query in the path":    {just(serverless.HttpApiEvent{Path: "/orders?id=1"}), "has a character that no path has"},
		"variable in segment":  {just(serverless.HttpApiEvent{Path: "/orders-{id}"}), "has a variable that is not a whole segment"},
		"greedy in the middle": {just(serverless.HttpApiEvent{Path: "/{all+}/x"}), "goes on after a {name+} variable"},
		"payload format":       {just(serverless.HttpApiEvent{PayloadFormatVersion: "3.0"}), `PayloadFormatVersion is "3.0"`},
		"API timeout":          {just(serverless.HttpApiEvent{TimeoutMillis: 30000}), "TimeoutMillis is 30000: allowed are 50 to 29000"},
		"schedule input":       {just(serverless.ScheduleEvent{Schedule: "rate(1 hour)", Input: "{"}), "Input is not JSON: {"},
		"schedule retries":     {just(serverless.ScheduleEvent{Schedule: "rate(1 hour)", MaximumRetryAttempts: 186}), "MaximumRetryAttempts is 186"},
		"schedule age":         {just(serverless.ScheduleEvent{Schedule: "rate(1 hour)", MaximumEventAge: time.Second}), "MaximumEventAge is 1s: allowed are 1m to 24h"},
		"no queue":             {just(serverless.SQSEvent{}), "the Queue is missing"},
		"nil queue":            {just(serverless.SQSEvent{Queue: (*serverless.Queue)(nil)}), "Queue is a nil *serverless.Queue"},
		"batch without window": {func(s awscdk.Stack) serverless.Event { return serverless.SQSEvent{Queue: queue(s), BatchSize: 11} }, "BatchSize is 11: more than 10 need a MaximumBatchingWindow"},
		"batch too large": {func(s awscdk.Stack) serverless.Event {
			return serverless.SQSEvent{Queue: queue(s), BatchSize: 10001, MaximumBatchingWindow: time.Second}
		}, "BatchSize is 10001: allowed are 1 to 10000"},
		"batch of a FIFO queue": {func(s awscdk.Stack) serverless.Event { return serverless.SQSEvent{Queue: fifo(s), BatchSize: 11} }, "a FIFO queue allows 10"},
		"window too long": {func(s awscdk.Stack) serverless.Event {
			return serverless.SQSEvent{Queue: queue(s), MaximumBatchingWindow: 6 * time.Minute}
		}, "MaximumBatchingWindow is 6m0s: allowed are 1s to 5m"},
		"concurrency of one": {func(s awscdk.Stack) serverless.Event {
			return serverless.SQSEvent{Queue: queue(s), MaximumConcurrency: 1}
		}, "MaximumConcurrency is 1: allowed are 2 to 1000"},
		"bad filter": {func(s awscdk.Stack) serverless.Event {
			return serverless.SQSEvent{Queue: queue(s), FilterPatterns: []string{"body"}}
		}, "the filter pattern is no JSON object: body"},
		"six filters": {func(s awscdk.Stack) serverless.Event {
			return serverless.SQSEvent{Queue: queue(s), FilterPatterns: []string{"{}", "{}", "{}", "{}", "{}", "{}"}}
		}, "there are 6 FilterPatterns"},
	} {
		t.Run(name, func(t *testing.T) {
			stack := newStack(t)
			serverless.NewFunction(stack, "Checkout", with(serverless.Events{"E": c.event(stack)}))
			wantFault(t, stack, `Shop/Checkout: event "E": `, c.fault)
			for _, kind := range []string{"AWS::ApiGatewayV2::Route", "AWS::Events::Rule", "AWS::Lambda::EventSourceMapping"} {
				if made := resources(t, stack, kind); len(made) > 0 {
					t.Errorf("the wrong event made %v", made)
				}
			}
		})
	}
}

func just(e serverless.Event) func(awscdk.Stack) serverless.Event {
	return func(awscdk.Stack) serverless.Event { return e }
}

func TestDuplicateRoute(t *testing.T) {
	stack := newStack(t)
	serverless.NewFunction(stack, "Checkout", with(serverless.Events{"A": serverless.HttpApiEvent{Method: "POST", Path: "/orders"}}))
	serverless.NewFunction(stack, "Other", with(serverless.Events{
		"B": serverless.HttpApiEvent{Method: "post", Path: "/orders"},
		"C": serverless.HttpApiEvent{Method: "GET", Path: "/orders"},
	}))
	wantFault(t, stack, `Shop/Other: event "B": the route "POST /orders" of Shop/ServerlessHttpApi already goes to Shop/Checkout`)
	if n := len(faults(stack)); n != 1 {
		t.Errorf("there are %d faults, want one", n)
	}
	api := serverless.ImplicitHttpApi(stack)
	number := line(1)
	api.Route("GET", "/none", nil)
	wantFault(t, stack, fmt.Sprintf("fault_test.go:%d: Shop/ServerlessHttpApi: the route GET /none has no function", number))
}

func TestDuplicateFunctionName(t *testing.T) {
	stack := newStack(t)
	props := checkout
	props.FunctionName = "checkout"
	serverless.NewFunction(stack, "First", props)
	serverless.NewFunction(stack, "Second", props)
	wantFault(t, stack, `Shop/Second: FunctionName "checkout" is also that of Shop/First`)
	// Another app in the same process has names of its own.
	other := newStack(t)
	serverless.NewFunction(other, "First", props)
	wantNoFaults(t, other)
}

func TestDuplicateConstructIDs(t *testing.T) {
	stack := newStack(t)
	for range 3 {
		serverless.NewFunction(stack, "Checkout", checkout)
		serverless.NewTable(stack, "Orders", serverless.TableProps{PartitionKey: "id"})
		serverless.NewQueue(stack, "Work", serverless.QueueProps{})
		serverless.NewHttpApi(stack, "Api", serverless.HttpApiProps{})
	}
	serverless.NewFunction(stack, "", checkout)
	got := faults(stack)
	if len(got) != 9 {
		t.Errorf("there are %d faults, want nine:\n%s", len(got), strings.Join(got, "\n"))
	}
	wantFault(t, stack, `Shop/Orders: the construct id "Orders" is used twice in its scope`)
	wantFault(t, stack, "Shop: the construct id is empty")
}

func TestPolicyFaults(t *testing.T) {
	var noTable *serverless.Table
	for name, c := range map[string]struct {
		policy serverless.Policy
		fault  string
	}{
		"nil policy":      {nil, "a policy is nil"},
		"nil table":       {serverless.DynamoDBCrudPolicy(nil), "DynamoDBCrudPolicy: the table is nil: make it before the function"},
		"nil *Table":      {serverless.DynamoDBReadPolicy(noTable), "DynamoDBReadPolicy: the table is nil"},
		"nil bucket":      {serverless.S3ReadPolicy(nil), "S3ReadPolicy: the bucket is nil"},
		"nil queue":       {serverless.SQSPollerPolicy(nil), "SQSPollerPolicy: the queue is nil"},
		"nil topic":       {serverless.SNSPublishMessagePolicy(nil), "SNSPublishMessagePolicy: the topic is nil"},
		"nil function":    {serverless.LambdaInvokePolicy(nil), "LambdaInvokePolicy: the function is nil"},
		"nil bus":         {serverless.EventBridgePutEventsPolicy(nil), "EventBridgePutEventsPolicy: the eventbus is nil"},
		"empty statement": {serverless.Statement{Actions: []string{"ses:SendEmail"}}, "a statement needs Actions and Resources: it has 1 and 0"},
		"bad action":      {serverless.Statement{Actions: []string{"SendEmail"}, Resources: []string{"*"}}, "the CDK refuses it: Action 'SendEmail' is invalid"},
		"nil statement":   {serverless.RawStatement(nil), "the statement is nil"},
		"empty policy":    {serverless.ManagedPolicy(""), "the policy is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			stack := newStack(t)
			props := checkout
			props.Policies = []serverless.Policy{c.policy}
			serverless.NewFunction(stack, "Checkout", props)
			if got := faults(stack); len(got) != 1 || !strings.Contains(got[0], ": Shop/Checkout: ") || !strings.Contains(got[0], c.fault) {
				t.Errorf("the faults are %q, want one with %q", got, c.fault)
			}
		})
	}
}

func TestOtherFaults(t *testing.T) {
	for name, c := range map[string]struct {
		make  func(s constructs.Construct)
		fault string
	}{
		"table without key":   {table(serverless.TableProps{}), "the table has no PartitionKey"},
		"table key type":      {table(serverless.TableProps{PartitionKey: "id", PartitionKeyType: "N"}), `PartitionKeyType is "N": allowed are "String", "Number", "Binary"`},
		"table sort key type": {table(serverless.TableProps{PartitionKey: "id", SortKey: "at", SortKeyType: "Date"}), `SortKeyType is "Date"`},
		"table with one key":  {table(serverless.TableProps{PartitionKey: "id", SortKey: "id"}), `SortKey and PartitionKey are both "id"`},
		"table capacity":      {table(serverless.TableProps{PartitionKey: "id", ReadCapacity: 5}), "ReadCapacity is 5 and WriteCapacity 0"},
		"table stream":        {table(serverless.TableProps{PartitionKey: "id", Stream: "ALL"}), `Stream is "ALL"`},
		"table name":          {table(serverless.TableProps{PartitionKey: "id", TableName: "a b"}), `TableName "a b" is none for DynamoDB`},
		"index without name":  {table(serverless.TableProps{PartitionKey: "id", Indexes: []serverless.Index{{PartitionKey: "x"}}}), `index "": an index needs a Name and a PartitionKey`},
		"index key type":      {table(serverless.TableProps{PartitionKey: "id", Indexes: []serverless.Index{{Name: "byX", PartitionKey: "x", PartitionKeyType: "S"}}}), `index "byX": PartitionKeyType is "S"`},
		"two indexes": {table(serverless.TableProps{PartitionKey: "id", Indexes: []serverless.Index{
			{Name: "byX", PartitionKey: "x"}, {Name: "byX", PartitionKey: "y"},
		}}), `index "byX": the CDK refuses it`},
		"queue receive count": {queue(serverless.QueueProps{MaxReceiveCount: 1001}), "MaxReceiveCount is 1001"},
		"queue visibility":    {queue(serverless.QueueProps{VisibilityTimeout: 13 * time.Hour}), "VisibilityTimeout is 13h0m0s: allowed are 1s to 12h"},
		"queue retention":     {queue(serverless.QueueProps{Retention: time.Second}), "Retention is 1s: allowed are 1m to 336h"},
		"queue delay":         {queue(serverless.QueueProps{DeliveryDelay: time.Hour}), "DeliveryDelay is 1h0m0s: allowed are 1s to 15m"},
		"queue name":          {queue(serverless.QueueProps{Fifo: true, QueueName: "orders"}), "the CDK refuses it: FIFO queue names must end in '.fifo'"},
		"API throttling":      {api(serverless.HttpApiProps{ThrottlingRateLimit: -1}), "throttling is -1 requests a second"},
		"API retention":       {api(serverless.HttpApiProps{AccessLogRetention: "x"}), `AccessLogRetention "x" is none`},
		"API origins":         {api(serverless.HttpApiProps{Cors: &serverless.Cors{}}), "Cors has no AllowOrigins"},
		"API credentials":     {api(serverless.HttpApiProps{Cors: &serverless.Cors{AllowOrigins: []string{"*"}, AllowCredentials: true}}), `Cors has AllowCredentials for the origin "*"`},
		"API max age":         {api(serverless.HttpApiProps{Cors: &serverless.Cors{AllowOrigins: []string{"*"}, MaxAge: 25 * time.Hour}}), "Cors.MaxAge is 25h0m0s"},
		"API method":          {api(serverless.HttpApiProps{Cors: &serverless.Cors{AllowOrigins: []string{"*"}, AllowMethods: []string{"FETCH"}}}), `Cors.AllowMethods has "FETCH"`},
	} {
		t.Run(name, func(t *testing.T) {
			stack := newStack(t)
			c.make(stack)
			if got := faults(stack); len(got) != 1 || !strings.Contains(got[0], ": Shop/It: ") || !strings.Contains(got[0], c.fault) {
				t.Errorf("the faults are %q, want one with %q", got, c.fault)
			}
		})
	}
}

func table(p serverless.TableProps) func(constructs.Construct) {
	return func(s constructs.Construct) {
		_ = *serverless.NewTable(s, "It", p).TableArn()
	}
}

func queue(p serverless.QueueProps) func(constructs.Construct) {
	return func(s constructs.Construct) {
		_ = *serverless.NewQueue(s, "It", p).QueueArn()
	}
}

func api(p serverless.HttpApiProps) func(constructs.Construct) {
	return func(s constructs.Construct) {
		_ = *serverless.NewHttpApi(s, "It", p).ApiEndpoint()
	}
}

// Without a scope there is no synth that could report anything.
func TestNilScope(t *testing.T) {
	defer func() {
		got := fmt.Sprint(recover())
		if !strings.Contains(got, "fault_test.go:") || !strings.HasSuffix(got, `: the construct "Checkout" has no scope: pass the stack that it belongs to`) {
			t.Errorf("the panic is %q", got)
		}
	}()
	serverless.NewFunction(nil, "Checkout", checkout)
}

var _ awsdynamodb.ITable = (*serverless.Table)(nil)
