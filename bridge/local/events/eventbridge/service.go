package eventbridge

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/bailey-cdk/bailey/bridge/local/events/scheduler/schedule"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// Service is EventBridge. Its methods may be called from many goroutines.
type Service struct {
	env  service.Env
	book atomic.Pointer[book]

	// mu is held by what changes the book.
	mu  sync.Mutex
	app *model.Application

	clock   *schedule.Clock
	running sync.WaitGroup
	cancel  context.CancelFunc
	ctx     context.Context
	// hops counts the buses that an event went through in one transaction. It
	// belongs to the goroutine that writes the store.
	hops int
	// complaints are the failures that were logged.
	complaints sync.Map
}

// New reads the rules. Those with schedules run from Start on.
func New(env service.Env) (*Service, error) {
	s := &Service{env: env, clock: schedule.NewClock()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, s.Swap(env.App)
}

// Swap takes over another state of the application.
func (s *Service) Swap(app *model.Application) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.read(app)
	if err != nil {
		return err
	}
	s.app = app
	s.take(b)
	return nil
}

// take puts a book in the place of the old one. s.mu is held.
func (s *Service) take(b *book) {
	s.book.Store(b)
	alarms := map[string]schedule.Alarm{}
	for _, bus := range b.buses {
		for _, r := range bus.rules {
			if r.schedule != nil && r.State == enabled {
				alarms[bus.name+"\x00"+r.Name] = schedule.Alarm{Schedule: r.schedule, Key: r.ScheduleExpression}
			}
		}
	}
	s.clock.Set(s.env.Now(), alarms)
}

// Start runs the schedules.
func (s *Service) Start() {
	s.running.Go(func() { s.clock.Run(s.ctx, s.env.Now, s.fire) })
}

// Close ends the schedules.
func (s *Service) Close() error {
	s.cancel()
	s.running.Wait()
	return nil
}

// fire sends the event of a schedule to its rule's targets.
func (s *Service) fire(d schedule.Due) {
	busName, name, _ := strings.Cut(d.Name, "\x00")
	bus := s.book.Load().buses[busName]
	if bus == nil || bus.rule(name) == nil {
		return // removed in this moment
	}
	r := bus.rule(name)
	e := &event{
		Version: "0", ID: service.NewID(), DetailType: "Scheduled Event", Source: "aws.events", Account: s.env.AccountID,
		Time: d.At.UTC().Format(timeForm), Region: s.env.Region, Resources: []string{r.ARN}, Detail: []byte("{}"),
	}
	p := &plan{bus: bus, event: e}
	s.planRule(p, r)
	if err := s.env.Store.Update(p.commit(s)); err != nil {
		s.env.Logf("the schedule of rule %s failed: %v", r.Name, err)
	}
}

// protocol is the version of the JSON protocol that EventBridge speaks.
const protocol = "1.1"

// Serve answers a request.
func (s *Service) Serve(w http.ResponseWriter, r *service.Request) {
	operation := operations[r.Operation]
	if operation == nil {
		service.FailJSON(w, r, protocol, "", service.Errorf("UnknownOperationException", "the local EventBridge has no %s", r.Operation))
		return
	}
	answer, err := operation(s, r.Payload)
	if err != nil {
		service.FailJSON(w, r, protocol, "", err)
		return
	}
	service.AnswerJSON(w, r, protocol, answer)
}
