// Package graphql is SAM's AWS::Serverless::GraphQLApi as a CDK construct for Go.
// It is a package of its own since AppSync brings the CDK's databases and search
// engines with it, which an app without a GraphQL API need not compile and link.
//
//	orders := serverless.NewTable(stack, "Orders", serverless.TableProps{PartitionKey: "id"})
//
//	graphql.NewApi(stack, "Graph", graphql.ApiProps{
//		SchemaUri: "./schema.graphql",
//		DataSources: graphql.DataSources{
//			DynamoDb: map[string]graphql.DynamoDbDataSource{"Orders": {Table: orders}},
//		},
//		Resolvers: map[string]map[string]graphql.Resolver{
//			"Query": {"order": {DataSource: "Orders", CodeUri: "./resolvers/order.js"}},
//		},
//	})
//
// Props and mistakes are as in package serverless, whose functions and tables can
// be data sources, as can those that were made with the CDK.
//
// # Defaults
//
// These are what you get by writing nothing, each with the prop that changes it,
// and where AWS says more.
//
// AWS_IAM (Auth), so that nobody may ask who has no policy for it.
// [Configuring authorization and authentication to secure your GraphQL APIs]
//
// Requests with errors are logged, without headers and without what resolvers got
// and gave (FieldLogLevel, IncludeVerboseContent), kept a month (LogRetention), by
// a role that may write AppSync's logs alone.
// [Using CloudWatch to monitor and log GraphQL API data]
//
// Tracing on (DisableXray). A Cache is encrypted where it lies and on its way.
//
// [Configuring authorization and authentication to secure your GraphQL APIs]: https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
// [Using CloudWatch to monitor and log GraphQL API data]: https://docs.aws.amazon.com/appsync/latest/devguide/monitoring.html
package graphql
