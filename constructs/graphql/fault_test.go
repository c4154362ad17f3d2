package graphql_test

import (
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/graphql"
	"github.com/bailey-cdk/bailey/constructs/internal/constructtest"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

func apiMistake(name string, change func(p *graphql.ApiProps), fault string) constructtest.Mistake {
	return constructtest.Mistake{Name: name, Make: func(s awscdk.Stack, id string) {
		p := graphql.ApiProps{SchemaInline: shopSchema}
		change(&p)
		_ = *graphql.NewApi(s, id, p).GraphqlUrl()
	}, Fault: fault}
}

func resolverMistake(name string, r graphql.Resolver, fault string) constructtest.Mistake {
	return apiMistake(name, func(p *graphql.ApiProps) {
		p.Resolvers = map[string]map[string]graphql.Resolver{"Query": {"order": r}}
	}, "resolver Query.order: "+fault)
}

func TestApiFaults(t *testing.T) {
	const code = "export function request() {}\nexport function response() {}"
	stack := constructtest.NewStack(t)
	constructtest.Write(t, "empty.graphql", " \n")
	guard := serverless.NewFunction(stack, "Guard", checkout)
	auth := func(a graphql.Auth) func(*graphql.ApiProps) {
		return func(p *graphql.ApiProps) { p.Auth = a }
	}
	step := func(name string, f graphql.Function) func(*graphql.ApiProps) {
		return func(p *graphql.ApiProps) {
			p.Functions = map[string]graphql.Function{name: f}
		}
	}
	field := func(kind, name string) func(*graphql.ApiProps) {
		return func(p *graphql.ApiProps) {
			p.Resolvers = map[string]map[string]graphql.Resolver{kind: {name: {DataSource: "NONE", InlineCode: code}}}
		}
	}
	pool := awscognito.UserPool_FromUserPoolId(stack, jsii.String("Members"), jsii.String("eu-west-1_abc"))
	constructtest.WantMistakes(t, stack, []constructtest.Mistake{
		apiMistake("no schema", func(p *graphql.ApiProps) { p.SchemaInline = "" }, "the API has no schema"),
		apiMistake("two schemas", func(p *graphql.ApiProps) { p.SchemaUri = "empty.graphql" }, "SchemaInline and SchemaUri are both set"),
		apiMistake("no such schema", func(p *graphql.ApiProps) { p.SchemaInline, p.SchemaUri = "", "none.graphql" }, `SchemaUri "none.graphql" can't be read`),
		apiMistake("empty schema", func(p *graphql.ApiProps) { p.SchemaInline, p.SchemaUri = "", "empty.graphql" }, `SchemaUri "empty.graphql" is empty`),
		apiMistake("auth type", auth(graphql.Auth{Type: "JWT"}), `Auth.Type is "JWT"`),
		apiMistake("no pool", auth(graphql.Auth{Type: "AMAZON_COGNITO_USER_POOLS"}), "Auth of the type AMAZON_COGNITO_USER_POOLS has no UserPool"),
		apiMistake("nil pool", auth(graphql.Auth{Type: "AMAZON_COGNITO_USER_POOLS", UserPool: &graphql.UserPool{}}), "Auth.UserPool has no UserPool"),
		apiMistake("authorizer of another type", auth(graphql.Auth{LambdaAuthorizer: &graphql.LambdaAuthorizer{Function: guard}}), "Auth.LambdaAuthorizer needs the type AWS_LAMBDA"),
		apiMistake("no authorizer function", auth(graphql.Auth{Type: "AWS_LAMBDA", LambdaAuthorizer: &graphql.LambdaAuthorizer{}}), "Auth.LambdaAuthorizer has no Function"),
		apiMistake("authorizer's time", auth(graphql.Auth{Type: "AWS_LAMBDA", LambdaAuthorizer: &graphql.LambdaAuthorizer{Function: guard, AuthorizerResultTtl: 2 * time.Hour}}), "AuthorizerResultTtl is 2h0m0s: allowed are 1s to 1h"),
		apiMistake("issuer", auth(graphql.Auth{Type: "OPENID_CONNECT", OpenIDConnect: &graphql.OpenIDConnect{Issuer: "login"}}), `Auth.OpenIDConnect.Issuer "login" does not begin`),
		apiMistake("auth twice", auth(graphql.Auth{Additional: []graphql.Auth{{Type: "AWS_IAM"}}}), "Auth.Additional has AWS_IAM twice"),
		apiMistake("default action of an additional way", auth(graphql.Auth{Additional: []graphql.Auth{
			{Type: "AMAZON_COGNITO_USER_POOLS", UserPool: &graphql.UserPool{UserPool: pool, DefaultAction: "DENY"}},
		}}), "Auth.Additional has a UserPool with a DefaultAction"),
		apiMistake("keys without auth", func(p *graphql.ApiProps) { p.ApiKeys = map[string]graphql.ApiKey{"A": {}} }, "ApiKeys need the Auth.Type API_KEY"),
		apiMistake("old key", func(p *graphql.ApiProps) {
			p.Auth.Type = "API_KEY"
			p.ApiKeys = map[string]graphql.ApiKey{"A": {ExpiresOn: time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC)}}
		}, `the API key "A" expires on 2020-01-02`),
		apiMistake("source name", func(p *graphql.ApiProps) {
			p.DataSources.Lambda = map[string]graphql.LambdaDataSource{"my-source": {Function: guard}}
		}, `data source "my-source": the name is none for AppSync`),
		apiMistake("source without function", func(p *graphql.ApiProps) {
			p.DataSources.Lambda = map[string]graphql.LambdaDataSource{"A": {}}
		}, `data source "A": it has no Function`),
		apiMistake("source without table", func(p *graphql.ApiProps) {
			p.DataSources.DynamoDb = map[string]graphql.DynamoDbDataSource{"A": {Table: (*serverless.Table)(nil)}}
		}, `data source "A": it has no Table`),
		apiMistake("step without code", step("a", graphql.Function{DataSource: "NONE"}), `function "a": it has no code`),
		apiMistake("step with two codes", step("a", graphql.Function{DataSource: "NONE", InlineCode: code, CodeUri: "a.js"}), `function "a": InlineCode and CodeUri are both set`),
		apiMistake("step code", step("a", graphql.Function{DataSource: "NONE", CodeUri: "none.js"}), `function "a": CodeUri "none.js" can't be read`),
		apiMistake("step name", step("a-b", graphql.Function{DataSource: "NONE", InlineCode: code}), `function "a-b": the name is none for AppSync`),
		apiMistake("step source", step("a", graphql.Function{DataSource: "Orders", InlineCode: code}), `function "a": the API has no data source "Orders": use one of NONE`),
		apiMistake("step batch", step("a", graphql.Function{DataSource: "NONE", InlineCode: code, MaxBatchSize: 2001}), `function "a": MaxBatchSize is 2001`),
		apiMistake("type", field("Subscription", "placed"), "resolver Subscription.placed: the schema has no type Subscription"),
		apiMistake("type in a comment", field("Nothing", "is"), "the schema has no type Nothing"),
		apiMistake("field", field("Query", "ordr"), "resolver Query.ordr: the type Query of the schema has no field ordr"),
		apiMistake("field name", field("Query", "a b"), "are none of GraphQL's"),
		resolverMistake("empty resolver", graphql.Resolver{}, "it has neither a DataSource nor a Pipeline"),
		apiMistake("source and pipeline", func(p *graphql.ApiProps) {
			step("a", graphql.Function{DataSource: "NONE", InlineCode: code})(p)
			p.Resolvers = map[string]map[string]graphql.Resolver{"Query": {"order": {DataSource: "NONE", Pipeline: []string{"a"}}}}
		}, "resolver Query.order: DataSource and Pipeline are both set"),
		resolverMistake("no such source", graphql.Resolver{DataSource: "Orders"}, `the API has no data source "Orders"`),
		resolverMistake("no such step", graphql.Resolver{Pipeline: []string{"a"}}, `the API has no function "a"`),
		resolverMistake("no code", graphql.Resolver{DataSource: "NONE"}, "it has no code"),
		resolverMistake("caching alone", graphql.Resolver{DataSource: "NONE", InlineCode: code, Caching: &graphql.Caching{Ttl: time.Minute}}, "Caching needs the API's Cache"),
		apiMistake("caching keys", func(p *graphql.ApiProps) {
			p.Cache = &graphql.Cache{}
			p.Resolvers = map[string]map[string]graphql.Resolver{"Query": {"order": {DataSource: "NONE", InlineCode: code, Caching: &graphql.Caching{Ttl: time.Minute, CachingKeys: []string{"id"}}}}}
		}, "resolver Query.order: the CDK refuses it: Caching config keys must begin with"),
		apiMistake("log level", func(p *graphql.ApiProps) { p.FieldLogLevel = "WARN" }, `FieldLogLevel is "WARN"`),
		apiMistake("retention", func(p *graphql.ApiProps) { p.LogRetention = "x" }, `LogRetention "x"`),
		apiMistake("domain alone", func(p *graphql.ApiProps) { p.DomainName = "graph.shop.example" }, "DomainName and CertificateArn go together"),
		apiMistake("depth", func(p *graphql.ApiProps) { p.QueryDepthLimit = 76 }, "QueryDepthLimit is 76"),
		apiMistake("count", func(p *graphql.ApiProps) { p.ResolverCountLimit = 10001 }, "ResolverCountLimit is 10001"),
		apiMistake("cache", func(p *graphql.ApiProps) { p.Cache = &graphql.Cache{Type: "HUGE"} }, `Cache.Type is "HUGE"`),
		apiMistake("tag", func(p *graphql.ApiProps) { p.Tags = map[string]string{"": "x"} }, `the tag "" is too long or empty`),
	})
}

// An id that is taken is a fault, and the API is made.
func TestConstructIDs(t *testing.T) {
	stack := constructtest.NewStack(t)
	for range 2 {
		graphql.NewApi(stack, "Graph", graphql.ApiProps{SchemaInline: shopSchema})
	}
	all := constructtest.Faults(stack)
	constructtest.WantFault(t, all, `Shop/Graph: the construct id "Graph" is used twice in its scope`)
	if made := constructtest.Resources(t, stack, "AWS::AppSync::GraphQLApi"); len(all) != 1 || len(made) != 2 {
		t.Errorf("there are %d APIs, want two, and one fault: %q", len(made), all)
	}
}
