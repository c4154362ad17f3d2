package eventfork

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awskinesisfirehose"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/props"
	"github.com/bailey-cdk/bailey/internal/fork"
)

// Storage archives events in S3, a line each. The topic or bus delivers to a
// Firehose stream directly, without a function or queue, unless Buffered,
// RemoveFields or Envelope asks for one, or the topic is a FIFO topic, which
// can't.
type Storage struct {
	// Filter says which events; all of them by default.
	Filter Filter
	// Wrapped stores the event with the envelope of SNS or EventBridge; by
	// default the event itself is stored.
	Wrapped bool

	// Bucket is used instead of one of the branch's own, with its encryption
	// and lifecycle. It must be encrypted as it is: Firehose asks for no key.
	//
	// The [Record] needs it to tell EventBridge of its objects. One that the app
	// makes is told to, by the CDK and so by a function of the CDK's, of which
	// cdk-nag has findings. An imported one is not changed: switch Amazon
	// EventBridge on in its properties, or what Firehose gives up is below
	// ErrorPrefix alone.
	Bucket awss3.IBucket
	// BucketName is the physical name of the branch's own bucket;
	// CloudFormation makes one by default.
	BucketName string
	// Prefix begins the keys of objects; "events/" by default. It may have
	// Firehose's expressions.
	Prefix string
	// ErrorPrefix begins the keys of what Firehose could not transform or
	// convert; "errors/!{firehose:error-output-type}/" by default. Those events
	// are in the [Record] too. For that it must begin with a text, before its
	// first expression, that Prefix does not begin with.
	ErrorPrefix string
	// Partitioning says how keys go on behind Prefix; by hour, in the form that
	// Athena and Glue read as partitions, by default.
	Partitioning Partitioning
	// PartitionKeys are further partitions, by fields of the event: a name and
	// a jq expression, such as {"country": ".customer.country"}. Firehose then
	// gathers events for each value apart, and BufferingSize is at least 64.
	PartitionKeys map[string]string

	// BufferingInterval is how long Firehose gathers events, 1 second to 15
	// minutes; 5 minutes by default.
	BufferingInterval time.Duration
	// BufferingSize is how much it gathers, 1 to 128 MB; 5 by default, 64 with
	// PartitionKeys or Parquet.
	BufferingSize int
	// Compression is GZIP by default. Parquet compresses by itself.
	Compression Compression
	// Parquet stores columns instead of lines.
	Parquet *Parquet

	// Transform changes the events before they are stored: a function that
	// answers Firehose's transformation requests. Its timeout is at most 5
	// minutes.
	Transform awslambda.IFunction
	// RemoveFields are taken out of each event before it reaches Firehose:
	// paths such as "payment.card-*". An event that is no JSON is given up.
	RemoveFields []string
	// Envelope stores each event as "event" beside its "id", "time" and message
	// "attributes", which an event by itself does not have.
	Envelope bool
	// Buffered puts a queue and the batching function before the stream in any
	// case: events then wait, up to Retention, while Firehose refuses them.
	Buffered bool
	// Retention is how long an event waits in that queue, a minute to 14 days;
	// 4 days by default.
	Retention time.Duration
	// MaxReceiveCount is how often an event of that queue is tried; 5 by
	// default.
	MaxReceiveCount int
	// LogLevel is the least level of the batching function's log lines, as for
	// serverless.FunctionProps.
	LogLevel string

	// Transitions move objects to colder classes: to infrequent access after 30
	// days, and to Glacier with instant retrieval after 90, by default. An
	// empty list leaves them.
	Transitions []Transition
	// Expiration is when objects go, in whole days; they do not by default.
	Expiration time.Duration
}

// Partitioning is the form of the keys behind a prefix. The times are those of
// arrival, in UTC.
type Partitioning string

// The partitionings.
const (
	// ByHour is year=2026/month=11/day=24/hour=09/.
	ByHour Partitioning = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"
	// ByDay is year=2026/month=11/day=24/.
	ByDay Partitioning = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/"
	// Unpartitioned leaves it to Prefix, to which Firehose adds 2026/11/24/09/
	// where it has no expressions.
	Unpartitioned Partitioning = "none"
)

// Transition moves objects to another storage class.
type Transition struct {
	// Class is such as "GLACIER_IR".
	Class StorageClass
	// After is the age, in whole days; at least 30 for the classes of
	// infrequent access.
	After time.Duration
}

// StorageClass is a class of S3, by its name there.
type StorageClass string

// The colder classes.
const (
	IntelligentTiering StorageClass = "INTELLIGENT_TIERING"
	InfrequentAccess   StorageClass = "STANDARD_IA"
	OneZoneInfrequent  StorageClass = "ONEZONE_IA"
	GlacierInstant     StorageClass = "GLACIER_IR"
	GlacierFlexible    StorageClass = "GLACIER"
	DeepArchive        StorageClass = "DEEP_ARCHIVE"
)

// What a Storage has that says nothing.
const (
	DefaultPrefix            = "events/"
	DefaultErrorPrefix       = "errors/!{firehose:error-output-type}/"
	DefaultBufferingInterval = 5 * time.Minute
	DefaultBufferingSize     = 5
	// LargeBufferingSize is the least that Firehose allows for Parquet and
	// partition keys.
	LargeBufferingSize = 64
)

// DefaultTransitions are those of a Storage that says nothing.
func DefaultTransitions() []Transition {
	return []Transition{{InfrequentAccess, 30 * day}, {GlacierInstant, 90 * day}}
}

func (d Storage) filter() Filter { return d.Filter }

func (d Storage) setDefaults() Storage {
	props.SetDefault(&d.Prefix, DefaultPrefix)
	props.SetDefault(&d.ErrorPrefix, DefaultErrorPrefix)
	props.SetDefault(&d.Partitioning, ByHour)
	props.SetDefault(&d.BufferingInterval, DefaultBufferingInterval)
	size := DefaultBufferingSize
	if d.large() {
		size = LargeBufferingSize
	}
	props.SetDefault(&d.BufferingSize, size)
	if d.Parquet == nil {
		props.SetDefault(&d.Compression, GZIP)
	}
	if d.Transitions == nil && d.Bucket == nil {
		d.Transitions = DefaultTransitions()
	}
	return d
}

// large tells whether Firehose wants a large buffer.
func (d Storage) large() bool { return d.Parquet != nil || len(d.PartitionKeys) > 0 }

// queued tells whether a queue and a function come before the stream.
func (d Storage) queued(f *Fork) bool {
	return d.Buffered || d.Envelope || len(d.RemoveFields) > 0 || f.fifo()
}

func (d Storage) check(f *Fork) []string {
	found := props.NilPointers(&d)
	d = d.setDefaults()
	least := 1
	if d.large() {
		least = LargeBufferingSize
	}
	found = append(found, bufferingProblems(d.BufferingInterval, d.BufferingSize, least)...)
	if d.Parquet == nil {
		found = append(found, props.OneOf("Compression", d.Compression, Uncompressed, GZIP, ZIP, Snappy)...)
	} else {
		found = append(found, d.Parquet.check()...)
		if d.Compression != "" {
			found = append(found, "Compression is set and Parquet too: Parquet compresses by itself")
		}
	}
	if !slices.Contains([]Partitioning{ByHour, ByDay, Unpartitioned}, d.Partitioning) {
		found = append(found, fmt.Sprintf("Partitioning is %q: want ByHour, ByDay or Unpartitioned; keys of another form are made by Prefix", d.Partitioning))
	}
	if d.Bucket != nil && (d.BucketName != "" || len(d.Transitions) > 0 || d.Expiration != 0) {
		found = append(found, "BucketName, Transitions and Expiration are of the bucket that the branch makes: set them where you make yours")
	}
	if !d.queued(f) && (d.Retention != 0 || d.MaxReceiveCount != 0) {
		found = append(found, "Retention and MaxReceiveCount are of the queue before the stream, and there is none: set Buffered")
	}
	if d.Wrapped && d.Envelope {
		found = append(found, "Wrapped and Envelope are both set: choose one envelope")
	}
	if !f.tellable(d.Prefix, d.ErrorPrefix) {
		found = append(found, fmt.Sprintf("ErrorPrefix is %q: begin it with a text that Prefix, %q, does not begin with, such as errors/, so that the record can tell failures from events", d.ErrorPrefix, d.Prefix))
	}
	found = append(found, pathProblems(d.RemoveFields)...)
	found = append(found, retentionProblem("Expiration", d.Expiration)...)
	return append(found, d.checkKeys()...)
}

func pathProblems(paths []string) (found []string) {
	for _, path := range paths {
		if path == "" || strings.ContainsAny(path, ", []\\") || strings.HasPrefix(path, ".") || strings.HasSuffix(path, ".") || strings.Contains(path, "..") {
			found = append(found, fmt.Sprintf("RemoveFields has %q: want names with a dot between, and * for any text in one, such as payment.card-*", path))
		}
	}
	return found
}

var partitionKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (d Storage) checkKeys() (found []string) {
	for _, name := range slices.Sorted(maps.Keys(d.PartitionKeys)) {
		if !partitionKey.MatchString(name) || !strings.HasPrefix(d.PartitionKeys[name], ".") {
			found = append(found, fmt.Sprintf("PartitionKeys has %q: %q: want a name of letters, digits, - and _, and a jq expression such as .customer.country", name, d.PartitionKeys[name]))
		}
	}
	for i, t := range d.Transitions {
		infrequent := t.Class == InfrequentAccess || t.Class == OneZoneInfrequent
		switch {
		case t.After < day || t.After%day != 0:
			found = append(found, fmt.Sprintf("the transition to %s is after %s: want whole days", t.Class, props.Short(t.After)))
		case infrequent && t.After < 30*day:
			found = append(found, fmt.Sprintf("the transition to %s is after %s: S3 allows it after 30 days", t.Class, props.Short(t.After)))
		case i > 0 && t.After <= d.Transitions[i-1].After:
			found = append(found, fmt.Sprintf("the transition to %s is not after the one before: write them in order", t.Class))
		}
		found = append(found, props.OneOf("a transition's Class", t.Class, IntelligentTiering, InfrequentAccess, OneZoneInfrequent, GlacierInstant, GlacierFlexible, DeepArchive)...)
	}
	return found
}

func (d Storage) grow(b *branch) {
	d = d.setDefaults()
	s := newStream(b)
	bucket := d.Bucket
	if bucket == nil {
		bucket = newBucket(b.scope, "Bucket", bucketProps{
			name: d.BucketName, key: b.fork.props.EncryptionKey, expire: d.Expiration, transitions: d.Transitions,
			logs: b.fork.accessLogs(), logPrefix: strings.ToLower(b.id) + "/",
		})
	}
	s.useBucket(bucket, d.ErrorPrefix)
	s.create(b, &awskinesisfirehose.CfnDeliveryStreamProps{ExtendedS3DestinationConfiguration: d.destination(b, s, bucket)})
	s.watch(b, "DeliveryToS3.DataFreshness", d.BufferingInterval)
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
	s.buffered(b, queueing{d.Retention, d.MaxReceiveCount, d.Wrapped, d.LogLevel}, environment)
}

func (d Storage) destination(b *branch, s *stream, bucket awss3.IBucket) *awskinesisfirehose.CfnDeliveryStream_ExtendedS3DestinationConfigurationProperty {
	p := &awskinesisfirehose.CfnDeliveryStream_ExtendedS3DestinationConfigurationProperty{
		BucketArn: bucket.BucketArn(),
		RoleArn:   s.role.RoleArn(),
		BufferingHints: &awskinesisfirehose.CfnDeliveryStream_BufferingHintsProperty{
			IntervalInSeconds: jsii.Number(d.BufferingInterval.Seconds()), SizeInMBs: jsii.Number(d.BufferingSize),
		},
		CloudWatchLoggingOptions: s.log(b, "S3"),
		CompressionFormat:        props.Optional(string(d.Compression)),
		Prefix:                   jsii.String(d.keyPrefix()),
		ErrorOutputPrefix:        jsii.String(d.ErrorPrefix),
	}
	if d.Parquet != nil {
		p.DataFormatConversionConfiguration = d.Parquet.conversion(b, s)
	} else if d.Compression == GZIP {
		p.FileExtension = jsii.String(".jsonl.gz")
	}
	if len(d.PartitionKeys) > 0 {
		p.DynamicPartitioningConfiguration = &awskinesisfirehose.CfnDeliveryStream_DynamicPartitioningConfigurationProperty{Enabled: jsii.Bool(true)}
	}
	if steps := d.steps(b, s); len(steps) > 0 {
		p.ProcessingConfiguration = &awskinesisfirehose.CfnDeliveryStream_ProcessingConfigurationProperty{Enabled: jsii.Bool(true), Processors: &steps}
	}
	return p
}

// keyPrefix is that of objects, with the partitions.
func (d Storage) keyPrefix() string {
	prefix := d.Prefix
	for _, name := range slices.Sorted(maps.Keys(d.PartitionKeys)) {
		prefix += name + "=!{partitionKeyFromQuery:" + name + "}/"
	}
	if d.Partitioning != Unpartitioned {
		prefix += string(d.Partitioning)
	}
	return prefix
}

// steps are Firehose's own: the user's function, the partition keys, and the
// newline that makes each event a line. The batcher has written that already.
func (d Storage) steps(b *branch, s *stream) (steps []any) {
	if d.Transform != nil {
		steps = append(steps, s.transform(d.Transform))
	}
	if len(d.PartitionKeys) > 0 {
		var query []string
		for _, name := range slices.Sorted(maps.Keys(d.PartitionKeys)) {
			query = append(query, name+":"+d.PartitionKeys[name])
		}
		steps = append(steps, processor("MetadataExtraction", "MetadataExtractionQuery", "{"+strings.Join(query, ",")+"}", "JsonParsingEngine", "JQ-1.6"))
	}
	if d.Parquet == nil && (!d.queued(b.fork) || d.Transform != nil) {
		steps = append(steps, processor("AppendDelimiterToRecord", "Delimiter", `\n`))
	}
	return steps
}
