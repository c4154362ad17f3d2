package s3

import (
	"encoding/json"
	"net/http"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// configuration is a NotificationConfiguration.
type configuration struct {
	Topics      []told    `xml:"TopicConfiguration"`
	Queues      []told    `xml:"QueueConfiguration"`
	Functions   []told    `xml:"CloudFunctionConfiguration"`
	EventBridge *struct{} `xml:"EventBridgeConfiguration"`
}

// told is one target of it.
type told struct {
	ID       string   `xml:"Id,omitempty"`
	Topic    string   `xml:",omitempty"`
	Queue    string   `xml:",omitempty"`
	Function string   `xml:"CloudFunction,omitempty"`
	Events   []string `xml:"Event"`
	Filter   *struct {
		Rules []rule `xml:"S3Key>FilterRule"`
	}
}

type rule struct{ Name, Value string }

func (s *Service) getNotification(w http.ResponseWriter, _ *service.Request, b *bucket, _ string) error {
	out := struct {
		XMLName struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ NotificationConfiguration"`
		configuration
	}{}
	if b.eventBridge {
		out.EventBridge = &struct{}{}
	}
	for _, n := range b.notifications {
		t := told{Events: n.Events}
		if n.Prefix != "" || n.Suffix != "" {
			t.Filter = &struct {
				Rules []rule `xml:"S3Key>FilterRule"`
			}{}
			for _, r := range []rule{{"prefix", n.Prefix}, {"suffix", n.Suffix}} {
				if r.Value != "" {
					t.Filter.Rules = append(t.Filter.Rules, r)
				}
			}
		}
		arn, _ := service.ParseARN(n.TargetARN)
		switch arn.Service {
		case "sns":
			t.Topic = n.TargetARN
			out.Topics = append(out.Topics, t)
		case "sqs":
			t.Queue = n.TargetARN
			out.Queues = append(out.Queues, t)
		default:
			t.Function = n.TargetARN
			out.Functions = append(out.Functions, t)
		}
	}
	return answerXML(w, out)
}

func (s *Service) putNotification(w http.ResponseWriter, r *service.Request, b *bucket, _ string) error {
	var in configuration
	if err := readXML(r, &in); err != nil {
		return err
	}
	kept := stored{EventBridge: in.EventBridge != nil}
	for _, t := range append(append(in.Topics, in.Queues...), in.Functions...) {
		n := model.Notification{Events: t.Events, TargetARN: t.Topic + t.Queue + t.Function}
		if _, ok := service.ParseARN(n.TargetARN); !ok {
			return service.Errorf("InvalidArgument", "The ARN is not well formed")
		}
		if t.Filter != nil {
			for _, rule := range t.Filter.Rules {
				switch rule.Name {
				case "prefix", "Prefix":
					n.Prefix = rule.Value
				case "suffix", "Suffix":
					n.Suffix = rule.Value
				default:
					return service.Errorf("InvalidArgument", "filter rule name must be either prefix or suffix")
				}
			}
		}
		kept.Notifications = append(kept.Notifications, n)
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.env.Store.Update(func(tx *store.Tx) error {
		tx.Put(notificationTable, []byte(b.name), text)
		return nil
	})
	if err == nil {
		err = s.read()
	}
	if err == nil {
		w.WriteHeader(http.StatusOK)
	}
	return err
}
