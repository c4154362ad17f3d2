package sns

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

const (
	// webTimeout is how long an HTTP endpoint may take to answer.
	webTimeout = 15 * time.Second
	// webWorkers is how many are called at a time.
	webWorkers = 16
)

// pending is a delivery to an HTTP endpoint that is not done.
type pending struct {
	Subscription string    `json:"subscription"`
	Topic        string    `json:"topic"`
	Type         string    `json:"type"`
	MessageID    string    `json:"messageId"`
	Raw          bool      `json:"raw,omitempty"`
	Body         []byte    `json:"body"`
	Attempt      int       `json:"attempt,omitempty"`
	Due          time.Time `json:"due"`
}

// web delivers to HTTP endpoints.
type web struct {
	s      *Service
	client *http.Client
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{}

	mu   sync.Mutex
	busy map[string]bool // keys of deliveries under way
}

func newWeb(s *Service) *web {
	w := &web{s: s, wake: make(chan struct{}, 1), busy: map[string]bool{}}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.client = &http.Client{
		Timeout: webTimeout,
		// A redirect could lead away from this machine, and SNS follows none.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w
}

func (w *web) enqueue(tx *store.Tx, p *publication, b *branch) {
	w.add(tx, &pending{
		Subscription: b.sub.ARN, Topic: p.topic.ARN, Type: "Notification", MessageID: p.message.id,
		Raw: b.sub.raw, Body: b.body, Due: w.s.env.Now(),
	})
}

func (w *web) add(tx *store.Tx, p *pending) {
	w.s.seq++
	text, _ := json.Marshal(p) // never fails
	tx.Put(pendingTable, store.Key(w.s.seq), text)
	tx.AfterCommit(w.signal)
}

func (w *web) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run delivers what is due until the service is closed.
func (w *web) run() {
	var workers sync.WaitGroup
	defer workers.Wait()
	slots := make(chan struct{}, webWorkers)
	for {
		due, next := w.due()
		for key, p := range due {
			select {
			case slots <- struct{}{}:
			case <-w.ctx.Done():
				return
			}
			workers.Go(func() {
				w.attempt(key, p)
				<-slots
				w.mu.Lock()
				delete(w.busy, key)
				w.mu.Unlock()
				w.signal()
			})
		}
		timer := time.NewTimer(next)
		select {
		case <-w.wake:
		case <-timer.C:
		case <-w.ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// due are the deliveries to try now, and how long the next one has time.
func (w *web) due() (all map[string]*pending, next time.Duration) {
	all, next = map[string]*pending{}, time.Minute
	now := w.s.env.Now()
	err := w.s.env.Store.View(func(tx *store.Tx) error {
		return tx.Scan(pendingTable, nil, func(key, value []byte) error {
			w.mu.Lock()
			busy := w.busy[string(key)]
			w.mu.Unlock()
			p := &pending{}
			if busy || json.Unmarshal(value, p) != nil {
				return nil
			}
			if wait := p.Due.Sub(now); wait > 0 {
				next = min(next, wait)
			} else {
				all[string(key)] = p
			}
			if len(all) >= 4*webWorkers {
				return store.Stop
			}
			return nil
		})
	})
	if err != nil {
		return nil, next
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for key := range all {
		w.busy[key] = true
	}
	return all, next
}

// attempt tries one delivery, and stores what came of it.
func (w *web) attempt(key string, p *pending) {
	s := w.s
	sub := s.subscription(p.Subscription)
	var err error
	if sub != nil {
		err = w.post(sub, p)
	}
	if w.ctx.Err() != nil {
		return
	}
	delay, more := retry(p.Attempt)
	var permanent *clientError
	if errors.As(err, &permanent) {
		more = false
	}
	updateErr := s.env.Store.Update(func(tx *store.Tx) error {
		note := service.Note{What: service.Delivered, Source: p.Topic, MessageID: p.MessageID, Body: p.Body}
		if sub != nil {
			note.Target = sub.Endpoint
		}
		switch {
		case sub == nil: // unsubscribed meanwhile
			tx.Delete(pendingTable, []byte(key))
			return nil
		case err != nil && more:
			again := *p
			again.Attempt, again.Due = p.Attempt+1, s.env.Now().Add(delay)
			text, _ := json.Marshal(again) // never fails
			tx.Put(pendingTable, []byte(key), text)
			note.What, note.Detail = service.Failed, err.Error()
		case err != nil:
			tx.Delete(pendingTable, []byte(key))
			s.giveUp(tx, p.Topic, sub, p.MessageID, p.Body, "", err)
			return nil
		default:
			tx.Delete(pendingTable, []byte(key))
		}
		if p.Type == "Notification" {
			s.env.Note(tx, note)
		}
		return nil
	})
	if updateErr != nil {
		s.env.Logf("a delivery to %s is tried again later: %v", p.Subscription, updateErr)
	}
}

// retry is when a delivery is tried again that failed n times before: three
// times, 20 seconds apart, which is SNS's default for HTTP endpoints.
// See https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
func retry(n int) (time.Duration, bool) { return 20 * time.Second, n < 3 }

// clientError is one that SNS does not retry.
type clientError struct{ reason string }

func (e *clientError) Error() string { return e.reason }

func (w *web) post(sub *subscription, p *pending) error {
	u, err := url.Parse(sub.Endpoint)
	if err != nil || !loopback(u.Hostname()) {
		return &clientError{"it is no address of this machine, and nothing is sent from here to others"}
	}
	r, err := http.NewRequestWithContext(w.ctx, http.MethodPost, sub.Endpoint, bytes.NewReader(p.Body))
	if err != nil {
		return &clientError{err.Error()}
	}
	r.Header.Set("Content-Type", "text/plain; charset=UTF-8")
	r.Header.Set("User-Agent", "Amazon Simple Notification Service Agent")
	r.Header.Set("X-Amz-Sns-Message-Type", p.Type)
	r.Header.Set("X-Amz-Sns-Message-Id", p.MessageID)
	r.Header.Set("X-Amz-Sns-Topic-Arn", p.Topic)
	r.Header.Set("X-Amz-Sns-Subscription-Arn", sub.ARN)
	if p.Raw {
		r.Header.Set("X-Amz-Sns-Rawdelivery", "true")
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20)) // the connection is used again then
	switch {
	case answer.StatusCode < 300:
		return nil
	case answer.StatusCode >= 400 && answer.StatusCode < 500 && answer.StatusCode != http.StatusTooManyRequests:
		return &clientError{fmt.Sprintf("it answered %s", answer.Status)}
	}
	return fmt.Errorf("it answered %s", answer.Status)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// confirmation is the JSON that an HTTP endpoint gets when it is subscribed.
func (s *Service) confirmation(t *topic, sub *subscription, id string) []byte {
	o := &object{}
	o.open()
	o.field("Type", "SubscriptionConfirmation")
	o.field("MessageId", id)
	o.field("Token", sub.Token)
	o.field("TopicArn", t.ARN)
	o.field("Message", "You have chosen to subscribe to the topic "+t.ARN+".\nTo confirm the subscription, visit the SubscribeURL included in this message.")
	o.field("SubscribeURL", s.env.URL+"/?Action=ConfirmSubscription&Version=2010-03-31&TopicArn="+url.QueryEscape(t.ARN)+"&Token="+sub.Token)
	o.field("Timestamp", s.env.Now().UTC().Format(timeFormat))
	s.signature(o, "SigningCertURL")
	o.close()
	return o.b
}
