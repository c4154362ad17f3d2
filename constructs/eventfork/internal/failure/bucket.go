package failure

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// NewClient is a client for the record's bucket. Buckets are named in the path: the
// name of a local one is no host's.
func NewClient(c aws.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}

// Putter is what [Record.Put] needs of a *s3.Client.
type Putter interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// Put writes the record into a bucket. The key is the event's own, so writing it
// again changes nothing.
func (r Record) Put(ctx context.Context, api Putter, bucket string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	_, err = api.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &bucket, Key: aws.String(r.Key()), Body: bytes.NewReader(text), ContentType: aws.String("application/json"),
	})
	return err
}
