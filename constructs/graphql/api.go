package graphql

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsappsync"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// ApiProps defines an [Api], by the names of SAM's AWS::Serverless::GraphQLApi.
// Exactly one of SchemaInline and SchemaUri says what can be asked.
type ApiProps struct {
	// Name is the physical name, the construct id by default.
	Name string
	// SchemaInline is the schema's text; SchemaUri a file, relative to the
	// folder of cdk.json.
	SchemaInline string
	SchemaUri    string
	// Auth says who may ask: whoever has an IAM policy for it, by default.
	Auth Auth
	// ApiKeys are those of the type API_KEY, by name; one, "Default", by
	// default.
	ApiKeys map[string]ApiKey

	// DataSources are what resolvers read and write, by name.
	DataSources DataSources
	// Functions are steps of pipelines, by name.
	Functions map[string]Function
	// Resolvers answer fields, by type and field: {"Query": {"order": ...}}.
	Resolvers map[string]map[string]Resolver
	// Cache keeps answers. AWS charges for it by the hour.
	Cache *Cache

	// FieldLogLevel is "ERROR" by default: requests with errors are logged.
	// "ALL" logs all, "NONE" none, "INFO" and "DEBUG" what resolvers write.
	FieldLogLevel string
	// IncludeVerboseContent logs headers and what resolvers got and gave, in
	// which people's data may be.
	IncludeVerboseContent bool
	// LogRetention is a month by default.
	LogRetention awslogs.RetentionDays
	// DisableXray sends no traces to AWS X-Ray.
	DisableXray bool

	// DomainName is a name of your own for the API, CertificateArn its
	// certificate in us-east-1.
	DomainName     string
	CertificateArn string
	// Private makes the API one of VPC endpoints alone.
	Private bool
	// DisableIntrospection answers no questions about the schema.
	DisableIntrospection bool
	// QueryDepthLimit is how deep a query may nest, at most 75; without limit
	// by default.
	QueryDepthLimit int
	// ResolverCountLimit is how many resolvers a query may run, at most 10000,
	// which is the default.
	ResolverCountLimit int
	// Tags are put on the API and what belongs to it.
	Tags map[string]string
}

// ApiKey is an API key.
type ApiKey struct {
	Description string
	// ExpiresOn is at most a year away; AppSync's default is a week after it
	// is made.
	ExpiresOn time.Time
}

// DataSources are what resolvers read and write, by name. The name NONE is a data
// source that does nothing, for resolvers that only calculate.
type DataSources struct {
	Lambda   map[string]LambdaDataSource
	DynamoDb map[string]DynamoDbDataSource
}

// LambdaDataSource is a function that resolvers ask.
type LambdaDataSource struct {
	Function    awslambda.IFunction
	Description string
}

// DynamoDbDataSource is a table that resolvers use.
type DynamoDbDataSource struct {
	Table awsdynamodb.ITable
	// ReadOnly lets resolvers read only.
	ReadOnly    bool
	Description string
}

// Function is a step of pipelines: JavaScript that AppSync runs, with the
// functions request and response.
type Function struct {
	// DataSource is the name of one, or "NONE".
	DataSource string
	// InlineCode is the step's text; CodeUri a file, relative to the folder of
	// cdk.json.
	InlineCode  string
	CodeUri     string
	Description string
	// MaxBatchSize is how many requests a function gets at once, at most 2000.
	MaxBatchSize int
}

// Resolver answers one field: from DataSource, or by Pipeline.
type Resolver struct {
	// DataSource is the name of one, or "NONE", for a resolver of one step.
	// Without code a function is asked directly: it gets the whole context.
	DataSource string
	// Pipeline are the names of Functions, in their order.
	Pipeline []string
	// InlineCode or CodeUri is as in [Function]. A pipeline without gives the
	// answer of its last step.
	InlineCode string
	CodeUri    string
	// MaxBatchSize is how many requests a function gets at once, at most 2000.
	MaxBatchSize int
	// Caching keeps this field's answers, where the API has a Cache.
	Caching *Caching
}

// Caching is how long a field's answer is kept.
type Caching struct {
	// Ttl is 1 second to an hour.
	Ttl time.Duration
	// CachingKeys are what tells answers apart, such as
	// "$context.arguments.id".
	CachingKeys []string
}

// Cache keeps answers, encrypted where it lies and on its way.
type Cache struct {
	// ApiCachingBehavior is "PER_RESOLVER_CACHING" by default, or
	// "FULL_REQUEST_CACHING".
	ApiCachingBehavior string
	// Ttl is 1 second to an hour, a minute by default.
	Ttl time.Duration
	// Type is the size of the instance, "SMALL" by default, to "LARGE_12X".
	Type string
}

// noDataSource is the name of the data source that does nothing.
const noDataSource = "NONE"

// Api is a GraphQL API of AWS AppSync, SAM's AWS::Serverless::GraphQLApi. It is
// an [awsappsync.GraphqlApi].
type Api struct {
	awsappsync.GraphqlApi

	faults  *prop.Faults
	props   ApiProps
	schema  string
	sources map[string]awsappsync.BaseDataSource
	steps   map[string]awsappsync.IAppsyncFunction
}

// NewApi adds an API to scope. Mistakes are reported on the construct, with
// those of the whole app.
func NewApi(scope constructs.Construct, id string, props ApiProps) *Api {
	a := &Api{
		faults:  prop.NewFaults(scope, id),
		sources: map[string]awsappsync.BaseDataSource{}, steps: map[string]awsappsync.IAppsyncFunction{},
	}
	a.schema = props.check(a.faults)
	prop.SetDefault(&props.Name, id)
	a.props = props
	if problem := prop.TakenID(scope, id); problem != "" {
		a.faults.Add("%s", problem)
		id = prop.FreeID(scope, id)
	}
	if !a.faults.Try(func() { awsappsync.NewGraphqlApi_Override(a, scope, &id, a.props.apiProps(a.schema)) }) {
		scope.Node().TryRemoveChild(&id)
		a.GraphqlApi, a.props, a.schema = nil, ApiProps{Name: "Unnamed"}, safeSchema
		a.props.Auth.Type = awsIAM
		awsappsync.NewGraphqlApi_Override(a, scope, &id, a.props.apiProps(safeSchema))
	}
	a.faults.Attach(a)
	a.faults.Try(a.complete)
	return a
}

// ToString is overridden only because jsii takes a Go type as a subclass when it
// overrides something.
func (a *Api) ToString() *string { return a.GraphqlApi.ToString() }

// DataSource is one of the API's, by its name, nil where there is none.
func (a *Api) DataSource(name string) awsappsync.BaseDataSource { return a.sources[name] }

// apiProps are the CDK's for checked ones of ours.
func (p *ApiProps) apiProps(schema string) *awsappsync.GraphqlApiProps {
	props := &awsappsync.GraphqlApiProps{
		Name:                &p.Name,
		Definition:          awsappsync.Definition_FromSchema(schemaOf(schema)),
		AuthorizationConfig: p.Auth.config(p.firstKey()),
		XrayEnabled:         jsii.Bool(!p.DisableXray),
		QueryDepthLimit:     prop.OptionalNumber(p.QueryDepthLimit),
		ResolverCountLimit:  prop.OptionalNumber(p.ResolverCountLimit),
	}
	if p.Private {
		props.Visibility = awsappsync.Visibility_PRIVATE
	}
	if p.DisableIntrospection {
		props.IntrospectionConfig = awsappsync.IntrospectionConfig_DISABLED
	}
	return props
}

// schemaOf gives the CDK a schema. It takes one from a file alone, which it
// reads at once.
func schemaOf(text string) awsappsync.SchemaFile {
	dir, err := os.MkdirTemp("", "schema")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "schema.graphql")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		panic(err)
	}
	return awsappsync.SchemaFile_FromAsset(&file)
}

// complete adds what belongs to the API.
func (a *Api) complete() {
	a.keepLogs()
	a.addDomain()
	a.addKeys()
	a.addSources()
	a.addSteps()
	a.addResolvers()
	if c := a.props.Cache; c != nil {
		awsappsync.NewCfnApiCache(a, jsii.String("Cache"), &awsappsync.CfnApiCacheProps{
			ApiId: a.ApiId(), ApiCachingBehavior: &c.ApiCachingBehavior, Type: &c.Type, Ttl: jsii.Number(c.Ttl.Seconds()),
			AtRestEncryptionEnabled: true, TransitEncryptionEnabled: true,
		})
	}
	prop.AddTags(a, a.props.Tags)
}

// keepLogs switches logging on, into a log group that AppSync would otherwise
// make by itself and keep for ever, of the name that AppSync gives it. The CDK's
// own prop sets the retention by a custom resource, and lets the role write to
// every log group. Source: "Using CloudWatch to monitor and log GraphQL API
// data", https://docs.aws.amazon.com/appsync/latest/devguide/monitoring.html
func (a *Api) keepLogs() {
	if a.props.FieldLogLevel == "NONE" {
		return
	}
	awslogs.NewLogGroup(a, jsii.String("Logs"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/appsync/apis/" + *a.ApiId()), Retention: a.props.LogRetention,
	})
	writable := a.Stack().FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("logs"), Resource: jsii.String("log-group"), ResourceName: jsii.String("/aws/appsync/apis/*"),
		ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
	role := awsiam.NewRole(a, jsii.String("LogsRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("appsync.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{"WriteLogs": awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{
			Statements: &[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Actions:   jsii.Strings("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
				Resources: jsii.Strings(*writable),
			})},
		})},
	})
	a.Node().DefaultChild().(awsappsync.CfnGraphQLApi).SetLogConfig(&awsappsync.CfnGraphQLApi_LogConfigProperty{
		CloudWatchLogsRoleArn: role.RoleArn(), FieldLogLevel: &a.props.FieldLogLevel, ExcludeVerboseContent: !a.props.IncludeVerboseContent,
	})
}

// addDomain gives the API a name. The CDK's own prop wants a certificate that
// is in the tree before the API.
func (a *Api) addDomain() {
	p := a.props
	if p.DomainName == "" {
		return
	}
	domain := awsappsync.NewCfnDomainName(a, jsii.String("DomainName"), &awsappsync.CfnDomainNameProps{
		DomainName: &p.DomainName, CertificateArn: &p.CertificateArn,
	})
	awsappsync.NewCfnDomainNameApiAssociation(a, jsii.String("DomainAssociation"), &awsappsync.CfnDomainNameApiAssociationProps{
		DomainName: &p.DomainName, ApiId: a.ApiId(),
	}).Node().AddDependency(domain)
}

// addKeys makes the API keys but for the first, which the CDK makes.
func (a *Api) addKeys() {
	if !a.props.Auth.has("API_KEY") {
		return
	}
	for _, name := range a.props.keyNames()[1:] {
		key := a.props.ApiKeys[name]
		props := &awsappsync.CfnApiKeyProps{ApiId: a.ApiId(), Description: prop.Optional(key.Description)}
		if !key.ExpiresOn.IsZero() {
			props.Expires = jsii.Number(key.ExpiresOn.Unix())
		}
		awsappsync.NewCfnApiKey(a, jsii.String(name+"ApiKey"), props)
	}
}

func (p *ApiProps) keyNames() []string {
	if len(p.ApiKeys) == 0 {
		return []string{"Default"}
	}
	return sortedKeys(p.ApiKeys)
}

// firstKey is the key that the CDK makes.
func (p *ApiProps) firstKey() *awsappsync.ApiKeyConfig {
	name := p.keyNames()[0]
	key := p.ApiKeys[name]
	config := &awsappsync.ApiKeyConfig{Name: &name, Description: prop.Optional(key.Description)}
	if !key.ExpiresOn.IsZero() {
		config.Expires = awscdk.Expiration_AtDate(&key.ExpiresOn)
	}
	return config
}

func (a *Api) addSources() {
	for _, name := range sortedKeys(a.props.DataSources.Lambda) {
		a.faults.About(fmt.Sprintf("data source %q", name), func() {
			s := a.props.DataSources.Lambda[name]
			a.sources[name] = a.AddLambdaDataSource(&name, s.Function, &awsappsync.DataSourceOptions{Description: prop.Optional(s.Description)})
		})
	}
	for _, name := range sortedKeys(a.props.DataSources.DynamoDb) {
		a.faults.About(fmt.Sprintf("data source %q", name), func() {
			s := a.props.DataSources.DynamoDb[name]
			a.sources[name] = awsappsync.NewDynamoDbDataSource(a, &name, &awsappsync.DynamoDbDataSourceProps{
				Api: a, Table: s.Table, ReadOnlyAccess: jsii.Bool(s.ReadOnly), Description: prop.Optional(s.Description),
			})
		})
	}
}

// source is the data source of a name; that which does nothing is made when it
// is first asked for.
func (a *Api) source(name string) awsappsync.BaseDataSource {
	if name == noDataSource && a.sources[name] == nil {
		a.sources[name] = a.AddNoneDataSource(&name, nil)
	}
	return a.sources[name]
}

func (a *Api) addSteps() {
	for _, name := range sortedKeys(a.props.Functions) {
		a.faults.About(fmt.Sprintf("function %q", name), func() {
			f := a.props.Functions[name]
			a.steps[name] = awsappsync.NewAppsyncFunction(a, jsii.String("Function"+name), &awsappsync.AppsyncFunctionProps{
				Api: a, Name: &name, DataSource: a.source(f.DataSource), Description: prop.Optional(f.Description),
				MaxBatchSize: prop.OptionalNumber(f.MaxBatchSize),
				Code:         stepCode(f.InlineCode, f.CodeUri), Runtime: awsappsync.FunctionRuntime_JS_1_0_0(),
			})
		})
	}
}

// stepCode is text that was read here: an asset would be one more file in S3
// for a few lines.
func stepCode(inline, uri string) awsappsync.Code {
	if uri != "" {
		text, err := os.ReadFile(uri)
		if err != nil {
			panic(err)
		}
		inline = string(text)
	}
	return awsappsync.Code_FromInline(&inline)
}

// lastAnswer is the code of a pipeline that has none, as in SAM.
const lastAnswer = `export function request(ctx) {
  return {};
}
export function response(ctx) {
  return ctx.prev.result;
}
`

func (a *Api) addResolvers() {
	for _, kind := range sortedKeys(a.props.Resolvers) {
		for _, field := range sortedKeys(a.props.Resolvers[kind]) {
			a.faults.About(fmt.Sprintf("resolver %s.%s", kind, field), func() { a.addResolver(kind, field) })
		}
	}
}

func (a *Api) addResolver(kind, field string) {
	r := a.props.Resolvers[kind][field]
	props := &awsappsync.ResolverProps{Api: a, TypeName: &kind, FieldName: &field, MaxBatchSize: prop.OptionalNumber(r.MaxBatchSize)}
	if len(r.Pipeline) > 0 {
		steps := make([]awsappsync.IAppsyncFunction, len(r.Pipeline))
		for i, name := range r.Pipeline {
			if steps[i] = a.steps[name]; steps[i] == nil {
				return // its own fault is reported
			}
		}
		props.PipelineConfig = &steps
		if r.CodeUri == "" {
			prop.SetDefault(&r.InlineCode, lastAnswer)
		}
	} else if props.DataSource = a.source(r.DataSource); prop.IsNil(props.DataSource) {
		return // likewise
	}
	if r.InlineCode+r.CodeUri != "" {
		props.Code, props.Runtime = stepCode(r.InlineCode, r.CodeUri), awsappsync.FunctionRuntime_JS_1_0_0()
	}
	if c := r.Caching; c != nil {
		props.CachingConfig = &awsappsync.CachingConfig{Ttl: prop.Duration(c.Ttl), CachingKeys: prop.OptionalStrings(c.CachingKeys)}
	}
	awsappsync.NewResolver(a, jsii.String("Resolver"+kind+field), props)
}
