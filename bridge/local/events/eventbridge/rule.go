package eventbridge

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/filter"
	"github.com/bailey-cdk/bailey/bridge/local/events/scheduler/schedule"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// defaultBus is the bus that every account has.
const defaultBus = "default"

// target is a target as the API has it.
type target struct {
	ID               string            `json:"Id"`
	ARN              string            `json:"Arn"`
	RoleARN          string            `json:"RoleArn,omitempty"`
	Input            string            `json:",omitempty"`
	InputPath        string            `json:",omitempty"`
	InputTransformer *transformer      `json:",omitempty"`
	SQSParameters    *sqsParameters    `json:"SqsParameters,omitempty"`
	Kinesis          *kinesis          `json:"KinesisParameters,omitempty"`
	DeadLetterConfig *deadLetterConfig `json:",omitempty"`
	RetryPolicy      *retryPolicy      `json:",omitempty"`
}

type transformer struct {
	InputPathsMap map[string]string `json:",omitempty"`
	InputTemplate string
}

type sqsParameters struct {
	MessageGroupID string `json:"MessageGroupId,omitempty"`
}

type kinesis struct{ PartitionKeyPath string }

type deadLetterConfig struct {
	ARN string `json:"Arn,omitempty"`
}

type retryPolicy struct {
	MaximumRetryAttempts     *int `json:",omitempty"`
	MaximumEventAgeInSeconds *int `json:",omitempty"`
}

// The states of a rule.
const (
	enabled  = "ENABLED"
	disabled = "DISABLED"
)

// rule is a rule as it is stored.
type rule struct {
	Name               string
	ARN                string `json:"Arn"`
	EventBusName       string
	EventPattern       string `json:",omitempty"`
	ScheduleExpression string `json:",omitempty"`
	State              string
	Description        string   `json:",omitempty"`
	RoleARN            string   `json:"RoleArn,omitempty"`
	Targets            []target `json:",omitempty"`
	// Deleted hides a rule of the application.
	Deleted bool `json:",omitempty"`

	pattern  *filter.Pattern
	schedule *schedule.Schedule
}

// compile reads the pattern and the schedule.
func (r *rule) compile() error {
	var err error
	if r.EventPattern != "" {
		if r.pattern, err = filter.ParsePattern(r.EventPattern); err != nil {
			return service.Errorf("InvalidEventPatternException", "%v", err)
		}
	}
	if r.ScheduleExpression != "" {
		r.schedule, err = schedule.Parse(r.ScheduleExpression, "")
		if err != nil || r.schedule.Once() {
			return service.Errorf("ValidationException", "Parameter ScheduleExpression is not valid.")
		}
	}
	return nil
}

// book is all buses and rules at one time. It is never changed.
type book struct {
	buses map[string]*bus
}

type bus struct {
	name, arn string
	// made says that a request made it.
	made bool
	// absent says that the bus is not there.
	absent bool
	rules  []*rule // by name
}

func (b *bus) rule(name string) *rule {
	i, ok := slices.BinarySearchFunc(b.rules, name, func(r *rule, name string) int { return cmp.Compare(r.Name, name) })
	if !ok {
		return nil
	}
	return b.rules[i]
}

// The tables of the store.
const (
	ruleTable = "eventbridge/rules"
	busTable  = "eventbridge/buses"
)

func ruleKey(bus, name string) []byte { return []byte(bus + "\x00" + name) }

// read makes a book of the application and what is stored.
func (s *Service) read(app *model.Application) (*book, error) {
	buses := map[string]*bus{}
	add := func(name string, made bool) {
		if buses[name] == nil {
			buses[name] = &bus{name: name, arn: s.busARN(name), made: made}
		}
	}
	add(defaultBus, false)
	for _, b := range app.EventBuses {
		add(b.BusName, false)
	}
	rules := map[string]*rule{}
	for _, r := range app.Rules {
		add(r.BusName, false) // a bus of another stack, or one that is only imported
		made := s.ofModel(r)
		if err := made.compile(); err != nil {
			s.env.Logf("the rule %s is left out: %v", r.Path, err)
			continue
		}
		rules[string(ruleKey(made.EventBusName, made.Name))] = made
	}
	err := s.env.Store.View(func(tx *store.Tx) error {
		_ = tx.Scan(busTable, nil, func(key, _ []byte) error {
			add(string(key), true)
			return nil
		})
		return tx.Scan(ruleTable, nil, func(key, value []byte) error {
			made := &rule{}
			if err := json.Unmarshal(value, made); err != nil {
				return fmt.Errorf("the stored rule %q cannot be read: %w", key, err)
			}
			rules[string(key)] = made
			return made.compile()
		})
	})
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(rules)) {
		if r := rules[key]; !r.Deleted && buses[r.EventBusName] != nil {
			b := buses[r.EventBusName]
			b.rules = append(b.rules, r)
		}
	}
	return &book{buses}, nil
}

// ofModel is a rule of the application.
func (s *Service) ofModel(m *model.Rule) *rule {
	r := &rule{
		Name: cmp.Or(m.RuleName, m.Name), EventBusName: m.BusName, EventPattern: m.Pattern,
		ScheduleExpression: m.Expression, State: enabled, Description: m.Description,
	}
	r.ARN = s.ruleARN(r.EventBusName, r.Name)
	if !m.Enabled {
		r.State = disabled
	}
	for i, t := range m.Targets {
		made := target{ID: cmp.Or(t.ID, fmt.Sprintf("Target%d", i)), ARN: t.ARN, Input: t.Input, InputPath: t.InputPath}
		if t.InputTemplate != "" {
			made.InputTransformer = &transformer{t.InputPaths, t.InputTemplate}
		}
		if t.MessageGroupID != "" {
			made.SQSParameters = &sqsParameters{t.MessageGroupID}
		}
		if t.DeadLetterARN != "" {
			made.DeadLetterConfig = &deadLetterConfig{t.DeadLetterARN}
		}
		r.Targets = append(r.Targets, made)
	}
	return r
}

func (s *Service) busARN(name string) string {
	return "arn:aws:events:" + s.env.Region + ":" + s.env.AccountID + ":event-bus/" + name
}

func (s *Service) ruleARN(bus, name string) string {
	if bus != defaultBus {
		name = bus + "/" + name
	}
	return "arn:aws:events:" + s.env.Region + ":" + s.env.AccountID + ":rule/" + name
}

// busName is the name of a bus that a request names by its name or ARN.
func busName(text string) string {
	if i := strings.LastIndex(text, ":event-bus/"); i >= 0 {
		text = text[i+len(":event-bus/"):]
	}
	return cmp.Or(text, defaultBus)
}
