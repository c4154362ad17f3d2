package sns

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// subscriptionAttributes are those that can be set.
var subscriptionAttributes = []string{
	"DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "SubscriptionRoleArn", "ReplayPolicy",
}

func checkSubscriptionAttribute(protocol, name, value string) *service.Error {
	switch {
	case !slices.Contains(subscriptionAttributes, name):
		return invalidf("AttributeName")
	case name == "RawMessageDelivery" && value != "true" && value != "false":
		return invalidf("Attributes Reason: RawMessageDelivery: Invalid value [%s]. Must be true or false.", value)
	case name == "RawMessageDelivery" && value == "true" && protocol != "sqs" && protocol != "firehose" && protocol != "http" && protocol != "https":
		return invalidf("Attributes Reason: RawMessageDelivery: Delivery protocol [%s] does not support raw message delivery.", protocol)
	}
	return nil
}

// checkEndpoint checks that a protocol's endpoint may be one.
func checkEndpoint(t *topic, protocol, endpoint string) *service.Error {
	inside, known := protocols[protocol]
	switch {
	case protocol == "" || !known:
		return invalidf("Amazon SNS does not support this protocol string: %s", protocol)
	case endpoint == "":
		return invalidf("Endpoint")
	case t.fifo() && protocol != "sqs":
		return invalidf("Invalid protocol type: %s Reason: a FIFO topic is for queues", protocol)
	}
	if inside {
		a, ok := service.ParseARN(endpoint)
		if !ok || a.Service != protocol {
			return invalidf("%s endpoint ARN", strings.ToUpper(protocol))
		}
		if protocol == "sqs" && strings.HasSuffix(endpoint, ".fifo") && !t.fifo() {
			return invalidf("Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
		}
	}
	if protocol == "http" || protocol == "https" {
		if u, err := url.Parse(endpoint); err != nil || u.Scheme != protocol || u.Host == "" {
			return invalidf("Endpoint must match the specified protocol")
		}
	}
	return nil
}

func (s *Service) subscribe(f service.Form, x *service.XML) error {
	t, e := s.requiredTopic(f.Text("TopicArn"))
	if e != nil {
		return e
	}
	sub := &subscription{
		ARN: t.ARN + ":" + service.NewID(), TopicARN: t.ARN, Protocol: f.Text("Protocol"), Endpoint: f.Text("Endpoint"),
		Attributes: f.Pairs("Attributes.entry", "key", "value"),
	}
	if e := checkEndpoint(t, sub.Protocol, sub.Endpoint); e != nil {
		return e
	}
	for name, value := range sub.Attributes {
		if e := checkSubscriptionAttribute(sub.Protocol, name, value); e != nil {
			return e
		}
	}
	if err := sub.compile(); err != nil {
		return err
	}
	if sub.web() {
		sub.Token = strings.ReplaceAll(service.NewID()+service.NewID(), "-", "")
	}
	err := s.env.Store.Update(func(tx *store.Tx) error { return s.enter(tx, t, sub) })
	if err != nil {
		return err
	}
	arn := sub.ARN
	if sub.Token != "" && f.Text("ReturnSubscriptionArn") != "true" {
		arn = "pending confirmation"
	}
	x.Element("SubscriptionArn", arn)
	return nil
}

// enter stores a subscription. Where the topic has the endpoint already, sub
// becomes that.
func (s *Service) enter(tx *store.Tx, t *topic, sub *subscription) error {
	for _, known := range s.subscribersOf(t.ARN) {
		if known.Protocol != sub.Protocol || known.Endpoint != sub.Endpoint {
			continue
		}
		for name, value := range sub.Attributes {
			if known.Attributes[name] != value {
				return invalidf("Attributes Reason: Subscription already exists with different attributes")
			}
		}
		sub.ARN, sub.Token = known.ARN, known.Token
		return nil
	}
	s.saveSubscription(tx, sub)
	if sub.Token != "" {
		id := service.NewID()
		s.web.add(tx, &pending{
			Subscription: sub.ARN, Topic: t.ARN, Type: "SubscriptionConfirmation", MessageID: id,
			Body: s.confirmation(t, sub, id), Due: s.env.Now(),
		})
	}
	return nil
}

func (s *Service) confirmSubscription(f service.Form, x *service.XML) error {
	t, e := s.requiredTopic(f.Text("TopicArn"))
	if e != nil {
		return e
	}
	token := f.Text("Token")
	if token == "" {
		return invalidf("Token")
	}
	return s.env.Store.Update(func(tx *store.Tx) error {
		for _, sub := range s.subscribersOf(t.ARN) {
			if sub.Token == token {
				confirmed := *sub
				confirmed.Token = ""
				s.saveSubscription(tx, &confirmed)
				x.Element("SubscriptionArn", sub.ARN)
				return nil
			}
		}
		return invalidf("Token")
	})
}

// requiredSubscription is the subscription that a request names.
func (s *Service) requiredSubscription(arn string) (*subscription, *service.Error) {
	if _, ok := service.ParseARN(arn); !ok {
		return nil, invalidf("SubscriptionArn Reason: An ARN must have at least 6 elements, not %d", len(strings.Split(arn, ":")))
	}
	sub := s.subscription(arn)
	if sub == nil {
		return nil, notFound("Subscription")
	}
	return sub, nil
}

func (s *Service) unsubscribe(f service.Form, _ *service.XML) error {
	return s.env.Store.Update(func(tx *store.Tx) error {
		arn := f.Text("SubscriptionArn")
		if _, ok := service.ParseARN(arn); !ok {
			return invalidf("SubscriptionArn")
		}
		if sub := s.subscription(arn); sub != nil { // to end what is gone is no error
			s.removeSubscription(tx, sub)
		}
		return nil
	})
}

// answerSubscriptions lists all subscriptions, or those of a topic.
func (s *Service) answerSubscriptions(f service.Form, x *service.XML) error {
	all := s.listSubscriptions()
	if f.Text("Action") == "ListSubscriptionsByTopic" {
		t, e := s.requiredTopic(f.Text("TopicArn"))
		if e != nil {
			return e
		}
		all = s.subscribersOf(t.ARN)
	}
	page(f, x, "Subscriptions", all, func(sub *subscription) string { return sub.ARN }, func(sub *subscription) {
		arn := sub.ARN
		if sub.Token != "" {
			arn = "PendingConfirmation"
		}
		x.Element("SubscriptionArn", arn)
		x.Element("Owner", s.env.AccountID)
		x.Element("Protocol", sub.Protocol)
		x.Element("Endpoint", sub.Endpoint)
		x.Element("TopicArn", sub.TopicARN)
	})
	return nil
}

func (s *Service) getSubscriptionAttributes(f service.Form, x *service.XML) error {
	sub, e := s.requiredSubscription(f.Text("SubscriptionArn"))
	if e != nil {
		return e
	}
	all := map[string]string{
		"SubscriptionArn": sub.ARN, "TopicArn": sub.TopicARN, "Protocol": sub.Protocol, "Endpoint": sub.Endpoint,
		"Owner": s.env.AccountID, "RawMessageDelivery": "false", "PendingConfirmation": strconv.FormatBool(sub.Token != ""),
		"ConfirmationWasAuthenticated": strconv.FormatBool(!sub.web()),
		"SubscriptionPrincipal":        "arn:aws:iam::" + s.env.AccountID + ":root",
	}
	for name, value := range sub.Attributes {
		all[name] = value
	}
	if all["FilterPolicy"] != "" && all["FilterPolicyScope"] == "" {
		all["FilterPolicyScope"] = "MessageAttributes"
	}
	x.Nest("Attributes", func() { x.Pairs("entry", "key", "value", all) })
	return nil
}

func (s *Service) setSubscriptionAttributes(f service.Form, _ *service.XML) error {
	name, value := f.Text("AttributeName"), f.Text("AttributeValue")
	return s.env.Store.Update(func(tx *store.Tx) error {
		sub, e := s.requiredSubscription(f.Text("SubscriptionArn"))
		if e != nil {
			return e
		}
		if e := checkSubscriptionAttribute(sub.Protocol, name, value); e != nil {
			return e
		}
		changed := *sub
		changed.Attributes = with(sub.Attributes, name, value)
		if value == "" || name == "FilterPolicy" && value == "{}" {
			delete(changed.Attributes, name)
		}
		if err := changed.compile(); err != nil {
			return err
		}
		s.saveSubscription(tx, &changed)
		return nil
	})
}
