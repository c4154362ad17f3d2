package service

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// Service is one AWS service of the plane.
type Service interface {
	// Serve answers a request. It must watch r.Context() where it waits.
	Serve(w http.ResponseWriter, r *Request)
	// Swap takes over another state of the application: what is new is made,
	// what is gone is removed, and what stays keeps its messages. It is called
	// once before Start, with the application that Env was made with.
	Swap(app *model.Application) error
	// Start begins the work that needs other services, in goroutines of its own.
	Start()
	// Close ends that work and returns when it has ended. Requests are over by
	// then; the store is still open.
	Close() error
}

// Acceptor is a Service that messages can be delivered to.
type Acceptor interface {
	// Accept stores a message in tx. What it does in memory belongs into
	// tx.AfterCommit. The error, if any, is an [*Error] or says why the target
	// does not take the message; nothing is written then.
	Accept(tx *store.Tx, d *Delivery) error
}

// Preparer is an Acceptor that can do a part of its work before the transaction,
// and leaves it in Delivery.Prepared. What is wrong with the message, Accept
// says.
type Preparer interface {
	Prepare(d *Delivery)
}

// InvokeFunc runs a function of the application and waits for its end: Invoke
// of a [*local.Engine].
type InvokeFunc func(ctx context.Context, fn *model.Function, in local.Invocation) (*local.Result, error)

// Env is what a service is given.
type Env struct {
	// App is the application at the start; Swap brings others.
	App *model.Application
	// Store is the plane's state. A service uses tables that begin with its
	// own name and a slash.
	Store *store.Store
	// Dir is the folder for what is kept in files, usually .bailey.
	Dir string
	// URL is where the plane is served, without a slash at the end:
	// "http://127.0.0.1:4566".
	URL string
	// Region and AccountID are those that ARNs are made with, where a request
	// does not say another region.
	Region    string
	AccountID string
	// Invoke runs functions.
	Invoke InvokeFunc
	// Accept gives a message to the service that its target's ARN belongs to.
	Accept func(tx *store.Tx, d *Delivery) error
	// Prepare does ahead of a transaction what Accept would do in it, for who
	// has many messages to deliver. It need not be called.
	Prepare func(d *Delivery)
	// Deliver is Accept in a transaction of its own: it returns when the
	// message is durable at its target.
	Deliver func(ctx context.Context, d *Delivery) error
	// Note writes one line of the journal when tx is committed, and adds it to
	// the counters.
	Note func(tx *store.Tx, n Note)
	// Logf writes one line to the plane's log, for the user to read.
	Logf func(format string, args ...any)
	// Now is time.Now, or a test's clock.
	Now func() time.Time
}

// Delivery is one message on its way.
type Delivery struct {
	// Target is the ARN of what gets it.
	Target string
	// Source is the ARN of what sends it.
	Source string
	// MessageID is the one that the message is known by so far, "" for a new
	// one. A queue gives its own, unless Moved.
	MessageID string
	// Body is the message: text for a queue, JSON for a function or bus.
	Body []byte
	// Attributes are those of SQS and SNS.
	Attributes map[string]Attribute
	// GroupID and DeduplicationID are for FIFO queues and topics.
	GroupID         string
	DeduplicationID string
	// Subject is for topics.
	Subject string
	// Delay overrides a queue's own where it is over 0.
	Delay time.Duration
	// Moved is set by what moves a message to a dead-letter queue: the queue
	// keeps its MessageID and SentAt.
	Moved bool
	// SentAt is when the message was first sent; the zero time for now.
	SentAt time.Time
	// Prepared is the target's own preparation of the message, from a Prepare
	// of its, which spares work in the transaction. nil for none.
	Prepared any
}

// Attribute is a message attribute.
type Attribute struct {
	// DataType is "String", "Number" or "Binary", with a label after a dot
	// perhaps; "String.Array" for SNS.
	DataType string
	// Value is the text, or the bytes of a binary attribute.
	Value []byte
}

// What a [Note] says.
const (
	Published    = "published"     // taken by a topic, bus, queue or stream
	Delivered    = "delivered"     // handed on to a target
	Filtered     = "filtered"      // kept back by a filter or pattern
	DeadLettered = "dead-lettered" // given up, and sent to a dead-letter queue
	Dropped      = "dropped"       // given up where there is no dead-letter queue
	Consumed     = "consumed"      // deleted by a consumer
	Failed       = "failed"        // one attempt failed; another follows
)

// Note is one line of the journal: a message went from Source to Target.
type Note struct {
	Time time.Time `json:"time"`
	// What is one of the constants above.
	What   string `json:"what"`
	Source string `json:"source,omitempty"`
	Target string `json:"target,omitempty"`
	// MessageID is the id at Source, where it has one.
	MessageID string `json:"messageId,omitempty"`
	// Count is how many messages the note is about, 0 for one.
	Count int `json:"count,omitempty"`
	// Detail is for people: an error, the name of a rule.
	Detail string `json:"detail,omitempty"`
	// Body is the message where it is at hand; the journal shortens it.
	Body []byte `json:"-"`
}

// Request is a request for a service. Its Body is read already.
type Request struct {
	*http.Request
	// Payload is the body.
	Payload []byte
	// Operation is what follows the dot of X-Amz-Target, or the query
	// protocol's Action, "" for others.
	Operation string
	// Form is the query protocol's parameters, from the body or the address;
	// nil for the other protocols.
	Form url.Values
	// Region is that of the credential scope, or the plane's.
	Region string
	// ID is the id of the request, which answers have.
	ID string
}

// Query reports whether the request is of the query protocol.
func (r *Request) Query() bool { return r.Form != nil }
