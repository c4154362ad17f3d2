package sns

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/internal/lazyregexp"
)

const namespace = "http://sns.amazonaws.com/doc/2010-03-31/"

// operation is one action of the API: it reads the form and writes the result.
type operation func(s *Service, f service.Form, x *service.XML) error

var operations = map[string]operation{
	"CreateTopic":               (*Service).createTopic,
	"DeleteTopic":               (*Service).deleteTopic,
	"ListTopics":                (*Service).answerTopics,
	"GetTopicAttributes":        (*Service).getTopicAttributes,
	"SetTopicAttributes":        (*Service).setTopicAttributes,
	"Subscribe":                 (*Service).subscribe,
	"ConfirmSubscription":       (*Service).confirmSubscription,
	"Unsubscribe":               (*Service).unsubscribe,
	"ListSubscriptions":         (*Service).answerSubscriptions,
	"ListSubscriptionsByTopic":  (*Service).answerSubscriptions,
	"GetSubscriptionAttributes": (*Service).getSubscriptionAttributes,
	"SetSubscriptionAttributes": (*Service).setSubscriptionAttributes,
	"Publish":                   (*Service).publish,
	"PublishBatch":              (*Service).publishBatch,
	"TagResource":               (*Service).tagResource,
	"UntagResource":             (*Service).untagResource,
	"ListTagsForResource":       (*Service).listTags,
	"AddPermission":             (*Service).permit,
	"RemovePermission":          (*Service).permit,
}

// resultless are the operations whose answer has no result element.
var resultless = []string{
	"DeleteTopic", "SetTopicAttributes", "Unsubscribe", "SetSubscriptionAttributes", "AddPermission", "RemovePermission",
}

// Serve answers a request.
func (s *Service) Serve(w http.ResponseWriter, r *service.Request) {
	run, ok := operations[r.Operation]
	if !ok {
		service.FailQuery(w, r, namespace, service.Errorf("InvalidAction", "the action %q is not served locally", r.Operation))
		return
	}
	var x service.XML
	if err := run(s, service.NewForm(r.Form), &x); err != nil {
		service.FailQuery(w, r, namespace, err)
		return
	}
	result := x.String()
	if result == "" && !slices.Contains(resultless, r.Operation) {
		service.AnswerEmptyQuery(w, r, namespace)
		return
	}
	service.AnswerQuery(w, r, namespace, result)
}

var topicName = lazyregexp.New(`^[A-Za-z0-9_-]{1,256}(\.fifo)?$`)

// topicAttributes are those that can be set.
var topicAttributes = []string{
	"DeliveryPolicy", "DisplayName", "FifoTopic", "Policy", "SignatureVersion", "TracingConfig", "KmsMasterKeyId",
	"ArchivePolicy", "ContentBasedDeduplication", "FifoThroughputScope", "MaximumMessageSize",
	"HTTPSuccessFeedbackRoleArn", "HTTPSuccessFeedbackSampleRate", "HTTPFailureFeedbackRoleArn",
	"FirehoseSuccessFeedbackRoleArn", "FirehoseSuccessFeedbackSampleRate", "FirehoseFailureFeedbackRoleArn",
	"LambdaSuccessFeedbackRoleArn", "LambdaSuccessFeedbackSampleRate", "LambdaFailureFeedbackRoleArn",
	"ApplicationSuccessFeedbackRoleArn", "ApplicationSuccessFeedbackSampleRate", "ApplicationFailureFeedbackRoleArn",
	"SQSSuccessFeedbackRoleArn", "SQSSuccessFeedbackSampleRate", "SQSFailureFeedbackRoleArn",
}

func checkTopicAttribute(name, value string) *service.Error {
	switch name {
	case "FifoTopic", "ContentBasedDeduplication":
		if value != "true" && value != "false" {
			return invalidf("%s Reason: it must be true or false", name)
		}
	case "MaximumMessageSize":
		if n, err := strconv.Atoi(value); err != nil || n < 1024 || n > maxMessage {
			return invalidf("MaximumMessageSize Reason: it must be from 1024 to %d", maxMessage)
		}
	case "FifoThroughputScope":
		if value != "Topic" && value != "MessageGroup" {
			return invalidf("FifoThroughputScope Reason: it must be Topic or MessageGroup")
		}
	}
	if !slices.Contains(topicAttributes, name) {
		return invalidf("AttributeName")
	}
	return nil
}

func (s *Service) createTopic(f service.Form, x *service.XML) error {
	t := &topic{Name: f.Text("Name"), Attributes: f.Pairs("Attributes.entry", "key", "value"), Tags: f.Pairs("Tags.member", "Key", "Value")}
	if !topicName.MatchString(t.Name) {
		return invalidf("Topic Name")
	}
	for name, value := range t.Attributes {
		if e := checkTopicAttribute(name, value); e != nil {
			return e
		}
	}
	if t.fifo() != (t.Attributes["FifoTopic"] == "true") {
		return invalidf("Topic Name Reason: a FIFO topic has the attribute FifoTopic, and a name that ends in .fifo")
	}
	t.ARN = service.ARN{Partition: "aws", Service: "sns", Region: s.env.Region, AccountID: s.env.AccountID, Resource: t.Name}.String()
	err := s.env.Store.Update(func(tx *store.Tx) error {
		known := s.topic(t.ARN)
		if known == nil {
			s.saveTopic(tx, t)
			return nil
		}
		for name, value := range t.Attributes {
			if known.Attributes[name] != value {
				return invalidf("Attributes Reason: Topic already exists with different attributes")
			}
		}
		for key, value := range t.Tags {
			if known.Tags[key] != value {
				return invalidf("Tags Reason: Topic already exists with different tags")
			}
		}
		return nil
	})
	x.Element("TopicArn", t.ARN)
	return err
}

// requiredTopic is the topic that a request names.
func (s *Service) requiredTopic(arn string) (*topic, *service.Error) {
	if arn == "" {
		return nil, invalidf("TopicArn")
	}
	if a, ok := service.ParseARN(arn); !ok || a.Service != "sns" {
		return nil, invalidf("TopicArn Reason: An ARN must have at least 6 elements, not %d", len(strings.Split(arn, ":")))
	}
	t := s.topic(arn)
	if t == nil {
		return nil, notFound("Topic")
	}
	return t, nil
}

func (s *Service) deleteTopic(f service.Form, _ *service.XML) error {
	return s.env.Store.Update(func(tx *store.Tx) error {
		if t := s.topic(f.Text("TopicArn")); t != nil { // to delete what is gone is no error
			s.removeTopic(tx, t)
		}
		return nil
	})
}

// pageSize is how many elements a list has at most.
const pageSize = 100

// page writes the elements of a list that come after a token, and the token of
// the next page. The list is in the order of its keys.
func page[T any](f service.Form, x *service.XML, list string, all []T, key func(T) string, write func(T)) {
	next, written := "", 0
	x.Nest(list, func() {
		for i, item := range all {
			if key(item) <= f.Text("NextToken") {
				continue
			}
			x.Nest("member", func() { write(item) })
			if written++; written == pageSize && i+1 < len(all) {
				next = key(item)
				return
			}
		}
	})
	x.Optional("NextToken", next)
}

func (s *Service) answerTopics(f service.Form, x *service.XML) error {
	all := s.listTopics()
	slices.SortFunc(all, func(a, b *topic) int { return strings.Compare(a.ARN, b.ARN) })
	page(f, x, "Topics", all, func(t *topic) string { return t.ARN }, func(t *topic) { x.Element("TopicArn", t.ARN) })
	return nil
}

// effectivePolicy is SNS's own delivery policy.
const effectivePolicy = `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`

func (s *Service) getTopicAttributes(f service.Form, x *service.XML) error {
	t, e := s.requiredTopic(f.Text("TopicArn"))
	if e != nil {
		return e
	}
	confirmed, waiting := 0, 0
	for _, sub := range s.subscribersOf(t.ARN) {
		if sub.Token == "" {
			confirmed++
		} else {
			waiting++
		}
	}
	all := map[string]string{
		"TopicArn": t.ARN, "Owner": s.env.AccountID, "DisplayName": "", "EffectiveDeliveryPolicy": effectivePolicy,
		"Policy":                 `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[]}`,
		"SubscriptionsConfirmed": strconv.Itoa(confirmed), "SubscriptionsPending": strconv.Itoa(waiting),
		"SubscriptionsDeleted": strconv.Itoa(t.Deleted),
	}
	if t.fifo() {
		all["ContentBasedDeduplication"] = "false"
	}
	for name, value := range t.Attributes {
		all[name] = value
	}
	x.Nest("Attributes", func() { x.Pairs("entry", "key", "value", all) })
	return nil
}

func (s *Service) setTopicAttributes(f service.Form, _ *service.XML) error {
	name, value := f.Text("AttributeName"), f.Text("AttributeValue")
	if e := checkTopicAttribute(name, value); e != nil {
		return e
	}
	if name == "FifoTopic" {
		return invalidf("AttributeName Reason: a topic stays what it is")
	}
	return s.changeTopic(f.Text("TopicArn"), func(t *topic) error {
		t.Attributes = with(t.Attributes, name, value)
		return nil
	})
}

// with is a copy of a map with another entry.
func with(m map[string]string, key, value string) map[string]string {
	all := make(map[string]string, len(m)+1)
	for k, v := range m {
		all[k] = v
	}
	all[key] = value
	return all
}

// changeTopic replaces a topic by a changed copy.
func (s *Service) changeTopic(arn string, change func(*topic) error) error {
	return s.env.Store.Update(func(tx *store.Tx) error {
		t, e := s.requiredTopic(arn)
		if e != nil {
			return e
		}
		changed := *t
		if err := change(&changed); err != nil {
			return err
		}
		s.saveTopic(tx, &changed)
		return nil
	})
}

func (s *Service) permit(f service.Form, _ *service.XML) error {
	if _, e := s.requiredTopic(f.Text("TopicArn")); e != nil {
		return e
	}
	return nil // permissions are not enforced
}

func (s *Service) taggedTopic(f service.Form) (*topic, error) {
	t := s.topic(f.Text("ResourceArn"))
	if t == nil {
		return nil, &service.Error{Code: "ResourceNotFound", Message: "Resource does not exist", Status: 404}
	}
	return t, nil
}

func (s *Service) listTags(f service.Form, x *service.XML) error {
	t, err := s.taggedTopic(f)
	if err != nil {
		return err
	}
	x.Nest("Tags", func() { x.Pairs("member", "Key", "Value", t.Tags) })
	return nil
}

func (s *Service) tagResource(f service.Form, _ *service.XML) error {
	if _, err := s.taggedTopic(f); err != nil {
		return err
	}
	return s.changeTopic(f.Text("ResourceArn"), func(t *topic) error {
		for key, value := range f.Pairs("Tags.member", "Key", "Value") {
			t.Tags = with(t.Tags, key, value)
		}
		if len(t.Tags) > 50 {
			return service.Errorf("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
		}
		return nil
	})
}

func (s *Service) untagResource(f service.Form, _ *service.XML) error {
	if _, err := s.taggedTopic(f); err != nil {
		return err
	}
	return s.changeTopic(f.Text("ResourceArn"), func(t *topic) error {
		for _, key := range f.List("TagKeys.member") {
			t.Tags = with(t.Tags, key, "")
			delete(t.Tags, key)
		}
		return nil
	})
}

// messageOf reads a message of Publish, or an entry of PublishBatch.
func messageOf(f service.Form) (*message, *service.Error) {
	m := &message{text: f.Text("Message"), subject: f.Text("Subject"), group: f.Text("MessageGroupId"), dedup: f.Text("MessageDeduplicationId")}
	for _, e := range f.Entries("MessageAttributes.entry") {
		a := service.Attribute{DataType: e.Text("Value.DataType"), Value: []byte(e.Text("Value.StringValue"))}
		if e.Has("Value.BinaryValue") {
			b, err := base64.StdEncoding.DecodeString(e.Text("Value.BinaryValue"))
			if err != nil {
				return nil, invalidf("the value of the attribute %s is not base64", e.Text("Name"))
			}
			a.Value = b
		}
		if m.attributes == nil {
			m.attributes = map[string]service.Attribute{}
		}
		m.attributes[e.Text("Name")] = a
	}
	switch f.Text("MessageStructure") {
	case "":
	case "json":
		if e := m.structure(); e != nil {
			return nil, e
		}
	default:
		return nil, invalidf("MessageStructure")
	}
	return m, nil
}

func (s *Service) publish(f service.Form, x *service.XML) error {
	m, e := messageOf(f)
	if e != nil {
		return e
	}
	if number := f.Text("PhoneNumber"); number != "" {
		s.env.Logf("an SMS to %s is not sent from this machine: %s", number, m.text)
		x.Element("MessageId", service.NewID())
		return nil
	}
	arn := f.Text("TopicArn")
	if arn == "" {
		arn = f.Text("TargetArn")
	}
	t, e := s.requiredTopic(arn)
	if e != nil {
		return e
	}
	if e := m.check(t); e != nil {
		return e
	}
	p := s.prepare(t, m)
	var id, sequence string
	err := s.env.Store.Update(func(tx *store.Tx) error {
		id, sequence = s.put(tx, p)
		return nil
	})
	x.Element("MessageId", id)
	x.Optional("SequenceNumber", sequence)
	return err
}

var batchID = lazyregexp.New(`^[A-Za-z0-9_-]{1,80}$`)

func checkBatch(entries []service.Form) *service.Error {
	switch {
	case len(entries) == 0:
		return service.Errorf("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	case len(entries) > 10:
		return service.Errorf("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
	}
	seen := map[string]bool{}
	total := 0
	for _, entry := range entries {
		id := entry.Text("Id")
		if !batchID.MatchString(id) {
			return service.Errorf("InvalidBatchEntryId", "The Id of a batch entry in a batch request doesn't abide by the specification.")
		}
		if seen[id] {
			return service.Errorf("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
		}
		seen[id] = true
		total += len(entry.Text("Message"))
	}
	if total > maxMessage {
		return service.Errorf("BatchRequestTooLong", "The length of all the batch messages put together is more than the limit.")
	}
	return nil
}

func (s *Service) publishBatch(f service.Form, x *service.XML) error {
	t, e := s.requiredTopic(f.Text("TopicArn"))
	if e != nil {
		return e
	}
	entries := f.Entries("PublishBatchRequestEntries.member")
	if e := checkBatch(entries); e != nil {
		return e
	}
	type result struct {
		p            *publication
		id, sequence string
		e            *service.Error
	}
	results := make([]result, len(entries))
	for i, entry := range entries {
		m, e := messageOf(entry)
		if e == nil {
			e = m.check(t)
		}
		if e != nil {
			results[i].e = e
			continue
		}
		results[i].p = s.prepare(t, m)
	}
	err := s.env.Store.Update(func(tx *store.Tx) error {
		for i := range results {
			if r := &results[i]; r.p != nil {
				r.id, r.sequence = s.put(tx, r.p)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	x.Nest("Successful", func() {
		for i, r := range results {
			if r.p != nil {
				x.Nest("member", func() {
					x.Element("Id", entries[i].Text("Id"))
					x.Element("MessageId", r.id)
					x.Optional("SequenceNumber", r.sequence)
				})
			}
		}
	})
	x.Nest("Failed", func() {
		for i, r := range results {
			if r.e != nil {
				x.Nest("member", func() {
					x.Element("Id", entries[i].Text("Id"))
					x.Element("Code", r.e.Code)
					x.Element("Message", r.e.Message)
					x.Element("SenderFault", "true")
				})
			}
		}
	})
	return nil
}
