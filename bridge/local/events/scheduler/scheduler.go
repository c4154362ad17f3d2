package scheduler

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/scheduler/schedule"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/internal/lazyregexp"
)

// item is a schedule as the API has it.
type item struct {
	Name                       string `json:",omitempty"`
	ARN                        string `json:"Arn,omitempty"`
	GroupName                  string `json:",omitempty"`
	ScheduleExpression         string
	ScheduleExpressionTimezone string   `json:",omitempty"`
	Description                string   `json:",omitempty"`
	State                      string   `json:",omitempty"`
	StartDate                  *float64 `json:",omitempty"`
	EndDate                    *float64 `json:",omitempty"`
	ActionAfterCompletion      string   `json:",omitempty"`
	FlexibleTimeWindow         any      `json:",omitempty"`
	Target                     target
	// Deleted hides a schedule of the application.
	Deleted bool `json:",omitempty"`

	parsed *schedule.Schedule
}

type target struct {
	ARN           string `json:"Arn"`
	RoleARN       string `json:"RoleArn,omitempty"`
	Input         string `json:",omitempty"`
	SQSParameters *struct {
		MessageGroupID string `json:"MessageGroupId,omitempty"`
	} `json:"SqsParameters,omitempty"`
	EventBridgeParameters *struct{ DetailType, Source string } `json:",omitempty"`
	KinesisParameters     *struct{ PartitionKey string }       `json:",omitempty"`
	DeadLetterConfig      *struct {
		ARN string `json:"Arn,omitempty"`
	} `json:",omitempty"`
	RetryPolicy any `json:",omitempty"`
}

const (
	table        = "scheduler/schedules"
	defaultGroup = "default"
	enabled      = "ENABLED"
	disabled     = "DISABLED"
)

// Service is EventBridge Scheduler. Its methods may be called from many
// goroutines.
type Service struct {
	env   service.Env
	clock *schedule.Clock

	mu    sync.Mutex
	app   *model.Application
	items map[string]*item

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// New reads the schedules. They run from Start on.
func New(env service.Env) (*Service, error) {
	s := &Service{env: env, clock: schedule.NewClock()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, s.Swap(env.App)
}

// Swap takes over another state of the application.
func (s *Service) Swap(app *model.Application) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app = app
	return s.read()
}

// Start runs the schedules.
func (s *Service) Start() {
	s.running.Go(func() { s.clock.Run(s.ctx, s.env.Now, s.fire) })
}

// Close ends them.
func (s *Service) Close() error {
	s.cancel()
	s.running.Wait()
	return nil
}

// read takes the schedules of the application and of the store. s.mu is held.
func (s *Service) read() error {
	items := map[string]*item{}
	for _, m := range s.app.Schedules {
		i := s.ofModel(m)
		if err := i.compile(); err != nil {
			s.env.Logf("the schedule %s is left out: %v", m.Path, err)
			continue
		}
		items[i.key()] = i
	}
	err := s.env.Store.View(func(tx *store.Tx) error {
		return tx.Scan(table, nil, func(key, value []byte) error {
			i := &item{}
			if err := json.Unmarshal(value, i); err != nil {
				return fmt.Errorf("the stored schedule %q cannot be read: %w", key, err)
			}
			items[string(key)] = i
			return i.compile()
		})
	})
	if err != nil {
		return err
	}
	alarms := map[string]schedule.Alarm{}
	for key, i := range items {
		if i.Deleted {
			delete(items, key)
		} else if i.State == enabled {
			alarms[key] = i.alarm()
		}
	}
	s.items = items
	s.clock.Set(s.env.Now(), alarms)
	return nil
}

func (i *item) key() string { return i.GroupName + "/" + i.Name }

func (i *item) alarm() schedule.Alarm {
	a := schedule.Alarm{Schedule: i.parsed, Key: i.ScheduleExpression + " " + i.ScheduleExpressionTimezone}
	a.Start, a.End = moment(i.StartDate), moment(i.EndDate)
	a.Key += fmt.Sprint(a.Start, a.End)
	return a
}

func moment(seconds *float64) time.Time {
	if seconds == nil {
		return time.Time{}
	}
	return time.Unix(int64(*seconds), 0)
}

func (i *item) compile() (err error) {
	if i.parsed, err = schedule.Parse(i.ScheduleExpression, i.ScheduleExpressionTimezone); err != nil {
		return service.Errorf("ValidationException", "Invalid Schedule Expression %s. %v", i.ScheduleExpression, err)
	}
	return nil
}

// ofModel is a schedule of the application.
func (s *Service) ofModel(m *model.Schedule) *item {
	i := &item{
		Name: m.Name, GroupName: defaultGroup, ScheduleExpression: m.Expression, ScheduleExpressionTimezone: m.Timezone,
		Description: m.Description, State: enabled,
		Target: target{ARN: m.Target.ARN, Input: m.Target.Input},
	}
	i.ARN = s.arn(i)
	if !m.Enabled {
		i.State = disabled
	}
	for _, date := range []struct {
		text string
		to   **float64
	}{{m.Start, &i.StartDate}, {m.End, &i.EndDate}} {
		if t, err := time.Parse(time.RFC3339, date.text); err == nil {
			seconds := float64(t.Unix())
			*date.to = &seconds
		}
	}
	if m.Target.MessageGroupID != "" {
		i.Target.SQSParameters = &struct {
			MessageGroupID string `json:"MessageGroupId,omitempty"`
		}{m.Target.MessageGroupID}
	}
	if m.Target.DetailType != "" {
		i.Target.EventBridgeParameters = &struct{ DetailType, Source string }{m.Target.DetailType, m.Target.Source}
	}
	if m.Target.DeadLetterARN != "" {
		i.Target.DeadLetterConfig = &struct {
			ARN string `json:"Arn,omitempty"`
		}{m.Target.DeadLetterARN}
	}
	return i
}

func (s *Service) arn(i *item) string {
	return "arn:aws:scheduler:" + s.env.Region + ":" + s.env.AccountID + ":schedule/" + i.key()
}

// fire delivers what a schedule sends.
func (s *Service) fire(d schedule.Due) {
	s.mu.Lock()
	i := s.items[d.Name]
	s.mu.Unlock()
	if i == nil {
		return // removed in this moment
	}
	err := s.env.Store.Update(func(tx *store.Tx) error {
		s.deliver(tx, i, d.At)
		if i.parsed.Once() && i.ActionAfterCompletion == "DELETE" {
			tx.Delete(table, []byte(i.key()))
		}
		return nil
	})
	if err != nil {
		s.env.Logf("the schedule %s failed: %v", i.Name, err)
	}
}

func (s *Service) deliver(tx *store.Tx, i *item, at time.Time) {
	d := s.delivery(i, at)
	note := service.Note{What: service.Delivered, Source: i.ARN, Target: d.Target, Body: d.Body}
	err := s.env.Accept(tx, d)
	if err != nil {
		s.env.Logf("the schedule %s cannot deliver to %s: %v", i.Name, d.Target, err)
		note.What, note.Detail = service.Dropped, err.Error()
		if dead := i.Target.DeadLetterConfig; dead != nil && dead.ARN != "" {
			letter := &service.Delivery{Target: dead.ARN, Source: i.ARN, Body: d.Body, Attributes: map[string]service.Attribute{
				"ERROR_MESSAGE": {DataType: "String", Value: []byte(err.Error())},
				"SCHEDULE_ARN":  {DataType: "String", Value: []byte(i.ARN)},
				"TARGET_ARN":    {DataType: "String", Value: []byte(d.Target)},
			}}
			if err := s.env.Accept(tx, letter); err == nil {
				note.What, note.Target = service.DeadLettered, dead.ARN
			}
		}
	}
	s.env.Note(tx, note)
}

// delivery is what the target gets. A function without an input gets an event
// as Scheduler makes it.
func (s *Service) delivery(i *item, at time.Time) *service.Delivery {
	id := service.NewID()
	when := at.UTC().Format("2006-01-02T15:04:05Z")
	input := strings.NewReplacer(
		"<aws.scheduler.schedule-arn>", i.ARN, "<aws.scheduler.scheduled-time>", when,
		"<aws.scheduler.execution-id>", id, "<aws.scheduler.attempt-number>", "1",
	).Replace(i.Target.Input)
	d := &service.Delivery{Target: i.Target.ARN, Source: i.ARN, Body: []byte(cmp.Or(input, "{}"))}
	bus := i.Target.EventBridgeParameters
	switch {
	case i.Target.SQSParameters != nil:
		d.GroupID = i.Target.SQSParameters.MessageGroupID
	case i.Target.KinesisParameters != nil:
		d.GroupID = i.Target.KinesisParameters.PartitionKey
	case bus != nil || input == "":
		event := map[string]any{
			"version": "0", "id": id, "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": s.env.AccountID,
			"time": when, "region": s.env.Region, "resources": []string{i.ARN}, "detail": json.RawMessage("{}"),
		}
		if bus != nil {
			event["detail-type"], event["source"] = bus.DetailType, bus.Source
			if json.Valid(d.Body) {
				event["detail"] = json.RawMessage(d.Body)
			}
		} else {
			event["detail"] = "{}" // Scheduler's own event has a text here
		}
		if text, err := json.Marshal(event); err == nil {
			d.Body = text
		}
	}
	return d
}

// validName is what schedules are called.
var validName = lazyregexp.New(`^[0-9a-zA-Z-_.]{1,64}$`)

// Serve answers a request: /schedules, /schedules/NAME and /schedule-groups.
func (s *Service) Serve(w http.ResponseWriter, r *service.Request) {
	answer, err := s.answer(r)
	if err != nil {
		service.FailJSON(w, r, "", "", err)
		return
	}
	service.AnswerJSON(w, r, "", answer)
}

func (s *Service) answer(r *service.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/schedule-groups" && r.Method == http.MethodGet {
		return map[string]any{"ScheduleGroups": []any{map[string]string{"Name": defaultGroup, "State": "ACTIVE", "Arn": "arn:aws:scheduler:" + s.env.Region + ":" + s.env.AccountID + ":schedule-group/" + defaultGroup}}}, nil
	}
	if r.URL.Path == "/schedules" && r.Method == http.MethodGet {
		return s.list(r), nil
	}
	name, ok := strings.CutPrefix(r.URL.Path, "/schedules/")
	if !ok || !validName.MatchString(name) {
		return nil, service.Errorf("ValidationException", "the local Scheduler has no %s %s", r.Method, r.URL.Path)
	}
	group := cmp.Or(r.URL.Query().Get("groupName"), defaultGroup)
	switch r.Method {
	case http.MethodGet:
		return s.find(group, name)
	case http.MethodDelete:
		return s.remove(group, name)
	case http.MethodPost, http.MethodPut:
		return s.put(r, name)
	}
	return nil, service.Errorf("ValidationException", "the local Scheduler has no %s %s", r.Method, r.URL.Path)
}

func (s *Service) list(r *service.Request) any {
	q := r.URL.Query()
	all := []any{}
	for _, key := range slices.Sorted(maps.Keys(s.items)) {
		i := s.items[key]
		group := q.Get("ScheduleGroup")
		if strings.HasPrefix(i.Name, q.Get("NamePrefix")) && (group == "" || group == i.GroupName) {
			all = append(all, map[string]any{"Name": i.Name, "Arn": i.ARN, "GroupName": i.GroupName, "State": i.State, "Target": map[string]string{"Arn": i.Target.ARN}})
		}
	}
	return map[string]any{"Schedules": all}
}

func (s *Service) find(group, name string) (*item, error) {
	i := s.items[group+"/"+name]
	if i == nil {
		return nil, &service.Error{Code: "ResourceNotFoundException", Message: "Schedule " + name + " does not exist.", Status: http.StatusNotFound}
	}
	return i, nil
}

func (s *Service) remove(group, name string) (any, error) {
	i, err := s.find(group, name)
	if err != nil {
		return nil, err
	}
	gone := *i
	gone.Deleted = true
	return nil, s.write(&gone)
}

func (s *Service) put(r *service.Request, name string) (any, error) {
	i := &item{}
	if err := json.Unmarshal(r.Payload, i); err != nil {
		return nil, service.Errorf("ValidationException", "the request cannot be read: %v", err)
	}
	i.Name, i.Deleted = name, false
	i.GroupName, i.State = cmp.Or(i.GroupName, defaultGroup), cmp.Or(i.State, enabled)
	i.ARN = s.arn(i)
	_, there := s.find(i.GroupName, name)
	switch {
	case r.Method == http.MethodPost && there == nil:
		return nil, &service.Error{Code: "ConflictException", Message: "Schedule " + name + " already exists.", Status: http.StatusConflict}
	case r.Method == http.MethodPut && there != nil:
		return nil, there
	}
	if _, ok := service.ParseARN(i.Target.ARN); !ok {
		return nil, service.Errorf("ValidationException", "Provided Arn is not in correct format.")
	}
	if err := i.compile(); err != nil {
		return nil, err
	}
	return map[string]string{"ScheduleArn": i.ARN}, s.write(i)
}

// write stores a schedule. s.mu is held.
func (s *Service) write(i *item) error {
	text, err := json.Marshal(i)
	if err != nil {
		return err
	}
	err = s.env.Store.Update(func(tx *store.Tx) error {
		tx.Put(table, []byte(i.key()), text)
		return nil
	})
	if err != nil {
		return err
	}
	return s.read()
}
