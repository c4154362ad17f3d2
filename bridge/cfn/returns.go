package cfn

// arn is the pattern of an ARN with region and account.
func arn(service, resource string) string {
	return "arn:${partition}:" + service + ":${region}:${account}:" + resource
}

// named is a type whose Ref is its name and whose Arn is made of it.
func named(nameProperty, arnPattern string, more ...string) returns {
	return returns{nameProperty, "${name}", attributes(arnPattern, more)}
}

// byARN is a type whose Ref is its ARN.
func byARN(nameProperty, arnPattern string, more ...string) returns {
	return returns{nameProperty, arnPattern, attributes(arnPattern, more)}
}

// only is a type that Ref alone is known of.
func only(ref string, more ...string) returns { return returns{"", ref, attributes("", more)} }

// attributes takes pairs of attribute and pattern.
func attributes(arnPattern string, pairs []string) map[string]string {
	m := map[string]string{}
	if arnPattern != "" {
		m["Arn"] = arnPattern
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// returnValues is the table of all resource types whose return values a local
// run can give. A type that is not here is unresolved by name, never guessed.
var returnValues = map[string]returns{
	// Lambda
	"AWS::Lambda::Function": named("FunctionName", arn("lambda", "function:${name}")),
	"AWS::Lambda::Version": only("${function}:${made:1}",
		"Version", "${made:1}", "FunctionArn", "${function}:${made:1}"),
	"AWS::Lambda::Alias":              only("${function}:${=Name}", "AliasArn", "${function}:${=Name}"),
	"AWS::Lambda::LayerVersion":       {"LayerName", arn("lambda", "layer:${name}:${made:1}"), attributes("", []string{"LayerVersionArn", arn("lambda", "layer:${name}:${made:1}")})},
	"AWS::Lambda::EventSourceMapping": only("${uuid}", "Id", "${uuid}", "EventSourceMappingArn", arn("lambda", "event-source-mapping:${uuid}")),
	"AWS::Lambda::Url":                only("${function}", "FunctionArn", "${function}", "FunctionUrl", "https://${id:32}.lambda-url.${region}.on.aws/"),
	"AWS::Lambda::Permission":         only("${stack}-${id:12}", "Id", "${stack}-${id:12}"),
	"AWS::Lambda::CodeSigningConfig":  byARN("", arn("lambda", "code-signing-config:csc-${id:17}"), "CodeSigningConfigArn", "${arn}", "CodeSigningConfigId", "csc-${id:17}"),

	// messages and events
	"AWS::SQS::Queue": {
		"QueueName", "https://sqs.${region}.${suffix}/${account}/${name}",
		attributes(arn("sqs", "${name}"), []string{"QueueName", "${name}", "QueueUrl", "https://sqs.${region}.${suffix}/${account}/${name}"}),
	},
	"AWS::SNS::Topic": {
		"TopicName", arn("sns", "${name}"),
		map[string]string{"TopicArn": arn("sns", "${name}"), "TopicName": "${name}"},
	},
	"AWS::SNS::Subscription":               only(arn("sns", "${id:12}:${uuid}"), "Arn", arn("sns", "${id:12}:${uuid}")),
	"AWS::Events::EventBus":                named("Name", arn("events", "event-bus/${name}"), "Name", "${name}"),
	"AWS::Events::Rule":                    named("Name", arn("events", "rule/${rule}")),
	"AWS::Events::Archive":                 named("ArchiveName", arn("events", "archive/${name}")),
	"AWS::Events::Connection":              named("Name", arn("events", "connection/${name}/${uuid}")),
	"AWS::Events::ApiDestination":          named("Name", arn("events", "api-destination/${name}/${uuid}")),
	"AWS::Scheduler::Schedule":             named("Name", arn("scheduler", "schedule/${=GroupName:default}/${name}")),
	"AWS::Scheduler::ScheduleGroup":        named("Name", arn("scheduler", "schedule-group/${name}")),
	"AWS::Pipes::Pipe":                     named("Name", arn("pipes", "pipe/${name}")),
	"AWS::Kinesis::Stream":                 named("Name", arn("kinesis", "stream/${name}")),
	"AWS::KinesisFirehose::DeliveryStream": named("DeliveryStreamName", arn("firehose", "deliverystream/${name}")),
	"AWS::StepFunctions::StateMachine":     byARN("StateMachineName", arn("states", "stateMachine:${name}"), "Name", "${name}"),
	"AWS::StepFunctions::Activity":         byARN("Name", arn("states", "activity:${name}"), "Name", "${name}"),

	// data
	"AWS::DynamoDB::Table": named("TableName", arn("dynamodb", "table/${name}"),
		"StreamArn", arn("dynamodb", "table/${name}/stream/${made:2015-01-01T00:00:00.000}"), "TableId", "${uuid}"),
	"AWS::DynamoDB::GlobalTable": named("TableName", arn("dynamodb", "table/${name}"),
		"StreamArn", arn("dynamodb", "table/${name}/stream/${made:2015-01-01T00:00:00.000}"), "TableId", "${uuid}"),
	"AWS::S3::Bucket": named("BucketName", "arn:${partition}:s3:::${name}",
		"DomainName", "${name}.s3.${suffix}",
		"RegionalDomainName", "${name}.s3.${region}.${suffix}",
		"DualStackDomainName", "${name}.s3.dualstack.${region}.${suffix}",
		"WebsiteURL", "http://${name}.s3-website-${region}.${suffix}"),
	"AWS::S3::AccessPoint":                  named("Name", arn("s3", "accesspoint/${name}"), "Name", "${name}"),
	"AWS::ECR::Repository":                  named("RepositoryName", arn("ecr", "repository/${name}"), "RepositoryUri", "${account}.dkr.ecr.${region}.${suffix}/${name}"),
	"AWS::EFS::FileSystem":                  {"", "fs-${id:17}", attributes(arn("elasticfilesystem", "file-system/fs-${id:17}"), []string{"FileSystemId", "fs-${id:17}"})},
	"AWS::EFS::AccessPoint":                 {"", "fsap-${id:17}", attributes(arn("elasticfilesystem", "access-point/fsap-${id:17}"), []string{"AccessPointId", "fsap-${id:17}"})},
	"AWS::OpenSearchService::Domain":        named("DomainName", arn("es", "domain/${name}"), "DomainArn", "${arn}", "DomainEndpoint", "search-${name}-${id:26}.${region}.es.${suffix}"),
	"AWS::OpenSearchServerless::Collection": {"Name", "${id:20}", attributes(arn("aoss", "collection/${id:20}"), []string{"Id", "${id:20}"})},

	// APIs
	"AWS::ApiGatewayV2::Api":            only("${id:10}", "ApiId", "${id:10}", "ApiEndpoint", "https://${id:10}.execute-api.${region}.${suffix}"),
	"AWS::ApiGatewayV2::Stage":          {"StageName", "${name}", nil},
	"AWS::ApiGatewayV2::Integration":    only("${id:7}", "IntegrationId", "${id:7}"),
	"AWS::ApiGatewayV2::Route":          only("${id:7}", "RouteId", "${id:7}"),
	"AWS::ApiGatewayV2::Authorizer":     only("${id:6}", "AuthorizerId", "${id:6}"),
	"AWS::ApiGatewayV2::Deployment":     only("${id:6}", "DeploymentId", "${id:6}"),
	"AWS::ApiGatewayV2::DomainName":     {"DomainName", "${name}", map[string]string{"RegionalDomainName": "d-${id:10}.execute-api.${region}.${suffix}"}},
	"AWS::ApiGateway::RestApi":          only("${id:10}", "RestApiId", "${id:10}", "RootResourceId", "root${id:6}"),
	"AWS::ApiGateway::Resource":         only("${id:6}", "ResourceId", "${id:6}"),
	"AWS::ApiGateway::Stage":            {"StageName", "${name}", nil},
	"AWS::ApiGateway::Deployment":       only("${id:6}", "DeploymentId", "${id:6}"),
	"AWS::ApiGateway::Authorizer":       only("${id:6}", "AuthorizerId", "${id:6}"),
	"AWS::ApiGateway::Model":            only("${=Name}"),
	"AWS::ApiGateway::RequestValidator": only("${id:6}", "RequestValidatorId", "${id:6}"),
	"AWS::ApiGateway::ApiKey":           only("${id:10}", "APIKeyId", "${id:10}"),
	"AWS::ApiGateway::UsagePlan":        only("${id:6}", "Id", "${id:6}"),
	"AWS::AppSync::GraphQLApi":          byARN("", arn("appsync", "apis/${id:26}"), "ApiId", "${id:26}", "GraphQLUrl", "https://${id:27}.appsync-api.${region}.${suffix}/graphql"),

	// identity and secrets
	"AWS::IAM::Role":               named("RoleName", "arn:${partition}:iam::${account}:role${=Path:/}${name}", "RoleId", "AROA${id:17}"),
	"AWS::IAM::User":               named("UserName", "arn:${partition}:iam::${account}:user${=Path:/}${name}"),
	"AWS::IAM::Group":              named("GroupName", "arn:${partition}:iam::${account}:group${=Path:/}${name}"),
	"AWS::IAM::ManagedPolicy":      byARN("ManagedPolicyName", "arn:${partition}:iam::${account}:policy${=Path:/}${name}", "PolicyArn", "${arn}"),
	"AWS::IAM::Policy":             only("${=PolicyName}"),
	"AWS::KMS::Key":                {"", "${uuid}", attributes(arn("kms", "key/${uuid}"), []string{"KeyId", "${uuid}"})},
	"AWS::KMS::Alias":              only("${=AliasName}"),
	"AWS::SecretsManager::Secret":  {"Name", arn("secretsmanager", "secret:${name}-${id:6}"), map[string]string{"Id": arn("secretsmanager", "secret:${name}-${id:6}")}},
	"AWS::SSM::Parameter":          {"Name", "${name}", map[string]string{"Type": "${=Type}", "Value": "${=Value}"}},
	"AWS::Cognito::UserPool":       {"", "${region}_${id:9}", attributes(arn("cognito-idp", "userpool/${region}_${id:9}"), []string{"UserPoolId", "${region}_${id:9}", "ProviderName", "cognito-idp.${region}.${suffix}/${region}_${id:9}", "ProviderURL", "https://cognito-idp.${region}.${suffix}/${region}_${id:9}"})},
	"AWS::Cognito::UserPoolClient": only("${id:26}", "ClientId", "${id:26}", "Name", "${=ClientName}"),
	"AWS::Cognito::IdentityPool":   only("${region}:${uuid}", "Id", "${region}:${uuid}"),

	// operations and network
	"AWS::Logs::LogGroup":        named("LogGroupName", arn("logs", "log-group:${name}:*")),
	"AWS::CloudWatch::Alarm":     named("AlarmName", arn("cloudwatch", "alarm:${name}")),
	"AWS::EC2::VPC":              only("vpc-${id:17}", "VpcId", "vpc-${id:17}", "CidrBlock", "${=CidrBlock}"),
	"AWS::EC2::Subnet":           only("subnet-${id:17}", "SubnetId", "subnet-${id:17}", "AvailabilityZone", "${=AvailabilityZone}"),
	"AWS::EC2::SecurityGroup":    only("sg-${id:17}", "GroupId", "sg-${id:17}", "Id", "sg-${id:17}"),
	"AWS::CloudFormation::Stack": only("${stackid}/${id:12}"),
	"AWS::CDK::Metadata":         only("${id:12}"),
}
