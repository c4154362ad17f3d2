package eventfork

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsopensearchservice"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/nag"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

// newDomain makes an encrypted domain in two zones, which lets in the roles
// alone.
func newDomain(b *branch, p DomainProps, roles []string) awsopensearchservice.CfnDomain {
	cluster := &awsopensearchservice.CfnDomain_ClusterConfigProperty{
		InstanceCount: jsii.Number(p.DataNodes), InstanceType: &p.DataNodeType,
		ZoneAwarenessEnabled:   jsii.Bool(true),
		ZoneAwarenessConfig:    &awsopensearchservice.CfnDomain_ZoneAwarenessConfigProperty{AvailabilityZoneCount: jsii.Number(2)},
		DedicatedMasterEnabled: jsii.Bool(p.MasterNodes != NoMasters),
	}
	if p.MasterNodes != NoMasters {
		cluster.DedicatedMasterCount, cluster.DedicatedMasterType = jsii.Number(p.MasterNodes), &p.MasterNodeType
	}
	logs, rights := domainLogs(b)
	domain := awsopensearchservice.NewCfnDomain(b.scope, jsii.String("Domain"), &awsopensearchservice.CfnDomainProps{
		EngineVersion:  &p.EngineVersion,
		ClusterConfig:  cluster,
		AccessPolicies: accessPolicy(b, roles),
		EbsOptions: &awsopensearchservice.CfnDomain_EBSOptionsProperty{
			EbsEnabled: jsii.Bool(true), VolumeSize: jsii.Number(p.VolumeSize), VolumeType: jsii.String("gp3"),
		},
		EncryptionAtRestOptions:     &awsopensearchservice.CfnDomain_EncryptionAtRestOptionsProperty{Enabled: jsii.Bool(true)},
		NodeToNodeEncryptionOptions: &awsopensearchservice.CfnDomain_NodeToNodeEncryptionOptionsProperty{Enabled: jsii.Bool(true)},
		DomainEndpointOptions: &awsopensearchservice.CfnDomain_DomainEndpointOptionsProperty{
			EnforceHttps: jsii.Bool(true), TlsSecurityPolicy: jsii.String("Policy-Min-TLS-1-2-PFS-2023-10"),
		},
		LogPublishingOptions: map[string]any{
			"SEARCH_SLOW_LOGS":    logPublishing(logs),
			"INDEX_SLOW_LOGS":     logPublishing(logs),
			"ES_APPLICATION_LOGS": logPublishing(logs),
		},
	})
	domain.Node().AddDependency(rights)
	// The indices of a fork can't be made again of it: not even by mistake are
	// they deleted with the stack.
	domain.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	nag.Suppress(domain, "AwsSolutions-OS1", "The domain is reached through IAM: its access policy names the roles that may, and requests are signed and encrypted. A network around it would be a second fence, and each stack has its own.")
	nag.Suppress(domain, "AwsSolutions-OS3", "The access policy names roles instead of addresses, since Firehose and Lambda have none of their own outside a network.")
	if p.MasterNodes == NoMasters {
		nag.Suppress(domain, "AwsSolutions-OS4", "The user chose a domain without dedicated masters.")
	}
	return domain
}

func logPublishing(logs awslogs.LogGroup) *awsopensearchservice.CfnDomain_LogPublishingOptionProperty {
	return &awsopensearchservice.CfnDomain_LogPublishingOptionProperty{Enabled: jsii.Bool(true), CloudWatchLogsLogGroupArn: logs.LogGroupArn()}
}

// domainLogs is where the domain writes what is slow or wrong, and its right to.
func domainLogs(b *branch) (awslogs.LogGroup, awslogs.CfnResourcePolicy) {
	logs := awslogs.NewLogGroup(b.scope, jsii.String("DomainLog"), &awslogs.LogGroupProps{Retention: serverless.DefaultLogRetention})
	allowed := statement("es.amazonaws.com", []string{"logs:PutLogEvents", "logs:CreateLogStream"}, *logs.LogGroupArn())
	allowed.AddCondition(jsii.String("StringEquals"), map[string]any{"aws:SourceAccount": awscdk.Stack_Of(b.scope).Account()})
	document := awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{allowed}})
	rights := awslogs.NewCfnResourcePolicy(b.scope, jsii.String("DomainLogPolicy"), &awslogs.CfnResourcePolicyProps{
		PolicyName:     awscdk.Names_UniqueResourceName(b.scope, &awscdk.UniqueResourceNameOptions{MaxLength: jsii.Number(100)}),
		PolicyDocument: awscdk.Stack_Of(b.scope).ToJsonString(document, nil),
	})
	return logs, rights
}

// accessPolicy lets the roles use the paths of a domain. It is of this domain
// alone, whose name can't stand in it before it has one.
func accessPolicy(b *branch, roles []string) awsiam.PolicyDocument {
	var principals []awsiam.IPrincipal
	for _, role := range roles {
		principals = append(principals, awsiam.NewArnPrincipal(&role))
	}
	all := awscdk.Stack_Of(b.scope).FormatArn(&awscdk.ArnComponents{Service: jsii.String("es"), Resource: jsii.String("domain"), ResourceName: jsii.String("*")})
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Principals: &principals,
			Actions:    jsii.Strings("es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut", "es:ESHttpDelete"),
			Resources:  &[]*string{all},
		}),
	}})
}
