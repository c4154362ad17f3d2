package serverless

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// Domain is a name of your own for an API, with SAM's names. TLS 1.2 is the
// least that clients may speak.
type Domain struct {
	// DomainName is such as "api.shop.example".
	DomainName string
	// CertificateArn or Certificate is the name's certificate in AWS
	// Certificate Manager: in the API's region, and in us-east-1 for the
	// endpoint type EDGE.
	CertificateArn string
	Certificate    awscertificatemanager.ICertificate
	// BasePath are the first segments of the paths below which the API is; it
	// is at the domain's root by default.
	BasePath []string
	// EndpointConfiguration is "REGIONAL" by default, or "EDGE" for a
	// [RestApi].
	EndpointConfiguration string
	// MutualTlsAuthentication wants a certificate of every client. The API's
	// own endpoint, which would not, is then switched off.
	MutualTlsAuthentication *MutualTlsAuthentication
	// OwnershipVerificationCertificateArn is a public certificate of ACM which
	// proves that the name is yours, where Certificate is imported or private
	// and there is mutual TLS.
	OwnershipVerificationCertificateArn string
	// Route53 points the name to the API.
	Route53 *Route53
}

// MutualTlsAuthentication is whose client certificates a domain accepts.
type MutualTlsAuthentication struct {
	// TruststoreUri is a file of certificates of authorities in PEM form:
	// "s3://BUCKET/KEY".
	TruststoreUri string
	// TruststoreVersion is a version of that file; S3's latest by default.
	TruststoreVersion string
}

// Route53 is the hosted zone in which a domain gets its records.
type Route53 struct {
	// HostedZoneId or HostedZoneName is the zone; a name ends with a dot.
	HostedZoneId   string
	HostedZoneName string
	// IpV6 adds a record for IPv6.
	IpV6 bool
	// EvaluateTargetHealth lets the record follow the API's health.
	EvaluateTargetHealth bool
}

var (
	domainName = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}$`)
	truststore = regexp.MustCompile(`^s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)$`)
)

// checked adds what is wrong to found, and gives the domain to go on with: none
// where something is.
func (d *Domain) checked(found []string, edge bool) (*Domain, []string) {
	var problems []string
	if !prop.IsToken(d.DomainName) && !domainName.MatchString(d.DomainName) {
		problems = append(problems, fmt.Sprintf("DomainName %q is no host name: write lower case, as in api.shop.example", d.DomainName))
	}
	switch {
	case d.CertificateArn == "" && prop.IsNil(d.Certificate):
		problems = append(problems, "it has no certificate: set CertificateArn or Certificate, without which there is no TLS")
	case d.CertificateArn != "" && !prop.IsNil(d.Certificate):
		problems = append(problems, "CertificateArn and Certificate are both set: choose one")
	}
	kinds := []string{"REGIONAL"}
	if edge {
		kinds = append(kinds, "EDGE")
	}
	if d.EndpointConfiguration != "" {
		problems = append(problems, prop.OneOf("EndpointConfiguration", d.EndpointConfiguration, kinds...)...)
	}
	if m := d.MutualTlsAuthentication; m != nil {
		if !prop.IsToken(m.TruststoreUri) && !truststore.MatchString(m.TruststoreUri) {
			problems = append(problems, fmt.Sprintf("TruststoreUri %q is no object in S3: write s3://BUCKET/KEY", m.TruststoreUri))
		}
		if d.EndpointConfiguration == "EDGE" {
			problems = append(problems, "mutual TLS needs the EndpointConfiguration REGIONAL")
		}
	} else if d.OwnershipVerificationCertificateArn != "" {
		problems = append(problems, "OwnershipVerificationCertificateArn needs MutualTlsAuthentication")
	}
	if r := d.Route53; r != nil && (r.HostedZoneId == "") == (r.HostedZoneName == "") {
		problems = append(problems, "Route53 needs either HostedZoneId or HostedZoneName")
	}
	for _, path := range d.BasePath {
		if strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
			problems = append(problems, fmt.Sprintf(`BasePath %q begins or ends with "/": leave it out`, path))
		}
	}
	for _, problem := range problems {
		found = append(found, "Domain: "+problem)
	}
	if len(problems) > 0 {
		return nil, found
	}
	return d, found
}

func (d *Domain) certificate(scope constructs.Construct) awscertificatemanager.ICertificate {
	if !prop.IsNil(d.Certificate) {
		return d.Certificate
	}
	return awscertificatemanager.Certificate_FromCertificateArn(scope, jsii.String("Certificate"), &d.CertificateArn)
}

// truststore is where the authorities' certificates are. A URI that only
// CloudFormation knows can't be taken apart, so it is set on the resource.
func (d *Domain) truststore(scope constructs.Construct) (bucket awss3.IBucket, key, version *string) {
	m := d.MutualTlsAuthentication
	parts := truststore.FindStringSubmatch(m.TruststoreUri)
	if parts == nil {
		parts = []string{"", "bucket", "key"}
	}
	return awss3.Bucket_FromBucketName(scope, jsii.String("Truststore"), &parts[1]), &parts[2], prop.Optional(m.TruststoreVersion)
}

// mapV2 makes the domain for a stage of an HTTP or WebSocket API.
func (d *Domain) mapV2(api constructs.Construct, stage awsapigatewayv2.IStage) {
	props := &awsapigatewayv2.DomainNameProps{
		DomainName: &d.DomainName, Certificate: d.certificate(api),
		SecurityPolicy: awsapigatewayv2.SecurityPolicy_TLS_1_2,
	}
	if d.MutualTlsAuthentication != nil {
		bucket, key, version := d.truststore(api)
		props.Mtls = &awsapigatewayv2.MTLSConfig{Bucket: bucket, Key: key, Version: version}
	}
	if arn := d.OwnershipVerificationCertificateArn; arn != "" {
		props.OwnershipCertificate = awscertificatemanager.Certificate_FromCertificateArn(api, jsii.String("Ownership"), &arn)
	}
	made := awsapigatewayv2.NewDomainName(api, jsii.String("Domain"), props)
	for _, path := range d.basePaths() {
		awsapigatewayv2.NewCfnApiMapping(api, jsii.String("Mapping"+path), &awsapigatewayv2.CfnApiMappingProps{
			ApiId: stage.Node().DefaultChild().(awsapigatewayv2.CfnStage).ApiId(), Stage: stage.StageName(),
			DomainName: made.Name(), ApiMappingKey: prop.Optional(path),
		}).Node().AddDependency(stage)
	}
	d.record(api, made.RegionalDomainName(), made.RegionalHostedZoneId())
}

// mapREST makes the domain for the stage of a REST API.
func (d *Domain) mapREST(api *RestApi) {
	options := &awsapigateway.DomainNameProps{
		DomainName: &d.DomainName, Certificate: d.certificate(api),
		SecurityPolicy: awsapigateway.SecurityPolicy_TLS_1_2,
		EndpointType:   awsapigateway.EndpointType_REGIONAL,
	}
	if d.EndpointConfiguration == "EDGE" {
		options.EndpointType = awsapigateway.EndpointType_EDGE
	}
	if d.MutualTlsAuthentication != nil {
		bucket, key, version := d.truststore(api)
		options.Mtls = &awsapigateway.MTLSConfig{Bucket: bucket, Key: key, Version: version}
	}
	made := awsapigateway.NewDomainName(api, jsii.String("Domain"), options)
	if arn := d.OwnershipVerificationCertificateArn; arn != "" {
		made.Node().DefaultChild().(awsapigateway.CfnDomainName).SetOwnershipVerificationCertificateArn(&arn)
	}
	for _, path := range d.basePaths() {
		awsapigateway.NewBasePathMapping(api, jsii.String("Mapping"+path), &awsapigateway.BasePathMappingProps{
			DomainName: made, RestApi: api, Stage: api.DeploymentStage(), BasePath: prop.Optional(path),
		})
	}
	d.record(api, made.DomainNameAliasDomainName(), made.DomainNameAliasHostedZoneId())
}

func (d *Domain) basePaths() []string {
	if len(d.BasePath) == 0 {
		return []string{""}
	}
	return d.BasePath
}

// record points the name to the API's domain.
func (d *Domain) record(api constructs.Construct, target, zone *string) {
	r := d.Route53
	if r == nil {
		return
	}
	kinds := []string{"A"}
	if r.IpV6 {
		kinds = append(kinds, "AAAA")
	}
	for _, kind := range kinds {
		awsroute53.NewCfnRecordSet(api, jsii.String("Record"+kind), &awsroute53.CfnRecordSetProps{
			Name: &d.DomainName, Type: jsii.String(kind),
			HostedZoneId: prop.Optional(r.HostedZoneId), HostedZoneName: prop.Optional(r.HostedZoneName),
			AliasTarget: &awsroute53.CfnRecordSet_AliasTargetProperty{
				DnsName: target, HostedZoneId: zone, EvaluateTargetHealth: prop.OptionalTrue(r.EvaluateTargetHealth),
			},
		})
	}
}
