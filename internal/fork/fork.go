// Package fork is the contract between the constructs of constructs/eventfork,
// the functions that they deploy, and the handlers of a user: the names of the
// environment variables, and what they hold. The constructs write them and must
// not import the AWS SDK; the others read them and must not import the CDK.
package fork

import (
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
)

// Environment variables of a user's function behind a branch.
const (
	// IdempotencyTable is the name of the table that remembers what was handled.
	IdempotencyTable = "IDEMPOTENCY_TABLE"
	// DeadLettersPrefix begins the names of variables that each hold a
	// [DeadLetters].
	DeadLettersPrefix = "DEAD_LETTERS_"
)

// DeadLetters say where a function puts the messages of one queue that it gives
// up. The text form is the parts with a space between, in this order.
type DeadLetters struct {
	// QueueARN is the queue that messages come from.
	QueueARN string
	// URL is the queue for those given up.
	URL string
	// MaxReceiveCount is that of QueueARN's redrive policy: at the last receive
	// the message is given up with the reason, before SQS moves it without one.
	MaxReceiveCount int
}

// String is the value of the environment variable.
func (d DeadLetters) String() string {
	return fmt.Sprintf("%s %s %d", d.QueueARN, d.URL, d.MaxReceiveCount)
}

// DeadLettersFrom reads those in an environment, as os.Environ has it, by the
// ARN of the queue that messages come from.
func DeadLettersFrom(environment []string) (map[string]DeadLetters, error) {
	found := map[string]DeadLetters{}
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, DeadLettersPrefix) {
			continue
		}
		parts := strings.Fields(value)
		if len(parts) != 3 {
			return nil, fmt.Errorf("the environment variable %s is %q: want a queue's ARN, the URL of its dead-letter queue and a count", name, value)
		}
		count, err := strconv.Atoi(parts[2])
		if err != nil || count < 1 {
			return nil, fmt.Errorf("the environment variable %s ends with %q: want a count of receives, at least 1", name, parts[2])
		}
		found[parts[0]] = DeadLetters{QueueARN: parts[0], URL: parts[1], MaxReceiveCount: count}
	}
	return found, nil
}

// The attributes that a message given up has besides its own.
const (
	// ReasonAttribute is the error that the handler returned last. SNS and
	// EventBridge name theirs likewise.
	ReasonAttribute = "ERROR_MESSAGE"
	// OriginAttribute is the message id in the branch's queue.
	OriginAttribute = "ORIGINAL_MESSAGE_ID"
)

// Environment variables of the functions inside a fork.
const (
	// Stream is the name of the Firehose stream that the batcher writes to.
	Stream = "STREAM"
	// RemoveFields are fields that the batcher takes out of each event, with a
	// comma between.
	RemoveFields = "REMOVE_FIELDS"
	// Envelope, if "true", makes the batcher keep the message's id, time and
	// attributes beside its body.
	Envelope = "ENVELOPE"

	// Buffer is the URL of the replay's queue.
	Buffer = "BUFFER_QUEUE_URL"
	// Destination is the URL of the queue, or the ARN of the function, that
	// events are replayed to.
	Destination = "DESTINATION"
	// DestinationARN is the ARN of the queue that a function believes its
	// replayed events to come from.
	DestinationARN = "DESTINATION_ARN"
	// WindowStart and WindowEnd limit what is replayed, RFC 3339, or are unset.
	WindowStart = "WINDOW_START"
	WindowEnd   = "WINDOW_END"
	// Rate is the most events a second, or unset.
	Rate = "RATE"
	// Concurrency is how many replayers work at a time when the switch is on.
	Concurrency = "CONCURRENCY"

	// Bucket is where the recorder and the collector write, and the resender
	// reads.
	Bucket = "BUCKET"
	// BranchesPrefix begins the names of variables that each hold a [Branch].
	BranchesPrefix = "BRANCH_"

	// Domain is the address of the OpenSearch domain, https://...
	Domain = "DOMAIN_ENDPOINT"
	// Index is the index's name, before the date of its rotation.
	Index = "INDEX"
	// Retention is how long a rotated index is kept, in hours.
	Retention = "RETENTION_HOURS"
)

// Branch is what the recorder and the resender know of a branch. The text form
// is the parts with a space between, in this order; "queue" and "stream" stand
// before theirs, and a part that is "" is left out with its word.
type Branch struct {
	// Name is the construct id.
	Name string
	// DeadLettersARN is the queue that the branch's failures come from.
	DeadLettersARN string
	// Queue is the URL of the queue that an event is sent to when it goes round
	// again, "" where the branch has none.
	Queue string
	// Stream is the name of the Firehose stream of the branch, "" where it has
	// none. An event is sent there where there is no queue, and where Firehose
	// itself gave it up.
	Stream string
}

// String is the value of the environment variable.
func (b Branch) String() string {
	parts := []string{b.Name, b.DeadLettersARN}
	if b.Queue != "" {
		parts = append(parts, "queue", b.Queue)
	}
	if b.Stream != "" {
		parts = append(parts, "stream", b.Stream)
	}
	return strings.Join(parts, " ")
}

// BranchesFrom reads those in an environment, as os.Environ has it.
func BranchesFrom(environment []string) ([]Branch, error) {
	var found []Branch
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, BranchesPrefix) {
			continue
		}
		b, ok := branchFrom(strings.Fields(value))
		if !ok {
			return nil, fmt.Errorf("the environment variable %s is %q: want a branch's name, its dead-letter queue's ARN, and queue and a URL, or stream and a name, or both", name, value)
		}
		found = append(found, b)
	}
	return found, nil
}

func branchFrom(parts []string) (b Branch, ok bool) {
	if len(parts) < 4 || len(parts)%2 != 0 {
		return b, false
	}
	b.Name, b.DeadLettersARN = parts[0], parts[1]
	for i := 2; i < len(parts); i += 2 {
		switch parts[i] {
		case "queue":
			b.Queue = parts[i+1]
		case "stream":
			b.Stream = parts[i+1]
		default:
			return b, false
		}
	}
	return b, true
}

// Undelivered says where Firehose put events that it could not deliver: the
// message that a rule of the construct makes of S3's event, in JSON, for the
// collector.
type Undelivered struct {
	// Branch is the construct id of the branch whose stream it is.
	Branch string `json:"branch"`
	// Bucket and Key are the object, of one JSON line for each event.
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// Required is the value of an environment variable that must be set.
func Required(name string) (string, error) {
	if value := os.Getenv(name); value != "" {
		return value, nil
	}
	return "", fmt.Errorf("the environment variable %s is not set: it is the construct that sets it", name)
}

// Log makes the default log one of JSON lines, of the level that
// AWS_LAMBDA_LOG_LEVEL says, which Lambda sets of a function's LogLevel.
func Log() {
	var level slog.Level
	_ = level.UnmarshalText([]byte(os.Getenv("AWS_LAMBDA_LOG_LEVEL"))) // INFO, where it is none of slog's.
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
}
