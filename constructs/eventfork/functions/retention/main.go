// Command retention is the function of a Search branch that deletes the indices
// that are older than their retention. Firehose names a rotated index by its
// date (NAME-2026-11-24 and the like), and deletes none. It is invoked by a
// schedule.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/bailey-cdk/bailey/internal/fork"
)

func main() {
	fork.Log()
	r, err := newRetention(context.Background())
	if err != nil {
		slog.Error("the retention can't start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(r.handle)
}

func newRetention(ctx context.Context) (*retention, error) {
	domain, err := fork.Required(fork.Domain)
	if err != nil {
		return nil, err
	}
	index, err := fork.Required(fork.Index)
	if err != nil {
		return nil, err
	}
	hours, err := strconv.Atoi(os.Getenv(fork.Retention))
	if err != nil || hours < 1 {
		return nil, fmt.Errorf("the environment variable %s is %q: want hours, at least 1", fork.Retention, os.Getenv(fork.Retention))
	}
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	return &retention{
		domain: domain, index: index, keep: time.Duration(hours) * time.Hour, now: time.Now,
		client: &http.Client{Transport: &signing{credentials: c.Credentials, region: c.Region}, Timeout: time.Minute},
	}, nil
}
