package sqs

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// maxMessage is the most bytes of a message, and of a batch together.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const maxMessage = 1 << 20

// config is what a queue's attributes say. The attributes themselves are kept
// as they were given.
type config struct {
	attributes map[string]string

	fifo          bool
	visibility    time.Duration
	retention     time.Duration
	delay         time.Duration
	wait          time.Duration
	maxSize       int
	contentDedup  bool
	dedupByGroup  bool
	deadLetterARN string
	maxReceives   int
}

// bounds are the attributes that are numbers: default, least and most.
var bounds = map[string][3]int{
	"DelaySeconds":                  {0, 0, 900},
	"MaximumMessageSize":            {maxMessage, 1024, maxMessage},
	"MessageRetentionPeriod":        {345600, 60, 1209600},
	"ReceiveMessageWaitTimeSeconds": {0, 0, 20},
	"VisibilityTimeout":             {30, 0, 43200},
	"KmsDataKeyReusePeriodSeconds":  {300, 60, 86400},
}

// choices are the attributes that are one of some words. Those that only FIFO
// queues have come with their default.
var choices = map[string][]string{
	"FifoQueue":                 {"true", "false"},
	"ContentBasedDeduplication": {"false", "true"},
	"DeduplicationScope":        {"queue", "messageGroup"},
	"FifoThroughputLimit":       {"perQueue", "perMessageGroupId"},
	"SqsManagedSseEnabled":      {"true", "false"},
}

var fifoOnly = []string{"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}

// readOnly are the attributes that a queue has and nobody sets.
var readOnly = []string{
	"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible",
	"CreatedTimestamp", "LastModifiedTimestamp", "QueueArn",
}

// texts are the attributes that are neither numbers nor choices.
var texts = []string{"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"}

// newConfig reads attributes. They are checked by checkAttribute before.
func newConfig(name string, attributes map[string]string) config {
	c := config{attributes: attributes, fifo: strings.HasSuffix(name, ".fifo")}
	number := func(attribute string) int {
		if n, err := strconv.Atoi(attributes[attribute]); err == nil {
			return n
		}
		return bounds[attribute][0]
	}
	c.visibility = time.Duration(number("VisibilityTimeout")) * time.Second
	c.retention = time.Duration(number("MessageRetentionPeriod")) * time.Second
	c.delay = time.Duration(number("DelaySeconds")) * time.Second
	c.wait = time.Duration(number("ReceiveMessageWaitTimeSeconds")) * time.Second
	c.maxSize = number("MaximumMessageSize")
	c.contentDedup = attributes["ContentBasedDeduplication"] == "true"
	c.dedupByGroup = attributes["DeduplicationScope"] == "messageGroup"
	if p, err := parseRedrive(attributes["RedrivePolicy"]); err == nil && p != nil {
		c.deadLetterARN, c.maxReceives = p.DeadLetterTargetARN, p.maxReceives()
	}
	return c
}

// redrive is a redrive policy.
type redrive struct {
	DeadLetterTargetARN string `json:"deadLetterTargetArn"`
	// MaxReceiveCount is a number or the text of one.
	MaxReceiveCount any `json:"maxReceiveCount"`
}

func (p *redrive) maxReceives() int {
	switch n := p.MaxReceiveCount.(type) {
	case float64:
		return int(n)
	case string:
		if i, err := strconv.Atoi(n); err == nil {
			return i
		}
		return -1
	case nil:
		return 10
	}
	return -1
}

func parseRedrive(text string) (*redrive, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no policy and no error
	}
	p := &redrive{}
	if err := json.Unmarshal([]byte(text), p); err != nil {
		return nil, err
	}
	return p, nil
}

// allowance is a redrive allow policy.
type allowance struct {
	RedrivePermission string   `json:"redrivePermission"`
	SourceQueueARNs   []string `json:"sourceQueueArns"`
}

// allows reports whether the queue may be the dead-letter queue of source.
func (c *config) allows(source string) bool {
	var a allowance
	if json.Unmarshal([]byte(c.attributes["RedriveAllowPolicy"]), &a) != nil {
		return true
	}
	switch a.RedrivePermission {
	case "denyAll":
		return false
	case "byQueue":
		return slices.Contains(a.SourceQueueARNs, source)
	}
	return true
}

// checkAttributes checks what a caller gives for a queue.
func checkAttributes(name string, attributes map[string]string) *service.Error {
	for attribute, value := range attributes {
		if e := checkAttribute(name, attribute, value); e != nil {
			return e
		}
	}
	return nil
}

func checkAttribute(name, attribute, value string) *service.Error {
	fifo := strings.HasSuffix(name, ".fifo")
	bad := func(reason string) *service.Error {
		return errorf("InvalidAttributeValue", "Invalid value for the parameter %s. Reason: %s", attribute, reason)
	}
	if slices.Contains(fifoOnly, attribute) && !fifo && value != "false" {
		return errorf("InvalidAttributeName", "Unknown Attribute %s.", attribute)
	}
	if b, ok := bounds[attribute]; ok {
		if n, err := strconv.Atoi(value); err != nil || n < b[1] || n > b[2] {
			return bad("it must be a whole number from " + strconv.Itoa(b[1]) + " to " + strconv.Itoa(b[2]) + ".")
		}
		return nil
	}
	if c, ok := choices[attribute]; ok {
		if !slices.Contains(c, value) {
			return bad("it must be " + strings.Join(c, " or ") + ".")
		}
		if attribute == "FifoQueue" && (value == "true") != fifo {
			return bad("it must agree with the queue's name, which ends in .fifo for a FIFO queue.")
		}
		return nil
	}
	switch {
	case attribute == "RedrivePolicy":
		return checkRedrive(value, bad)
	case attribute == "RedriveAllowPolicy":
		return checkAllowance(value, bad)
	case !slices.Contains(texts, attribute):
		return errorf("InvalidAttributeName", "Unknown Attribute %s.", attribute)
	}
	return nil
}

func checkRedrive(value string, bad func(string) *service.Error) *service.Error {
	p, err := parseRedrive(value)
	switch {
	case err != nil:
		return bad("it is not a JSON object.")
	case p == nil:
		return nil // takes the policy away
	case p.DeadLetterTargetARN == "":
		return bad("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	case p.maxReceives() < 1 || p.maxReceives() > 1000:
		return bad("maxReceiveCount must be a whole number from 1 to 1000.")
	}
	if _, ok := service.ParseARN(p.DeadLetterTargetARN); !ok {
		return bad("Invalid value for deadLetterTargetArn.")
	}
	return nil
}

func checkAllowance(value string, bad func(string) *service.Error) *service.Error {
	if value == "" {
		return nil
	}
	var a allowance
	if json.Unmarshal([]byte(value), &a) != nil {
		return bad("it is not a JSON object.")
	}
	switch a.RedrivePermission {
	case "allowAll", "denyAll":
		if len(a.SourceQueueARNs) > 0 {
			return bad("sourceQueueArns goes with byQueue alone.")
		}
	case "byQueue":
		if len(a.SourceQueueARNs) == 0 || len(a.SourceQueueARNs) > 10 {
			return bad("sourceQueueArns must have 1 to 10 ARNs.")
		}
	default:
		return bad("redrivePermission must be allowAll, denyAll or byQueue.")
	}
	return nil
}

// attributesOf are the attributes of a queue of the application.
func attributesOf(q *model.Queue) map[string]string {
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	a := map[string]string{
		"VisibilityTimeout":      seconds(q.VisibilityTimeout),
		"MessageRetentionPeriod": seconds(q.MessageRetentionPeriod),
		"DelaySeconds":           seconds(q.Delay),
	}
	if q.FIFO {
		a["FifoQueue"] = "true"
		a["ContentBasedDeduplication"] = strconv.FormatBool(q.ContentBasedDeduplication)
	}
	for name, value := range q.Attributes {
		a[name] = value
	}
	if q.DeadLetterARN != "" {
		policy, _ := json.Marshal(redrive{q.DeadLetterARN, max(q.MaxReceiveCount, 1)}) // never fails
		a["RedrivePolicy"] = string(policy)
	}
	for name, value := range a {
		if checkAttribute(q.QueueName, name, value) != nil {
			delete(a, name) // SQS would refuse the template; here its default holds
		}
	}
	return a
}
