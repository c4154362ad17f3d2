package eventfork

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/props"
)

const (
	destroy            = awscdk.RemovalPolicy_DESTROY
	accessLogRetention = 90 * day
	// abandoned is when the parts of an upload that was not completed go.
	abandoned = 7
)

// bucketProps are what the buckets of a fork differ in.
type bucketProps struct {
	name        string
	key         awskms.IKey
	expire      time.Duration // 0 or Forever keeps
	transitions []Transition
	logs        awss3.IBucket
	logPrefix   string
}

// newBucket makes a bucket that is private, encrypted, reached by TLS alone, and
// kept when it leaves the stack.
func newBucket(scope constructs.Construct, id string, p bucketProps) awss3.Bucket {
	rule := &awss3.LifecycleRule{
		Id:                                  jsii.String("Retention"),
		AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(abandoned)),
	}
	if p.expire > 0 {
		rule.Expiration = props.Duration(p.expire)
	}
	var transitions []*awss3.Transition
	for _, t := range p.transitions {
		transitions = append(transitions, &awss3.Transition{StorageClass: awss3.NewStorageClass(jsii.String(string(t.Class))), TransitionAfter: props.Duration(t.After)})
	}
	if len(transitions) > 0 {
		rule.Transitions = &transitions
	}
	q := &awss3.BucketProps{
		BucketName:        props.Optional(p.name),
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		EnforceSSL:        jsii.Bool(true),
		MinimumTLSVersion: jsii.Number(1.2),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		LifecycleRules:    &[]*awss3.LifecycleRule{rule},
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
	}
	if p.key != nil {
		q.Encryption, q.EncryptionKey, q.BucketKeyEnabled = awss3.BucketEncryption_KMS, p.key, jsii.Bool(true)
	}
	bucket := awss3.NewBucket(scope, &id, q)
	if p.logs != nil {
		logAccess(bucket, p.logs, p.logPrefix)
	}
	return bucket
}

// logAccess has S3 write who used a bucket. It is not the CDK's own prop, which
// without a feature flag of the app needs access control lists.
func logAccess(bucket awss3.Bucket, logs awss3.IBucket, prefix string) {
	bucket.Node().DefaultChild().(awss3.CfnBucket).SetLoggingConfiguration(&awss3.CfnBucket_LoggingConfigurationProperty{
		DestinationBucketName: logs.BucketName(), LogFilePrefix: &prefix,
	})
	allowed := statement("logging.s3.amazonaws.com", []string{"s3:PutObject"}, *logs.ArnForObjects(jsii.String(prefix + "*")))
	allowed.AddCondition(jsii.String("StringEquals"), map[string]any{"aws:SourceAccount": awscdk.Stack_Of(bucket).Account()})
	allowed.AddCondition(jsii.String("ArnLike"), map[string]any{"aws:SourceArn": bucket.BucketArn()})
	logs.AddToResourcePolicy(allowed)
}
