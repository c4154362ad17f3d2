package eventfork

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awskinesisfirehose"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsopensearchservice"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/nag"
	"github.com/bailey-cdk/bailey/constructs/internal/props"
	"github.com/bailey-cdk/bailey/constructs/serverless"
	"github.com/bailey-cdk/bailey/internal/fork"
)

// Search indexes events in OpenSearch, through Firehose. They must be JSON
// objects: each is a document. What Firehose could not transform, and what
// OpenSearch refused, is in the backup below "errors/", and in the [Record].
type Search struct {
	// Filter says which events; all of them by default.
	Filter Filter
	// Wrapped indexes the event with the envelope of SNS or EventBridge.
	Wrapped bool

	// Domain is used instead of one of the branch's own. Its access policy must
	// let the account's roles in; they are given the rights.
	Domain awsopensearchservice.IDomain
	// DomainProps are of the branch's own domain.
	DomainProps DomainProps

	// IndexName is at most 80 small letters, digits, - and _; the branch's id
	// by default. Document types, which the published pipeline asked for, are
	// no more in OpenSearch.
	IndexName string
	// Rotation begins a new index of the name and the date; none by default,
	// unless Retention is set, which rotates by day.
	Rotation Rotation
	// Retention is how long the documents of a rotated index are kept, in whole
	// hours; for ever by default. A function deletes older indices, daily.
	Retention time.Duration
	// RetryDuration is how long Firehose tries to index, up to 2 hours; 5
	// minutes by default. [NoRetry] does not try again.
	RetryDuration time.Duration

	// BackupAll stores every event in S3 too; by default those that could not
	// be indexed.
	BackupAll bool
	// BackupBucket is used instead of one of the branch's own. As that of a
	// [Storage], it must tell EventBridge of its objects.
	BackupBucket awss3.IBucket
	// BackupPrefix begins the keys of events; "search/" by default. It does not
	// begin with "errors/".
	BackupPrefix string
	// BackupCompression is GZIP by default.
	BackupCompression Compression
	// BackupExpiration is when the backup goes, in whole days; it does not by
	// default.
	BackupExpiration time.Duration

	// BufferingInterval is how long Firehose gathers events, 1 second to 15
	// minutes; 1 minute by default.
	BufferingInterval time.Duration
	// BufferingSize is how much it gathers, 1 to 100 MB; 5 by default.
	BufferingSize int
	// Transform, RemoveFields, Envelope, Buffered and MaxReceiveCount are as
	// those of [Storage]; QueueRetention is its Retention.
	Transform       awslambda.IFunction
	RemoveFields    []string
	Envelope        bool
	Buffered        bool
	MaxReceiveCount int
	QueueRetention  time.Duration
	// LogLevel is the least level of the batching function's log lines.
	LogLevel string
}

// DomainProps define an OpenSearch domain. By default it is what the published
// pipeline made, in today's kinds: two data nodes in two zones and three
// dedicated masters, encrypted.
type DomainProps struct {
	// EngineVersion is "OpenSearch_2.19" by default.
	EngineVersion string
	// DataNodes is how many, an even number; 2 by default.
	DataNodes int
	// DataNodeType is "t3.medium.search" by default.
	DataNodeType string
	// MasterNodes is 3 by default, or 5. [NoMasters] has none.
	MasterNodes int
	// MasterNodeType is "t3.small.search" by default; AWS advises a larger one
	// for production.
	MasterNodeType string
	// VolumeSize is the disk of a data node in GB; 20 by default.
	VolumeSize int
	// Readers are ARNs of roles that may search.
	Readers []string
}

// NoRetry as a RetryDuration does not try again.
const NoRetry time.Duration = -1

// NoMasters as MasterNodes has none.
const NoMasters = -1

// Rotation is how often a new index begins, by Firehose's names.
type Rotation string

// The rotations.
const (
	NoRotation Rotation = "NoRotation"
	Hourly     Rotation = "OneHour"
	Daily      Rotation = "OneDay"
	Weekly     Rotation = "OneWeek"
	Monthly    Rotation = "OneMonth"
)

// What a Search has that says nothing.
const (
	DefaultEngineVersion           = "OpenSearch_2.19"
	DefaultDataNodeType            = "t3.medium.search"
	DefaultMasterNodeType          = "t3.small.search"
	DefaultVolumeSize              = 20
	DefaultRetryDuration           = 5 * time.Minute
	DefaultBackupPrefix            = "search/"
	DefaultSearchBufferingInterval = time.Minute
	largestSearchBuffering         = 100
)

func (d Search) filter() Filter { return d.Filter }

func (d Search) setDefaults() Search {
	props.SetDefault(&d.RetryDuration, DefaultRetryDuration)
	if d.RetryDuration == NoRetry {
		d.RetryDuration = 0
	}
	props.SetDefault(&d.BackupPrefix, DefaultBackupPrefix)
	props.SetDefault(&d.BackupCompression, GZIP)
	props.SetDefault(&d.BufferingInterval, DefaultSearchBufferingInterval)
	props.SetDefault(&d.BufferingSize, DefaultBufferingSize)
	rotation := NoRotation
	if d.Retention != 0 {
		rotation = Daily
	}
	props.SetDefault(&d.Rotation, rotation)
	p := &d.DomainProps
	props.SetDefault(&p.EngineVersion, DefaultEngineVersion)
	props.SetDefault(&p.DataNodes, 2)
	props.SetDefault(&p.DataNodeType, DefaultDataNodeType)
	props.SetDefault(&p.MasterNodes, 3)
	props.SetDefault(&p.MasterNodeType, DefaultMasterNodeType)
	props.SetDefault(&p.VolumeSize, DefaultVolumeSize)
	return d
}

func (d Search) queued(f *Fork) bool {
	return d.Buffered || d.Envelope || len(d.RemoveFields) > 0 || f.fifo()
}

var indexName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,79}$`)

func (d Search) check(f *Fork) []string {
	found := props.NilPointers(&d)
	own := d.DomainProps
	d = d.setDefaults()
	if d.Domain != nil && (own.EngineVersion+own.DataNodeType+own.MasterNodeType != "" || own.DataNodes != 0 || own.MasterNodes != 0 || own.VolumeSize != 0 || len(own.Readers) > 0) {
		found = append(found, "DomainProps are of the domain that the branch makes, and Domain is yours: set them there")
	}
	found = append(found, d.DomainProps.check()...)
	found = append(found, bufferingProblems(d.BufferingInterval, d.BufferingSize, 1)...)
	if d.BufferingSize > largestSearchBuffering && d.BufferingSize <= largestBuffering {
		found = append(found, props.InRange("BufferingSize", d.BufferingSize, 1, largestSearchBuffering, " MB")...)
	}
	found = append(found, props.DurationInRange("RetryDuration", d.RetryDuration, 0, 2*time.Hour)...)
	found = append(found, props.OneOf("Rotation", d.Rotation, NoRotation, Hourly, Daily, Weekly, Monthly)...)
	found = append(found, props.OneOf("BackupCompression", d.BackupCompression, Uncompressed, GZIP, ZIP, Snappy)...)
	found = append(found, pathProblems(d.RemoveFields)...)
	found = append(found, retentionProblem("BackupExpiration", d.BackupExpiration)...)
	switch {
	case d.IndexName != "" && !indexName.MatchString(d.IndexName):
		found = append(found, fmt.Sprintf("IndexName %q is none: use at most 80 small letters, digits, - and _", d.IndexName))
	case d.Retention < 0 || d.Retention%time.Hour != 0:
		found = append(found, fmt.Sprintf("Retention is %s: want whole hours", props.Short(d.Retention)))
	case d.Retention > 0 && d.Rotation == NoRotation:
		found = append(found, "Retention needs a Rotation: indices are deleted, not documents")
	}
	if d.BackupBucket != nil && d.BackupExpiration != 0 {
		found = append(found, "BackupExpiration is of the bucket that the branch makes: set a lifecycle where you make yours")
	}
	if !f.tellable(d.BackupPrefix, DefaultErrorPrefix) {
		found = append(found, fmt.Sprintf("BackupPrefix is %q: below errors/ is what Firehose failed, so that the record could not tell it from events", d.BackupPrefix))
	}
	if !d.queued(f) && (d.QueueRetention != 0 || d.MaxReceiveCount != 0) {
		found = append(found, "QueueRetention and MaxReceiveCount are of the queue before the stream, and there is none: set Buffered")
	}
	if d.Wrapped && d.Envelope {
		found = append(found, "Wrapped and Envelope are both set: choose one envelope")
	}
	return found
}

func (p *DomainProps) check() (found []string) {
	if p.DataNodes < 2 || p.DataNodes%2 != 0 {
		found = append(found, fmt.Sprintf("DataNodes is %d: want an even number, for two zones", p.DataNodes))
	}
	if p.MasterNodes != NoMasters && p.MasterNodes != 3 && p.MasterNodes != 5 {
		found = append(found, fmt.Sprintf("MasterNodes is %d: want 3 or 5, or NoMasters", p.MasterNodes))
	}
	found = append(found, props.InRange("VolumeSize", p.VolumeSize, 10, 16384, " GB")...)
	for _, name := range []string{p.DataNodeType, p.MasterNodeType} {
		if !strings.HasSuffix(name, ".search") {
			found = append(found, fmt.Sprintf("the node type %q is none of OpenSearch's: they end with .search, such as t3.small.search", name))
		}
	}
	return found
}

func (d Search) grow(b *branch) {
	d = d.setDefaults()
	props.SetDefault(&d.IndexName, strings.ToLower(b.id))
	s := newStream(b)
	bucket := d.BackupBucket
	if bucket == nil {
		bucket = newBucket(b.scope, "Backup", bucketProps{
			key: b.fork.props.EncryptionKey, expire: d.BackupExpiration,
			logs: b.fork.accessLogs(), logPrefix: strings.ToLower(b.id) + "/",
		})
	}
	s.useBucket(bucket, DefaultErrorPrefix)
	var sweeper *serverless.Function
	if d.Retention > 0 {
		sweeper = d.sweeper(b)
	}
	domain := d.domain(b, s, sweeper)
	s.allow([]string{"es:DescribeDomain", "es:DescribeDomains", "es:DescribeDomainConfig"}, domain.arn)
	s.allow([]string{"es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut"}, domain.arn, domain.arn+"/*")
	nag.SuppressPolicy(s.role, "AwsSolutions-IAM5", "Firehose asks a domain about itself and its indices at many paths. The domain is this branch's.", `/^Resource::.*[Dd]omain.*\/\*$/`)
	s.create(b, &awskinesisfirehose.CfnDeliveryStreamProps{AmazonopensearchserviceDestinationConfiguration: d.destination(b, s, bucket, domain.arn)})
	s.watch(b, "DeliveryToAmazonOpenSearchService.DataFreshness", d.BufferingInterval)
	if !d.queued(b.fork) {
		s.direct(b, d.Wrapped)
		return
	}
	environment := map[string]string{}
	if len(d.RemoveFields) > 0 {
		environment[fork.RemoveFields] = strings.Join(d.RemoveFields, ",")
	}
	if d.Envelope {
		environment[fork.Envelope] = "true"
	}
	s.buffered(b, queueing{d.QueueRetention, d.MaxReceiveCount, d.Wrapped, d.LogLevel}, environment)
}

// searchDomain is the domain that is used.
type searchDomain struct{ arn, endpoint string }

// domain is the given one, or makes one that lets in the stream, the sweeper and
// the readers, by name. It is no L2: that sets the access policy, and the
// rights of logging, by functions that run during a deployment.
func (d Search) domain(b *branch, s *stream, sweeper *serverless.Function) searchDomain {
	if d.Domain != nil {
		domain := searchDomain{*d.Domain.DomainArn(), *d.Domain.DomainEndpoint()}
		d.sweep(sweeper, domain)
		return domain
	}
	roles := append([]string{*s.role.RoleArn()}, d.DomainProps.Readers...)
	if sweeper != nil {
		roles = append(roles, *sweeper.Role().RoleArn())
	}
	resource := newDomain(b, d.DomainProps, roles)
	domain := searchDomain{*resource.AttrArn(), *resource.AttrDomainEndpoint()}
	d.sweep(sweeper, domain)
	return domain
}

// sweeper deletes old indices.
func (d Search) sweeper(b *branch) *serverless.Function {
	return newFunction(b.scope, "Retention", serverless.FunctionProps{
		Description: "deletes indices of " + d.IndexName + " that are older than their retention",
		Entry:       functions + "retention",
		Timeout:     5 * time.Minute,
		Environment: map[string]string{
			fork.Index:     d.IndexName,
			fork.Retention: strconv.Itoa(int(d.Retention / time.Hour)),
		},
		Events: serverless.Events{"Daily": serverless.ScheduleEvent{Schedule: "rate(1 day)"}},
	})
}

// sweep tells the sweeper of the domain. Its rights are a policy of its own: in
// the role's, they would be needed before the domain, which needs the role.
func (d Search) sweep(f *serverless.Function, domain searchDomain) {
	if f == nil {
		return
	}
	endpoint := "https://" + domain.endpoint
	f.AddEnvironment(jsii.String(fork.Domain), &endpoint, nil)
	f.AddPolicy(serverless.Statement{Actions: []string{"es:ESHttpGet", "es:ESHttpDelete"}, Resources: []string{
		domain.arn + "/_cat/indices/" + d.IndexName + "-*", domain.arn + "/" + d.IndexName + "-*",
	}})
	nag.SuppressPolicy(f.Role(), "AwsSolutions-IAM5", "The names of rotated indices end with their dates. The prefix limits the function to those of this branch.", `/^Resource::.*\/`+d.IndexName+`-\*$/`)
}

func (d Search) destination(b *branch, s *stream, bucket awss3.IBucket, domainARN string) *awskinesisfirehose.CfnDeliveryStream_AmazonopensearchserviceDestinationConfigurationProperty {
	mode := "FailedDocumentsOnly"
	if d.BackupAll {
		mode = "AllDocuments"
	}
	p := &awskinesisfirehose.CfnDeliveryStream_AmazonopensearchserviceDestinationConfigurationProperty{
		DomainArn: &domainARN, IndexName: &d.IndexName, RoleArn: s.role.RoleArn(),
		IndexRotationPeriod: jsii.String(string(d.Rotation)),
		BufferingHints: &awskinesisfirehose.CfnDeliveryStream_AmazonopensearchserviceBufferingHintsProperty{
			IntervalInSeconds: jsii.Number(d.BufferingInterval.Seconds()), SizeInMBs: jsii.Number(d.BufferingSize),
		},
		RetryOptions: &awskinesisfirehose.CfnDeliveryStream_AmazonopensearchserviceRetryOptionsProperty{
			DurationInSeconds: jsii.Number(d.RetryDuration.Seconds()),
		},
		CloudWatchLoggingOptions: s.log(b, "Search"),
		S3BackupMode:             &mode,
		S3Configuration: &awskinesisfirehose.CfnDeliveryStream_S3DestinationConfigurationProperty{
			BucketArn: bucket.BucketArn(), RoleArn: s.role.RoleArn(),
			Prefix:                   jsii.String(d.BackupPrefix),
			ErrorOutputPrefix:        jsii.String(DefaultErrorPrefix),
			CompressionFormat:        jsii.String(string(cmp.Or(d.BackupCompression, GZIP))),
			BufferingHints:           &awskinesisfirehose.CfnDeliveryStream_BufferingHintsProperty{IntervalInSeconds: jsii.Number(60), SizeInMBs: jsii.Number(DefaultBufferingSize)},
			CloudWatchLoggingOptions: s.log(b, "Backup"),
		},
	}
	if d.Transform != nil {
		p.ProcessingConfiguration = &awskinesisfirehose.CfnDeliveryStream_ProcessingConfigurationProperty{
			Enabled: jsii.Bool(true), Processors: &[]any{s.transform(d.Transform)},
		}
	}
	return p
}
