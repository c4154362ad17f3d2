package sns

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// The tables.
const (
	topicsTable        = "sns/topics"        // topic name -> topic
	subscriptionsTable = "sns/subscriptions" // ARN -> subscription
	pendingTable       = "sns/pending"       // number -> delivery to an HTTP endpoint
	dedupTable         = "sns/dedup/"        // + topic name: deduplication id -> until when, number, message id
	expiryTable        = "sns/expiry/"       // + topic name: time, deduplication id -> nothing
)

// Service is SNS.
type Service struct {
	env service.Env

	mu            sync.RWMutex
	topics        map[string]*topic          // by name
	subscriptions map[string]*subscription   // by ARN
	subscribers   map[string][]*subscription // by topic ARN, in the order of their ARNs

	// seq is the last number. Only the store's writer uses it, once the
	// service runs.
	seq uint64

	web  *web
	stop chan struct{}
	work sync.WaitGroup
}

// New opens the topics that are in the store. Those of the application come
// with Swap.
func New(env service.Env) (*Service, error) {
	s := &Service{
		env: env, topics: map[string]*topic{}, subscriptions: map[string]*subscription{}, subscribers: map[string][]*subscription{},
		stop: make(chan struct{}), seq: uint64(env.Now().UnixMicro()),
	}
	s.web = newWeb(s)
	err := env.Store.View(func(tx *store.Tx) error {
		err := tx.Scan(topicsTable, nil, func(key, value []byte) error {
			t := &topic{}
			s.topics[string(key)] = t
			return read(key, value, t)
		})
		if err != nil {
			return err
		}
		err = tx.Scan(subscriptionsTable, nil, func(key, value []byte) error {
			sub := &subscription{}
			if err := read(key, value, sub); err != nil {
				return err
			}
			s.subscriptions[string(key)] = sub
			return sub.compile()
		})
		if err != nil {
			return err
		}
		return tx.Scan(pendingTable, nil, func(key, _ []byte) error {
			s.seq = max(s.seq, uint64(store.Uint(key))) //nolint:gosec // numbers do not reach 2^63
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	s.index()
	return s, nil
}

func read(key, value []byte, into any) error {
	if err := json.Unmarshal(value, into); err != nil {
		return fmt.Errorf("%s cannot be read: %w", key, err)
	}
	return nil
}

// index gathers the subscribers of each topic. s.mu is held, or nobody else
// has s yet.
func (s *Service) index() {
	s.subscribers = map[string][]*subscription{}
	for _, sub := range s.subscriptions {
		s.subscribers[sub.TopicARN] = append(s.subscribers[sub.TopicARN], sub)
	}
	for _, all := range s.subscribers {
		byARN(all)
	}
}

// Swap makes the application's topics and subscriptions, and removes those of
// its last state that are gone.
func (s *Service) Swap(app *model.Application) error {
	topics, subscriptions := map[string]*topic{}, map[string]*subscription{}
	for _, m := range app.Topics {
		topics[m.TopicName] = topicOf(m)
	}
	for _, m := range app.Subscriptions {
		sub := subscriptionOf(m)
		if err := sub.compile(); err != nil {
			s.env.Logf("the subscription %s is left out: %v", m.Path, err)
			continue
		}
		subscriptions[sub.ARN] = sub
	}
	return s.env.Store.Update(func(tx *store.Tx) error {
		for _, t := range s.listTopics() {
			if t.Template && topics[t.Name] == nil {
				s.removeTopic(tx, t)
			}
		}
		for _, sub := range s.listSubscriptions() {
			if sub.Template && subscriptions[sub.ARN] == nil {
				s.removeSubscription(tx, sub)
			}
		}
		for _, t := range topics {
			if known := s.topic(t.ARN); known == nil || !known.Template {
				s.saveTopic(tx, t)
			}
		}
		for _, sub := range subscriptions {
			if known := s.subscription(sub.ARN); known == nil || !reflect.DeepEqual(known, sub) {
				s.saveSubscription(tx, sub)
			}
		}
		return nil
	})
}

func (s *Service) saveTopic(tx *store.Tx, t *topic) {
	text, _ := json.Marshal(t) // never fails
	tx.Put(topicsTable, []byte(t.Name), text)
	tx.AfterCommit(func() {
		s.mu.Lock()
		s.topics[t.Name] = t
		s.mu.Unlock()
	})
}

func (s *Service) saveSubscription(tx *store.Tx, sub *subscription) {
	text, _ := json.Marshal(sub) // never fails
	tx.Put(subscriptionsTable, []byte(sub.ARN), text)
	tx.AfterCommit(func() {
		s.mu.Lock()
		s.subscriptions[sub.ARN] = sub
		s.index()
		s.mu.Unlock()
	})
}

// removeTopic removes a topic with its subscriptions.
func (s *Service) removeTopic(tx *store.Tx, t *topic) {
	tx.Delete(topicsTable, []byte(t.Name))
	tx.Drop(dedupTable + t.Name)
	tx.Drop(expiryTable + t.Name)
	for _, sub := range s.subscribersOf(t.ARN) {
		tx.Delete(subscriptionsTable, []byte(sub.ARN))
	}
	tx.AfterCommit(func() {
		s.mu.Lock()
		delete(s.topics, t.Name)
		for arn, sub := range s.subscriptions {
			if sub.TopicARN == t.ARN {
				delete(s.subscriptions, arn)
			}
		}
		s.index()
		s.mu.Unlock()
	})
}

func (s *Service) removeSubscription(tx *store.Tx, sub *subscription) {
	tx.Delete(subscriptionsTable, []byte(sub.ARN))
	if t := s.topic(sub.TopicARN); t != nil && !sub.Template {
		changed := *t
		changed.Deleted++
		s.saveTopic(tx, &changed)
	}
	tx.AfterCommit(func() {
		s.mu.Lock()
		delete(s.subscriptions, sub.ARN)
		s.index()
		s.mu.Unlock()
	})
}

// topic finds a topic by its ARN, nil where there is none.
func (s *Service) topic(arn string) *topic {
	a, ok := service.ParseARN(arn)
	if !ok || a.Service != "sns" {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.topics[a.Resource]
}

func (s *Service) subscription(arn string) *subscription {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.subscriptions[arn]
}

// subscribersOf are the subscriptions of a topic in the order of their ARNs.
// The list is replaced, never changed.
func (s *Service) subscribersOf(topicARN string) []*subscription {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.subscribers[topicARN]
}

func (s *Service) listTopics() []*topic {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []*topic
	for _, name := range slices.Sorted(maps.Keys(s.topics)) {
		all = append(all, s.topics[name])
	}
	return all
}

func (s *Service) listSubscriptions() []*subscription {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := slices.Collect(maps.Values(s.subscriptions))
	byARN(all)
	return all
}

// Start begins to deliver to HTTP endpoints and to forget deduplication ids.
func (s *Service) Start() {
	s.work.Go(s.web.run)
	s.work.Go(s.tend)
}

// Close ends that. Deliveries under way are tried again when the plane is
// opened the next time.
func (s *Service) Close() error {
	close(s.stop)
	s.web.cancel()
	s.work.Wait()
	return nil
}
