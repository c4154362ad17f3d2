package eventbridge

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/filter"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/internal/lazyregexp"
)

// operations are the requests that are answered, by their names.
var operations = map[string]func(s *Service, payload []byte) (any, error){
	"PutEvents":             service.Operation((*Service).putEvents),
	"TestEventPattern":      service.Operation((*Service).testEventPattern),
	"PutRule":               service.Operation((*Service).putRule),
	"DescribeRule":          service.Operation((*Service).describeRule),
	"ListRules":             service.Operation((*Service).listRules),
	"DeleteRule":            service.Operation((*Service).deleteRule),
	"EnableRule":            service.Operation((*Service).enableRule),
	"DisableRule":           service.Operation((*Service).disableRule),
	"ListRuleNamesByTarget": service.Operation((*Service).listRuleNamesByTarget),
	"PutTargets":            service.Operation((*Service).putTargets),
	"RemoveTargets":         service.Operation((*Service).removeTargets),
	"ListTargetsByRule":     service.Operation((*Service).listTargetsByRule),
	"CreateEventBus":        service.Operation((*Service).createEventBus),
	"DescribeEventBus":      service.Operation((*Service).describeEventBus),
	"ListEventBuses":        service.Operation((*Service).listEventBuses),
	"DeleteEventBus":        service.Operation((*Service).deleteEventBus),
	"TagResource":           service.Operation((*Service).nothing),
	"UntagResource":         service.Operation((*Service).nothing),
	"ListTagsForResource":   service.Operation((*Service).noTags),
}

func (s *Service) nothing(*struct{}) (any, error) { return struct{}{}, nil }
func (s *Service) noTags(*struct{}) (any, error)  { return map[string]any{"Tags": []any{}}, nil }

func (s *Service) testEventPattern(in *struct{ EventPattern, Event string }) (any, error) {
	p, err := filter.ParsePattern(in.EventPattern)
	if err != nil {
		return nil, service.Errorf("InvalidEventPatternException", "%v", err)
	}
	if !isObject([]byte(in.Event)) {
		return nil, service.Errorf("ValidationException", "Parameter Event is not valid.")
	}
	return map[string]bool{"Result": p.Matches([]byte(in.Event))}, nil
}

// ruleName names a rule in a request.
type ruleName struct {
	Name, EventBusName string
	Rule               string // the name in requests about targets
	Force              bool
}

// find is a rule that must be there.
func (s *Service) find(busText, name string) (*rule, error) {
	b, err := s.findBus(busText)
	if err != nil {
		return nil, err
	}
	r := b.rule(name)
	if r == nil {
		return nil, service.Errorf("ResourceNotFoundException", "Rule %s does not exist on EventBus %s.", name, b.name)
	}
	return r, nil
}

func (s *Service) findBus(text string) (*bus, error) {
	b := s.book.Load().buses[busName(text)]
	if b == nil {
		return nil, service.Errorf("ResourceNotFoundException", "Event bus %s does not exist.", busName(text))
	}
	return b, nil
}

// change stores another state of a rule.
func (s *Service) change(r *rule) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.write(func(tx *store.Tx) { tx.Put(ruleTable, ruleKey(r.EventBusName, r.Name), text) })
}

// write changes the store, and reads the book again. s.mu is held.
func (s *Service) write(fn func(tx *store.Tx)) error {
	err := s.env.Store.Update(func(tx *store.Tx) error {
		fn(tx)
		return nil
	})
	if err != nil {
		return err
	}
	b, err := s.read(s.app)
	if err == nil {
		s.take(b)
	}
	return err
}

// validName is what rules, targets and buses are called.
var validName = lazyregexp.New(`^[.\-_A-Za-z0-9]{1,256}$`)

func (s *Service) putRule(in *struct {
	Name, EventBusName, EventPattern, ScheduleExpression, State, Description string
	RoleARN                                                                  string `json:"RoleArn"`
},
) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.findBus(in.EventBusName)
	switch {
	case err != nil:
		return nil, err
	case !validName.MatchString(in.Name) || len(in.Name) > 64:
		return nil, service.Errorf("ValidationException", "1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", in.Name)
	case in.EventPattern == "" && in.ScheduleExpression == "":
		return nil, service.Errorf("ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case in.ScheduleExpression != "" && b.name != defaultBus:
		return nil, service.Errorf("ValidationException", "ScheduleExpression is supported only on the default event bus.")
	}
	made := &rule{
		Name: in.Name, ARN: s.ruleARN(b.name, in.Name), EventBusName: b.name, EventPattern: in.EventPattern,
		ScheduleExpression: in.ScheduleExpression, State: enabled, Description: in.Description, RoleARN: in.RoleARN,
	}
	if in.State != "" {
		made.State = in.State
	}
	if old := b.rule(in.Name); old != nil {
		made.Targets = old.Targets
	}
	if err := made.compile(); err != nil {
		return nil, err
	}
	return map[string]string{"RuleArn": made.ARN}, s.change(made)
}

// shown is a rule as answers have it.
func (r *rule) shown() map[string]any {
	all := map[string]any{"Name": r.Name, "Arn": r.ARN, "EventBusName": r.EventBusName, "State": r.State}
	for name, value := range map[string]string{
		"EventPattern": r.EventPattern, "ScheduleExpression": r.ScheduleExpression, "Description": r.Description, "RoleArn": r.RoleARN,
	} {
		if value != "" {
			all[name] = value
		}
	}
	return all
}

func (s *Service) describeRule(in *ruleName) (any, error) {
	r, err := s.find(in.EventBusName, in.Name)
	if err != nil {
		return nil, err
	}
	return r.shown(), nil
}

func (s *Service) listRules(in *struct{ EventBusName, NamePrefix string }) (any, error) {
	b, err := s.findBus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	rules := []any{}
	for _, r := range b.rules {
		if strings.HasPrefix(r.Name, in.NamePrefix) {
			rules = append(rules, r.shown())
		}
	}
	return map[string]any{"Rules": rules}, nil
}

func (s *Service) deleteRule(in *ruleName) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.findBus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	r := b.rule(in.Name)
	switch {
	case r == nil:
		return nil, nil
	case len(r.Targets) > 0:
		return nil, service.Errorf("ValidationException", "Rule can't be deleted since it has targets.")
	}
	gone := *r
	gone.Deleted = true
	return nil, s.change(&gone)
}

func (s *Service) enableRule(in *ruleName) (any, error)  { return s.setState(in, enabled) }
func (s *Service) disableRule(in *ruleName) (any, error) { return s.setState(in, disabled) }

func (s *Service) setState(in *ruleName, state string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(in.EventBusName, in.Name)
	if err != nil {
		return nil, err
	}
	changed := *r
	changed.State = state
	return nil, s.change(&changed)
}

func (s *Service) listRuleNamesByTarget(in *struct{ TargetArn, EventBusName string }) (any, error) {
	b, err := s.findBus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, r := range b.rules {
		if slices.ContainsFunc(r.Targets, func(t target) bool { return t.ARN == in.TargetArn }) {
			names = append(names, r.Name)
		}
	}
	return map[string]any{"RuleNames": names}, nil
}

// maxTargets is how many targets a rule has.
const maxTargets = 5

func (s *Service) putTargets(in *struct {
	Rule, EventBusName string
	Targets            []target
},
) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	changed := *r
	changed.Targets = slices.Clone(r.Targets)
	for i, t := range in.Targets {
		if !validName.MatchString(t.ID) || len(t.ID) > 64 {
			return nil, service.Errorf("ValidationException", "1 validation error detected: Value '%s' at 'targets.%d.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", t.ID, i+1)
		}
		if _, ok := service.ParseARN(t.ARN); !ok {
			return nil, service.Errorf("ValidationException", "Parameter %s is not valid. Reason: Provided Arn is not in correct format.", t.ARN)
		}
		if err := t.check(); err != nil {
			return nil, err
		}
		at := slices.IndexFunc(changed.Targets, func(old target) bool { return old.ID == t.ID })
		if at < 0 {
			changed.Targets = append(changed.Targets, t)
			continue
		}
		changed.Targets[at] = t
	}
	if len(changed.Targets) > maxTargets {
		return nil, service.Errorf("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
	}
	return noFailures(), s.change(&changed)
}

func noFailures() any { return map[string]any{"FailedEntryCount": 0, "FailedEntries": []any{}} }

func (s *Service) removeTargets(in *struct {
	Rule, EventBusName string
	IDs                []string `json:"Ids"`
},
) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	changed := *r
	changed.Targets = nil
	for _, t := range r.Targets {
		if !slices.Contains(in.IDs, t.ID) {
			changed.Targets = append(changed.Targets, t)
		}
	}
	return noFailures(), s.change(&changed)
}

func (s *Service) listTargetsByRule(in *ruleName) (any, error) {
	r, err := s.find(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Targets": append([]target{}, r.Targets...)}, nil
}

func (b *bus) shown() map[string]string { return map[string]string{"Name": b.name, "Arn": b.arn} }

func (s *Service) createEventBus(in *ruleName) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !validName.MatchString(strings.ReplaceAll(in.Name, "/", "-")) {
		return nil, service.Errorf("ValidationException", "1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [/\\.\\-_A-Za-z0-9]+", in.Name)
	}
	if s.book.Load().buses[in.Name] != nil {
		return nil, service.Errorf("ResourceAlreadyExistsException", "Event bus %s already exists.", in.Name)
	}
	return map[string]string{"EventBusArn": s.busARN(in.Name)}, s.write(func(tx *store.Tx) { tx.Put(busTable, []byte(in.Name), []byte{}) })
}

func (s *Service) describeEventBus(in *ruleName) (any, error) {
	b, err := s.findBus(in.Name)
	if err != nil {
		return nil, err
	}
	return b.shown(), nil
}

func (s *Service) listEventBuses(in *struct{ NamePrefix string }) (any, error) {
	all := []any{}
	buses := s.book.Load().buses
	for _, name := range slices.Sorted(maps.Keys(buses)) {
		if strings.HasPrefix(name, in.NamePrefix) {
			all = append(all, buses[name].shown())
		}
	}
	return map[string]any{"EventBuses": all}, nil
}

func (s *Service) deleteEventBus(in *ruleName) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.book.Load().buses[in.Name]
	switch {
	case in.Name == defaultBus:
		return nil, service.Errorf("ValidationException", "Cannot delete event bus default.")
	case b == nil:
		return nil, nil
	case len(b.rules) > 0:
		return nil, service.Errorf("ValidationException", "Event bus can't be deleted since it has rules.")
	case !b.made:
		return nil, service.Errorf("ValidationException", "Event bus %s is the application's, and cannot be deleted locally.", in.Name)
	}
	return nil, s.write(func(tx *store.Tx) { tx.Delete(busTable, []byte(in.Name)) })
}
