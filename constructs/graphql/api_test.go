package graphql_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/graphql"
	"github.com/bailey-cdk/bailey/constructs/internal/constructtest"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

const shopSchema = `
"""The shop. type Nothing { is: here }"""
type Query { order(id: ID!): Order, orders: [Order], stock: Int }
type Mutation { place(sku: String!): Order } # type Subscription
type Order { id: ID!, sku: String, lines: [String] }
`

func shopGraph(stack awscdk.Stack, t *testing.T) graphql.ApiProps {
	pool := awscognito.UserPool_FromUserPoolId(stack, jsii.String("Members"), jsii.String("eu-west-1_abc"))
	constructtest.Write(t, "place.js", "export function request(ctx) { return { operation: 'Invoke' }; }\nexport function response(ctx) { return ctx.result; }\n")
	f := serverless.NewFunction(stack, "Checkout", checkout)
	return graphql.ApiProps{
		SchemaInline: shopSchema,
		Auth: graphql.Auth{
			Type: "API_KEY",
			Additional: []graphql.Auth{
				{Type: "AWS_IAM"},
				{Type: "AMAZON_COGNITO_USER_POOLS", UserPool: &graphql.UserPool{UserPool: pool}},
				{Type: "OPENID_CONNECT", OpenIDConnect: &graphql.OpenIDConnect{Issuer: "https://login.example", ClientId: "shop", AuthTTL: time.Hour}},
				{Type: "AWS_LAMBDA", LambdaAuthorizer: &graphql.LambdaAuthorizer{Function: f, AuthorizerResultTtl: graphql.ReauthorizeAlways}},
			},
		},
		ApiKeys: map[string]graphql.ApiKey{"Site": {Description: "the site"}, "App": {}},
		DataSources: graphql.DataSources{
			Lambda:   map[string]graphql.LambdaDataSource{"Checkout": {Function: f}},
			DynamoDb: map[string]graphql.DynamoDbDataSource{"Orders": {Table: serverless.NewTable(stack, "Orders", serverless.TableProps{PartitionKey: "id"}), ReadOnly: true}},
		},
		Functions: map[string]graphql.Function{
			"check": {DataSource: "NONE", InlineCode: "export function request() { return {}; }\nexport function response() { return {}; }"},
			"place": {DataSource: "Checkout", CodeUri: "place.js", MaxBatchSize: 10},
		},
		Resolvers: map[string]map[string]graphql.Resolver{
			"Query": {
				"order":  {DataSource: "Orders", InlineCode: "export function request(ctx) { return { operation: 'GetItem', key: { id: { S: ctx.args.id } } }; }\nexport function response(ctx) { return ctx.result; }", Caching: &graphql.Caching{Ttl: time.Minute, CachingKeys: []string{"$context.arguments.id"}}},
				"orders": {DataSource: "Checkout"},
			},
			"Mutation": {"place": {Pipeline: []string{"check", "place"}}},
		},
		Cache:           &graphql.Cache{},
		DomainName:      "graph.shop.example",
		CertificateArn:  "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555",
		QueryDepthLimit: 5, ResolverCountLimit: 50, DisableIntrospection: true,
		Tags: map[string]string{"team": "orders"},
	}
}

func TestApi(t *testing.T) {
	stack := constructtest.NewStack(t)
	graphql.NewApi(stack, "Graph", shopGraph(stack, t))
	constructtest.WantGoldenStack(t, stack, "api")
}

// An Api is what the CDK takes for one.
func TestApiIsTheCDKs(t *testing.T) {
	stack := constructtest.NewStack(t)
	constructtest.Write(t, "schema.graphql", "type Query { a: String }")
	api := graphql.NewApi(stack, "Graph", graphql.ApiProps{SchemaUri: "schema.graphql", FieldLogLevel: "NONE", DisableXray: true, Private: true})
	api.GrantQuery(serverless.NewFunction(stack, "Checkout", checkout), jsii.String("a"))
	awscdk.NewCfnOutput(stack, jsii.String("Url"), &awscdk.CfnOutputProps{Value: api.GraphqlUrl()})
	constructtest.WantVisited(t, stack, api)
	constructtest.WantNoFaults(t, constructtest.Faults(stack))
	policy := constructtest.JSON(t, constructtest.Resources(t, stack, "AWS::IAM::Policy"))
	if !strings.Contains(policy, "appsync:GraphQL") {
		t.Errorf("the function may not ask: %s", policy)
	}
}

// Two synths of one app write the same template.
func TestApiIsReproducible(t *testing.T) {
	write := func() string {
		stack := constructtest.NewStack(t)
		graphql.NewApi(stack, "Graph", shopGraph(stack, t))
		return constructtest.JSON(t, constructtest.Synthesised(stack).Template())
	}
	first := write()
	for range 2 {
		if again := write(); again != first {
			t.Fatalf("two synths differ:\n%s\n%s", first, again)
		}
	}
}

func ExampleNewApi() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	orders := serverless.NewTable(stack, "Orders", serverless.TableProps{PartitionKey: "id"})
	graphql.NewApi(stack, "Graph", graphql.ApiProps{
		SchemaUri: "./schema.graphql",
		DataSources: graphql.DataSources{
			DynamoDb: map[string]graphql.DynamoDbDataSource{"Orders": {Table: orders}},
		},
		Resolvers: map[string]map[string]graphql.Resolver{
			"Query": {"order": {DataSource: "Orders", CodeUri: "./resolvers/order.js"}},
		},
	})
	app.Synth(nil)
}
