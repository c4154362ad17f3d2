package s3

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// cause is what happened to an object: the event's name, and the reason and
// detail type of EventBridge.
type cause struct{ event, reason, detailType string }

var (
	causePut      = cause{"ObjectCreated:Put", "PutObject", "Object Created"}
	causeCopy     = cause{"ObjectCreated:Copy", "CopyObject", "Object Created"}
	causeComplete = cause{"ObjectCreated:CompleteMultipartUpload", "CompleteMultipartUpload", "Object Created"}
	causeDelete   = cause{"ObjectRemoved:Delete", "DeleteObject", "Object Deleted"}
)

const owner = "AIDAJDPLRKLG7UEXAMPLE"

// tell delivers the notifications of a bucket. One that cannot be delivered is
// logged, and does not undo what it tells of.
func (s *Service) tell(tx *store.Tx, b *bucket, key string, o *object, c cause) {
	sequencer := s.sequence()
	for i := range b.notifications {
		n := &b.notifications[i]
		if wants(n, key, c) {
			s.send(tx, b, key, &service.Delivery{Target: n.TargetARN, Source: b.arn, Subject: "Amazon S3 Notification", Body: s.record(b, key, o, c, sequencer)})
		}
	}
	if b.eventBridge {
		bus := "arn:aws:events:" + s.env.Region + ":" + s.env.AccountID + ":event-bus/default"
		s.send(tx, b, key, &service.Delivery{Target: bus, Source: b.arn, Body: s.busEvent(b, key, o, c, sequencer)})
	}
}

// sequence is the next number of an event: they rise, also over restarts.
func (s *Service) sequence() string {
	now := s.env.Now().UnixNano()
	for {
		last := s.sequencer.Load()
		next := max(now, last+1)
		if s.sequencer.CompareAndSwap(last, next) {
			return fmt.Sprintf("%016X", next)
		}
	}
}

func (s *Service) send(tx *store.Tx, b *bucket, key string, d *service.Delivery) {
	note := service.Note{What: service.Delivered, Source: b.arn, Target: d.Target, Detail: key, Body: d.Body}
	if err := s.env.Accept(tx, d); err != nil {
		note.What, note.Detail = service.Dropped, key+": "+err.Error()
		s.env.Logf("the bucket %s cannot tell %s: %v", b.name, d.Target, err)
	}
	s.env.Note(tx, note)
}

// wants says whether a configuration is for an event.
func wants(n *model.Notification, key string, c cause) bool {
	if !strings.HasPrefix(key, n.Prefix) || !strings.HasSuffix(key, n.Suffix) {
		return false
	}
	for _, event := range n.Events {
		pattern := strings.TrimPrefix(event, "s3:")
		if pattern == c.event || strings.HasSuffix(pattern, ":*") && strings.HasPrefix(c.event, strings.TrimSuffix(pattern, "*")) {
			return true
		}
	}
	return false
}

// record is the event for functions, queues and topics.
func (s *Service) record(b *bucket, key string, o *object, c cause, sequencer string) []byte {
	told := map[string]any{"key": strings.ReplaceAll(url.QueryEscape(key), "%2F", "/"), "sequencer": sequencer}
	if c != causeDelete {
		told["size"], told["eTag"] = o.Size, o.ETag
	}
	text, _ := json.Marshal(map[string]any{"Records": []any{map[string]any{ // texts and numbers
		"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": s.env.Region, "eventTime": isoTime(s.env.Now()), "eventName": c.event,
		"userIdentity":      map[string]string{"principalId": "AWS:" + owner},
		"requestParameters": map[string]string{"sourceIPAddress": "127.0.0.1"},
		"responseElements":  map[string]string{"x-amz-request-id": strings.ToUpper(service.NewID()[:16]), "x-amz-id-2": service.NewID()},
		"s3": map[string]any{
			"s3SchemaVersion": "1.0", "configurationId": "local",
			"bucket": map[string]any{"name": b.name, "ownerIdentity": map[string]string{"principalId": owner}, "arn": b.arn},
			"object": told,
		},
	}}})
	return text
}

// busEvent is the event for EventBridge:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
func (s *Service) busEvent(b *bucket, key string, o *object, c cause, sequencer string) []byte {
	told := map[string]any{"key": key, "sequencer": sequencer}
	detail := map[string]any{
		"version": "0", "bucket": map[string]string{"name": b.name}, "object": told, "request-id": strings.ToUpper(service.NewID()[:16]),
		"requester": s.env.AccountID, "source-ip-address": "127.0.0.1", "reason": c.reason,
	}
	if c == causeDelete {
		detail["deletion-type"] = "Permanently Deleted"
	} else {
		told["size"], told["etag"] = o.Size, o.ETag
	}
	text, _ := json.Marshal(map[string]any{ // texts and numbers
		"version": "0", "id": service.NewID(), "detail-type": c.detailType, "source": "aws.s3", "account": s.env.AccountID,
		"time": s.env.Now().UTC().Format("2006-01-02T15:04:05Z"), "region": s.env.Region, "resources": []string{b.arn}, "detail": detail,
	})
	return text
}
