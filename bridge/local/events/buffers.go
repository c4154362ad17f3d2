package events

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/firehose"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// ShortBuffering is a [Options.MaxBuffering] for people at a terminal, who would
// not wait the minutes that a deployment's streams do.
const ShortBuffering = 5 * time.Second

// Flush delivers what Firehose streams have in their buffers, and returns when
// it is in buckets and indexes.
func (p *Plane) Flush(ctx context.Context) error { return p.firehose.Flush(ctx) }

// stage writes an object for a Firehose stream. A bucket that the application
// only names is made.
func (p *Plane) stage(bucket, key string, content []byte, contentType string) (firehose.Staged, error) {
	headers := http.Header{"Content-Type": {contentType}}
	staged, err := p.s3.Stage(bucket, key, bytes.NewReader(content), headers)
	known := &service.Error{}
	if errors.As(err, &known) && known.Code == "NoSuchBucket" {
		if err := p.s3.Ensure(bucket); err != nil {
			return nil, err
		}
		staged, err = p.s3.Stage(bucket, key, bytes.NewReader(content), headers)
	}
	if err != nil {
		return nil, err // and not a *s3.Staged that is nil
	}
	return staged, nil
}
