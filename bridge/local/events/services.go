package events

import (
	"github.com/bailey-cdk/bailey/bridge/local/events/async"
	"github.com/bailey-cdk/bailey/bridge/local/events/dynamodb"
	"github.com/bailey-cdk/bailey/bridge/local/events/eventbridge"
	"github.com/bailey-cdk/bailey/bridge/local/events/firehose"
	"github.com/bailey-cdk/bailey/bridge/local/events/s3"
	"github.com/bailey-cdk/bailey/bridge/local/events/scheduler"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/sns"
	"github.com/bailey-cdk/bailey/bridge/local/events/sqs"
)

// entry is a service of the plane, and how its requests are known.
type entry struct {
	// Scopes are the names in the credential scope of a signature. The first
	// one is the service's name.
	Scopes []string
	// Targets are what stands before the dot in X-Amz-Target.
	Targets []string
	// Versions are the values of Version in the query protocol.
	Versions []string
	// Paths are the beginnings of REST paths of requests that have none of
	// these; the longest counts.
	Paths []string
	// ARNs are the service parts of the ARNs that deliveries are taken for.
	ARNs []string
	// Stream leaves the body to the service, which reads r.Body itself.
	// Requests must then be known by Targets or Scopes.
	Stream bool
	// New makes the service. What p has is made before: services further up.
	New func(p *Plane, env service.Env) (service.Service, error)

	service service.Service
}

// services is the list of all services. Each is made after those before it,
// and closed before them.
func services() []*entry {
	return []*entry{
		{
			Scopes: []string{"sqs"}, Targets: []string{"AmazonSQS"}, Versions: []string{"2012-11-05"}, ARNs: []string{"sqs"},
			New: func(p *Plane, env service.Env) (made service.Service, err error) {
				p.sqs, err = sqs.New(env)
				return p.sqs, err
			},
		},
		{
			Scopes: []string{"sns"}, Versions: []string{"2010-03-31"}, ARNs: []string{"sns"},
			New: func(_ *Plane, env service.Env) (service.Service, error) { return sns.New(env) },
		},
		{
			Scopes: []string{"lambda"}, Paths: []string{"/2015-03-31/functions/"}, ARNs: []string{"lambda"},
			New: func(p *Plane, env service.Env) (made service.Service, err error) {
				p.lambda, err = async.New(env, async.Options{RetryDelay: p.options.RetryDelay})
				return p.lambda, err
			},
		},
		{
			Scopes: []string{"events"}, Targets: []string{"AWSEvents"}, ARNs: []string{"events"},
			New: func(_ *Plane, env service.Env) (service.Service, error) { return eventbridge.New(env) },
		},
		{
			Scopes: []string{"scheduler"}, Paths: []string{"/schedules", "/schedule-groups"},
			New: func(_ *Plane, env service.Env) (service.Service, error) { return scheduler.New(env) },
		},
		{
			Scopes: []string{"dynamodb"}, Targets: []string{"DynamoDB_20120810", "DynamoDBStreams_20120810"},
			New: func(p *Plane, env service.Env) (made service.Service, err error) {
				p.dynamodb, err = dynamodb.New(env, dynamodb.Options{})
				return p.dynamodb, err
			},
		},
		{ // also what no other service knows: a request without a signature
			Scopes: []string{"s3"}, Paths: []string{"/"}, Stream: true,
			New: func(p *Plane, env service.Env) (made service.Service, err error) {
				p.s3, err = s3.New(env)
				return p.s3, err
			},
		},
		{
			Scopes: []string{"firehose"}, Targets: []string{"Firehose_20150804"}, Paths: []string{"/_opensearch/"}, ARNs: []string{"firehose"},
			New: func(p *Plane, env service.Env) (made service.Service, err error) {
				p.firehose, err = firehose.New(env, firehose.Options{Stage: p.stage, MaxInterval: p.options.MaxBuffering, OpenSearch: p.options.OpenSearch})
				return p.firehose, err
			},
		},
		{ // the last one: it takes messages from the others
			Scopes: []string{"event source mappings"},
			New:    func(p *Plane, env service.Env) (service.Service, error) { return newPollers(p, env), nil },
		},
	}
}
