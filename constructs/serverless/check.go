package serverless

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// A functionCheck finds what is wrong with one aspect of a function's props. It
// returns one message for each mistake; repair then puts values there with
// which the function can be made, so that other mistakes are found too.
type functionCheck struct {
	find   func(p *FunctionProps) []string
	repair func(p *FunctionProps)
}

// functionChecks holds the limits of Lambda that can be checked before a
// deployment. Source: "Lambda quotas" and "CreateFunction",
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html and
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
var functionChecks = []functionCheck{
	{checkSource, (*FunctionProps).clearSource},
	{checkSourceProps, func(p *FunctionProps) { p.BuildTags = nil }},
	{checkArchitecture, func(p *FunctionProps) { p.Architecture = DefaultArchitecture }},
	{checkMemory, func(p *FunctionProps) { p.Memory = DefaultMemory }},
	{checkTimeout, func(p *FunctionProps) { p.Timeout = DefaultTimeout }},
	{checkEphemeralStorage, func(p *FunctionProps) { p.EphemeralStorage = 0 }},
	{checkEnvironment, func(p *FunctionProps) { p.Environment = nil }},
	{checkLayers, func(p *FunctionProps) { p.Layers = nil }},
	{checkDescription, func(p *FunctionProps) { p.Description = "" }},
	{checkFunctionName, func(p *FunctionProps) { p.FunctionName = "" }},
	{checkConcurrency, func(p *FunctionProps) { p.ReservedConcurrency = 0 }},
	{checkTracing, func(p *FunctionProps) { p.Tracing = TracingActive }},
	{checkLogs, func(p *FunctionProps) {
		p.LogFormat, p.LogLevel, p.LogRetention = LogJSON, "", DefaultLogRetention
	}},
	{checkDeadLetters, func(p *FunctionProps) { p.DeadLetterTopic = nil }},
	{checkNetwork, func(p *FunctionProps) { p.VPCSubnets, p.SecurityGroups = nil, nil }},
	{checkRole, func(p *FunctionProps) { p.PermissionsBoundary = nil }},
	{checkFunctionURL, func(p *FunctionProps) { p.FunctionUrlConfig = nil }},
	{checkTags, func(p *FunctionProps) { p.Tags = nil }},
}

// check fills the defaults in, records the faults and repairs the props.
func (p *FunctionProps) check(faults *prop.Faults) {
	for _, message := range prop.NilPointers(p) {
		faults.Add("%s", message)
	}
	p.setDefaults()
	for _, c := range functionChecks {
		messages := c.find(p)
		for _, message := range messages {
			faults.Add("%s", message)
		}
		if len(messages) > 0 {
			c.repair(p)
		}
	}
}

func (p *FunctionProps) setDefaults() {
	prop.SetDefault(&p.Architecture, DefaultArchitecture)
	prop.SetDefault(&p.Memory, DefaultMemory)
	prop.SetDefault(&p.Timeout, DefaultTimeout)
	prop.SetDefault(&p.Tracing, TracingActive)
	prop.SetDefault(&p.LogFormat, LogJSON)
	if p.LogGroup == nil {
		prop.SetDefault(&p.LogRetention, DefaultLogRetention)
	}
}

// safeFunctionProps are those of a function that the CDK can always make.
func safeFunctionProps() FunctionProps {
	var p FunctionProps
	p.setDefaults()
	return p
}

func (p *FunctionProps) clearSource() {
	p.Entry, p.CodeUri, p.ImageUri, p.Dockerfile = "", "", "", ""
	p.Runtime, p.Handler = "", ""
	p.BuildTags, p.Layers = nil, nil
	p.DockerContext, p.DockerTarget, p.DockerBuildArgs = "", "", nil
	p.ImageCommand, p.ImageEntryPoint = nil, nil
}

func checkSource(p *FunctionProps) []string {
	var given []string
	for _, s := range []struct{ name, value string }{
		{"Entry", p.Entry}, {"CodeUri", p.CodeUri}, {"ImageUri", p.ImageUri}, {"Dockerfile", p.Dockerfile},
	} {
		if s.value != "" {
			given = append(given, s.name)
		}
	}
	switch {
	case len(given) == 0:
		return prop.Messages("the function has no code: set Entry to a Go main package such as \"./functions/checkout\", or CodeUri, ImageUri or Dockerfile")
	case len(given) > 1:
		return prop.Messages("%s are all set: a function has code from one of them", strings.Join(given, " and "))
	case p.Entry != "":
		return checkEntry(p)
	case p.CodeUri != "":
		return checkCodeURI(p)
	case p.ImageUri != "":
		return checkImageURI(p)
	}
	return checkDockerfile(p)
}

var runtimeNames = regexp.MustCompile(`^(nodejs|python|java|dotnet|ruby|provided)[a-z0-9.]*$`)

func checkCodeURI(p *FunctionProps) (found []string) {
	if p.Runtime == "" || p.Handler == "" {
		found = prop.Messages("CodeUri needs a Runtime, such as \"nodejs22.x\", and a Handler, such as \"index.handler\"")
	}
	if p.Runtime != "" && !runtimeNames.MatchString(p.Runtime) {
		found = prop.Messages("the Runtime %q is none of Lambda's: they begin with nodejs, python, java, dotnet, ruby or provided", p.Runtime)
	}
	info, err := os.Stat(p.CodeUri)
	switch {
	case err != nil:
		found = append(found, fmt.Sprintf("CodeUri %q can't be read: name a folder or a .zip file, relative to the folder of cdk.json", p.CodeUri))
	case !info.IsDir() && !strings.HasSuffix(p.CodeUri, ".zip") && !strings.HasSuffix(p.CodeUri, ".jar"):
		found = append(found, fmt.Sprintf("CodeUri %q is a file: name its folder, or a .zip or .jar file", p.CodeUri))
	}
	return found
}

// imageURI is a repository of Amazon ECR, the only registry that Lambda reads.
var imageURI = regexp.MustCompile(`^\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9.-]+/[a-z0-9._/-]+(:[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})$`)

func checkImageURI(p *FunctionProps) []string {
	if prop.IsToken(p.ImageUri) || imageURI.MatchString(p.ImageUri) {
		return checkImage(p)
	}
	return prop.Messages("ImageUri %q is no image in Amazon ECR: write ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG", p.ImageUri)
}

func checkDockerfile(p *FunctionProps) []string {
	path := p.DockerContext + "/" + p.Dockerfile
	if p.DockerContext == "" {
		path = p.Dockerfile
	}
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return prop.Messages("the Dockerfile %q is not there: Dockerfile is relative to DockerContext, and DockerContext to the folder of cdk.json", path)
	}
	return checkImage(p)
}

func checkImage(p *FunctionProps) []string {
	if p.Runtime != "" || p.Handler != "" {
		return prop.Messages("an image has its own runtime: leave Runtime and Handler out, or set ImageCommand")
	}
	return nil
}

// checkSourceProps finds props that belong to another kind of code.
func checkSourceProps(p *FunctionProps) (found []string) {
	if len(p.BuildTags) > 0 && p.Entry == "" && p.CodeUri+p.ImageUri+p.Dockerfile != "" {
		found = append(found, "BuildTags need an Entry")
	}
	for _, tag := range p.BuildTags {
		if tag == "" || strings.ContainsAny(tag, ", \t\n") {
			found = append(found, fmt.Sprintf("the build tag %q is not one word: write each tag as an element of BuildTags", tag))
		}
	}
	if p.Dockerfile == "" && p.Entry+p.CodeUri+p.ImageUri != "" && (p.DockerContext != "" || p.DockerTarget != "" || len(p.DockerBuildArgs) > 0) {
		found = append(found, "DockerContext, DockerTarget and DockerBuildArgs need a Dockerfile")
	}
	if p.Entry+p.CodeUri != "" && len(p.ImageCommand)+len(p.ImageEntryPoint) > 0 {
		found = append(found, "ImageCommand and ImageEntryPoint need an ImageUri or a Dockerfile")
	}
	return found
}

func checkArchitecture(p *FunctionProps) []string {
	return prop.OneOf("Architecture", p.Architecture, ARM64, X86_64)
}

func checkMemory(p *FunctionProps) []string {
	return prop.InRange("Memory", p.Memory, 128, 10240, " MB")
}

func checkTimeout(p *FunctionProps) []string {
	return prop.DurationInRange("Timeout", p.Timeout, time.Second, 15*time.Minute)
}

func checkEphemeralStorage(p *FunctionProps) []string {
	if p.EphemeralStorage == 0 {
		return nil
	}
	return prop.InRange("EphemeralStorage", p.EphemeralStorage, 512, 10240, " MB")
}

// reservedVariables are those that Lambda sets itself and refuses from a user.
// Source: "Defined runtime environment variables",
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
var reservedVariables = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID",
	"AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

var variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)

func checkEnvironment(p *FunctionProps) (found []string) {
	size := 0
	for _, name := range slices.Sorted(maps.Keys(p.Environment)) {
		size += len(name) + len(p.Environment[name])
		switch {
		case slices.Contains(reservedVariables, name):
			found = append(found, fmt.Sprintf("the environment variable %s is reserved by Lambda: choose another name", name))
		case !variableName.MatchString(name):
			found = append(found, fmt.Sprintf("the environment variable %q has a name that Lambda refuses: it takes letters, digits and _, at least two, the first a letter", name))
		}
	}
	if size > 4096 {
		found = append(found, fmt.Sprintf("the environment variables take %d bytes: Lambda allows 4096 for names and values together", size))
	}
	return found
}

func checkLayers(p *FunctionProps) []string {
	if len(p.Layers) > 0 && p.ImageUri+p.Dockerfile != "" {
		return prop.Messages("an image can't have Layers: copy their content in the Dockerfile")
	}
	if len(p.Layers) > 5 {
		return prop.Messages("there are %d Layers: Lambda allows five", len(p.Layers))
	}
	for i, layer := range p.Layers {
		if prop.IsNil(layer) {
			return prop.Messages("Layers[%d] is nil", i)
		}
	}
	return nil
}

func checkDescription(p *FunctionProps) []string {
	if len(p.Description) > 256 && !prop.IsToken(p.Description) {
		return prop.Messages("Description has %d characters: Lambda allows 256", len(p.Description))
	}
	return nil
}

var functionName = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

func checkFunctionName(p *FunctionProps) []string {
	switch {
	case p.FunctionName == "" || prop.IsToken(p.FunctionName):
		return nil
	case len(p.FunctionName) > 64:
		return prop.Messages("FunctionName %q has %d characters: Lambda allows 64", p.FunctionName, len(p.FunctionName))
	case !functionName.MatchString(p.FunctionName):
		return prop.Messages("FunctionName %q has characters that Lambda refuses: use letters, digits, - and _", p.FunctionName)
	}
	return nil
}

func checkConcurrency(p *FunctionProps) []string {
	if p.ReservedConcurrency < NoConcurrency {
		return prop.Messages("ReservedConcurrency is %d: give a number of instances, 0 to reserve none, or NoConcurrency", p.ReservedConcurrency)
	}
	return nil
}

func checkTracing(p *FunctionProps) []string {
	return prop.OneOf("Tracing", p.Tracing, TracingActive, TracingPassThrough, TracingDisabled)
}

func checkLogs(p *FunctionProps) []string {
	found := prop.OneOf("LogFormat", p.LogFormat, LogJSON, LogText)
	if p.LogLevel != "" {
		found = append(found, prop.OneOf("LogLevel", p.LogLevel, "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")...)
		if p.LogFormat == LogText {
			found = append(found, "LogLevel needs the LogFormat LogJSON: Lambda can't tell the level of a line of text")
		}
	}
	if p.LogGroup != nil && p.LogRetention != "" {
		found = append(found, "LogGroup and LogRetention are both set: set the retention of the log group itself")
	}
	return append(found, prop.CheckRetention("LogRetention", p.LogRetention)...)
}

func checkDeadLetters(p *FunctionProps) []string {
	if p.DeadLetterQueue != nil && p.DeadLetterTopic != nil {
		return prop.Messages("DeadLetterQueue and DeadLetterTopic are both set: a function has one of them")
	}
	return nil
}

func checkNetwork(p *FunctionProps) []string {
	if p.VPC == nil && (p.VPCSubnets != nil || len(p.SecurityGroups) > 0) {
		return prop.Messages("VPCSubnets and SecurityGroups need a VPC")
	}
	return nil
}

func checkRole(p *FunctionProps) []string {
	if p.Role != nil && p.PermissionsBoundary != nil {
		return prop.Messages("Role and PermissionsBoundary are both set: set the boundary of the role itself")
	}
	return nil
}

func checkTags(p *FunctionProps) []string { return prop.CheckTags(p.Tags) }

// claimed holds the physical names of the functions of each stack. It is keyed
// by the stack's node, of which jsii keeps exactly one Go value, as it keeps
// everything for the life of the process.
var claimed = map[constructs.Node]map[string]string{}

// claimName finds two functions of one stack with one FunctionName, which
// CloudFormation would find after minutes.
func (f *Function) claimName() {
	name := f.props.FunctionName
	if name == "" || prop.IsToken(name) {
		return
	}
	stack := awscdk.Stack_Of(f).Node()
	if claimed[stack] == nil {
		claimed[stack] = map[string]string{}
	}
	if other, taken := claimed[stack][name]; taken {
		f.AddFault("FunctionName %q is also that of %s: names are unique in an account and region", name, other)
		return
	}
	claimed[stack][name] = f.faults.Path
}
