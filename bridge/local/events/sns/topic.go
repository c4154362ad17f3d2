package sns

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/filter"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// topic is a topic. It is replaced as a whole, never changed.
type topic struct {
	Name       string            `json:"name"`
	ARN        string            `json:"arn"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	// Template says that the application has it, no request.
	Template bool `json:"template,omitempty"`
	// Deleted counts the subscriptions that were removed.
	Deleted int `json:"deleted,omitempty"`
}

func (t *topic) fifo() bool { return strings.HasSuffix(t.Name, ".fifo") }

// maxSize is the most bytes of a message.
func (t *topic) maxSize() int {
	if n, err := strconv.Atoi(t.Attributes["MaximumMessageSize"]); err == nil {
		return n
	}
	return defaultMessage
}

// subscription is a subscription. It is replaced as a whole, never changed.
type subscription struct {
	ARN        string            `json:"arn"`
	TopicARN   string            `json:"topicArn"`
	Protocol   string            `json:"protocol"`
	Endpoint   string            `json:"endpoint"`
	Attributes map[string]string `json:"attributes,omitempty"`
	// Token confirms it, "" where it is confirmed.
	Token    string `json:"token,omitempty"`
	Template bool   `json:"template,omitempty"`

	// What follows is read from the attributes.
	policy     *filter.Policy
	raw        bool
	deadLetter string
	escaped    string // its ARN in a URL
}

// compile reads the attributes.
func (s *subscription) compile() error {
	s.escaped = url.QueryEscape(s.ARN)
	s.raw = s.Attributes["RawMessageDelivery"] == "true"
	s.policy, s.deadLetter = nil, ""
	if text := s.Attributes["FilterPolicy"]; text != "" {
		scope := filter.Scope(cmp.Or(s.Attributes["FilterPolicyScope"], string(filter.MessageAttributes)))
		policy, err := filter.ParsePolicy(text, scope)
		if err != nil {
			return invalid("Invalid parameter: Attributes Reason: " + err.Error())
		}
		s.policy = policy
	}
	if text := s.Attributes["RedrivePolicy"]; text != "" {
		var policy struct {
			DeadLetterTargetARN string `json:"deadLetterTargetArn"`
		}
		if json.Unmarshal([]byte(text), &policy) != nil || policy.DeadLetterTargetARN == "" {
			return invalid("Invalid parameter: RedrivePolicy: it must be a JSON object with deadLetterTargetArn")
		}
		s.deadLetter = policy.DeadLetterTargetARN
	}
	return nil
}

// protocols are what a subscription may be to, and whether messages reach it
// within the plane.
var protocols = map[string]bool{
	"sqs": true, "lambda": true, "firehose": true,
	"http": false, "https": false, "email": false, "email-json": false, "sms": false, "application": false,
}

func (s *subscription) web() bool { return s.Protocol == "http" || s.Protocol == "https" }

// topicOf makes the topic of an application.
func topicOf(m *model.Topic) *topic {
	t := &topic{Name: m.TopicName, ARN: m.ARN, Attributes: map[string]string{}, Template: true}
	if t.fifo() {
		t.Attributes["FifoTopic"] = "true"
		t.Attributes["ContentBasedDeduplication"] = strconv.FormatBool(m.ContentBasedDeduplication)
	}
	return t
}

// subscriptionOf makes a subscription of an application. Its ARN is the same
// each time.
func subscriptionOf(m *model.Subscription) *subscription {
	sum := sha256.Sum256([]byte(m.Path + "\x00" + m.LogicalID + "\x00" + m.Endpoint))
	id := hex.EncodeToString(sum[:16])
	s := &subscription{
		ARN:      fmt.Sprintf("%s:%s-%s-%s-%s-%s", m.TopicARN, id[:8], id[8:12], id[12:16], id[16:20], id[20:]),
		TopicARN: m.TopicARN, Protocol: m.Protocol, Endpoint: m.Endpoint, Template: true, Attributes: map[string]string{},
	}
	if m.RawMessageDelivery {
		s.Attributes["RawMessageDelivery"] = "true"
	}
	if m.FilterPolicy != "" {
		s.Attributes["FilterPolicy"] = m.FilterPolicy
		s.Attributes["FilterPolicyScope"] = m.FilterPolicyScope
	}
	if m.DeadLetterARN != "" {
		policy, _ := json.Marshal(map[string]string{"deadLetterTargetArn": m.DeadLetterARN}) // never fails
		s.Attributes["RedrivePolicy"] = string(policy)
	}
	return s
}

func invalid(message string) *service.Error { return service.Errorf("InvalidParameter", "%s", message) }

func invalidf(format string, args ...any) *service.Error {
	return service.Errorf("InvalidParameter", "Invalid parameter: "+format, args...)
}

func notFound(what string) *service.Error {
	return &service.Error{Code: "NotFound", Message: what + " does not exist", Status: 404}
}

// byARN orders subscriptions.
func byARN(all []*subscription) {
	slices.SortFunc(all, func(a, b *subscription) int { return strings.Compare(a.ARN, b.ARN) })
}
