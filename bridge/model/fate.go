package model

import "strings"

// partOf are the types that belong to another resource, and are read with it.
var partOf = map[string]string{
	"AWS::ApiGatewayV2::Stage":               "an HTTP or WebSocket API",
	"AWS::ApiGatewayV2::Route":               "an HTTP or WebSocket API",
	"AWS::ApiGatewayV2::Integration":         "an HTTP or WebSocket API",
	"AWS::ApiGatewayV2::Authorizer":          "an HTTP or WebSocket API",
	"AWS::ApiGatewayV2::RouteResponse":       "a WebSocket API",
	"AWS::ApiGatewayV2::IntegrationResponse": "a WebSocket API",
	"AWS::ApiGatewayV2::Deployment":          "an HTTP or WebSocket API",
	"AWS::ApiGateway::Stage":                 "a REST API",
	"AWS::ApiGateway::Resource":              "a REST API",
	"AWS::ApiGateway::Method":                "a REST API",
	"AWS::ApiGateway::Authorizer":            "a REST API",
	"AWS::ApiGateway::Deployment":            "a REST API",
	"AWS::ApiGateway::GatewayResponse":       "a REST API",
	"AWS::ApiGateway::Model":                 "a REST API",
	"AWS::ApiGateway::RequestValidator":      "a REST API",
	"AWS::Lambda::Alias":                     "a function: its name finds the function",
	"AWS::Lambda::Version":                   "a function: its name finds the function",
	"Custom::S3BucketNotifications":          "a bucket",
	"AWS::CloudFormation::Stack":             "its own resources, which are read with the stack's",
	"AWS::SSM::Parameter":                    "values that refer to it",
}

// ignored are the types, or beginnings of types, that have no part in a local
// run, with the reason. The longest that fits counts.
var ignored = map[string]string{
	"AWS::IAM::":                          "permissions are not enforced locally",
	"AWS::Lambda::Permission":             "permissions are not enforced locally",
	"AWS::Lambda::LayerVersionPermission": "permissions are not enforced locally",
	"AWS::Lambda::CodeSigningConfig":      "code is not signed locally",
	"AWS::SQS::QueuePolicy":               "permissions are not enforced locally",
	"AWS::SNS::TopicPolicy":               "permissions are not enforced locally",
	"AWS::S3::BucketPolicy":               "permissions are not enforced locally",
	"AWS::Events::EventBusPolicy":         "permissions are not enforced locally",
	"AWS::SecretsManager::ResourcePolicy": "permissions are not enforced locally",
	"AWS::KMS::":                          "nothing is encrypted locally",
	"AWS::Logs::LogGroup":                 "a local function logs to the terminal",
	"AWS::Logs::LogStream":                "a local function logs to the terminal",
	"AWS::Logs::ResourcePolicy":           "permissions are not enforced locally",
	"Custom::LogRetention":                "a local function logs to the terminal",
	"AWS::CloudWatch::":                   "nothing is measured locally",
	"AWS::ApplicationInsights::":          "nothing is measured locally",
	"AWS::ApplicationAutoScaling::":       "a local run does not scale with money",
	"AWS::EC2::":                          "a local function is in this machine's network",
	"AWS::EFS::":                          "a local function uses this machine's file system",
	"AWS::CDK::Metadata":                  "it counts uses of the CDK",
	"AWS::CloudFormation::":               "it steers a deployment",
	"AWS::CertificateManager::":           "local servers need no certificate",
	"AWS::Route53::":                      "local servers have no domain name",
	"AWS::CloudFront::":                   "local servers have no content network in front",
	"AWS::WAFv2::":                        "local servers have no firewall in front",
	"AWS::ApiGateway::Account":            "a local API logs to the terminal",
	"AWS::ApiGateway::UsagePlan":          "a local API does not count calls",
	"AWS::ApiGateway::ApiKey":             "a local API does not count calls",
	"AWS::ApiGateway::UsagePlanKey":       "a local API does not count calls",
	"AWS::ApiGateway::DomainName":         "local servers have no domain name",
	"AWS::ApiGateway::BasePathMapping":    "local servers have no domain name",
	"AWS::ApiGatewayV2::DomainName":       "local servers have no domain name",
	"AWS::ApiGatewayV2::ApiMapping":       "local servers have no domain name",
	"AWS::ApiGatewayV2::VpcLink":          "a local function is in this machine's network",
	"AWS::SecretsManager::":               "a local run has no secrets store; give values with --env-vars",
	"AWS::CodeDeploy::":                   "it steers a deployment",
	"AWS::CodePipeline::":                 "it steers a deployment",
	"AWS::CodeBuild::":                    "it steers a deployment",
	"Custom::":                            "a custom resource's answer is known only after a deployment",
	"AWS::CloudTrail::":                   "nothing is recorded locally",
	"AWS::XRay::":                         "nothing is measured locally",
}

// unread is the reason for all types that are in no table.
const unread = "this version does not read it; a local function cannot reach it"

// fateOf is what becomes of a resource for which there is no reader.
func fateOf(kind string) (Reading, string) {
	if whole, ok := partOf[kind]; ok {
		return Part, "it is part of " + whole
	}
	best, reason := "", ""
	for beginning, why := range ignored {
		fits := kind == beginning || strings.HasSuffix(beginning, "::") && strings.HasPrefix(kind, beginning)
		if fits && len(beginning) > len(best) {
			best, reason = beginning, why
		}
	}
	if best != "" {
		return Ignored, reason
	}
	return Unread, unread
}

// fates lists what became of each resource, in the order of paths.
func (r *reader) fates() {
	readers := map[string]bool{}
	for _, phase := range phases() {
		for kind := range phase {
			readers[kind] = true
		}
	}
	type fateOfKind struct {
		reading Reading
		reason  string
	}
	kinds := map[string]fateOfKind{} // of those without a reader
	for _, res := range r.resources {
		fate := &Resource{ID: res.identity(), Type: res.r.Type}
		fate.Reading, fate.Reason = InModel, ""
		switch {
		case !r.active(res):
			fate.Reading, fate.Reason = Absent, "its condition "+res.r.Condition+" is false"
		case r.left[res] != "":
			fate.Reading, fate.Reason = Unread, r.left[res]
		case partOf[res.r.Type] != "" || !readers[res.r.Type]:
			kind, known := kinds[res.r.Type]
			if !known {
				kind.reading, kind.reason = fateOf(res.r.Type)
				kinds[res.r.Type] = kind
			}
			fate.Reading, fate.Reason = kind.reading, kind.reason
		}
		r.app.Resources = append(r.app.Resources, fate)
	}
}
