package eventbridge

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// timeForm is how events write times.
const timeForm = "2006-01-02T15:04:05Z"

// event is an event in the order of its members.
type event struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`

	text []byte
}

// json is the event as text.
func (e *event) json() []byte {
	if e.text == nil {
		if e.Resources == nil {
			e.Resources = []string{}
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(e) // texts, and a detail that was read as JSON
		e.text = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	}
	return e.text
}

// plan is all that one event leads to.
type plan struct {
	bus        *bus
	event      *event
	deliveries []delivery
	filtered   []delivery
}

// delivery is an event on its way to a target.
type delivery struct {
	rule   *rule
	target *target
	// message is nil where err says why there is none, and for log groups.
	message *service.Delivery
	body    []byte
	err     error
}

// plan matches an event with the rules of a bus.
func (s *Service) plan(b *bus, e *event) *plan {
	p := &plan{bus: b, event: e}
	text := e.json()
	for _, r := range b.rules {
		switch {
		case r.State != enabled || r.pattern == nil:
		case r.pattern.Matches(text):
			s.planRule(p, r)
		default:
			for i := range r.Targets {
				p.filtered = append(p.filtered, delivery{rule: r, target: &r.Targets[i]})
			}
		}
	}
	return p
}

// planRule makes what each target of a rule gets.
func (s *Service) planRule(p *plan, r *rule) {
	for i := range r.Targets {
		d := delivery{rule: r, target: &r.Targets[i]}
		d.body, d.err = s.input(d.target, r, p.event)
		if arn, ok := service.ParseARN(d.target.ARN); d.err == nil && (!ok || arn.Service != "logs") {
			d.message = &service.Delivery{Target: d.target.ARN, Source: r.ARN, Body: d.body, GroupID: d.target.group(p.event)}
			s.env.Prepare(d.message)
		}
		p.deliveries = append(p.deliveries, d)
	}
}

// commit is the transaction that delivers to all targets.
func (p *plan) commit(s *Service) func(tx *store.Tx) error {
	return func(tx *store.Tx) error {
		note := service.Note{What: service.Published, Source: p.event.Source, Target: p.bus.arn, MessageID: p.event.ID, Detail: p.event.DetailType, Body: p.event.json()}
		if p.bus.absent {
			note.What, note.Detail = service.Dropped, "there is no such bus"
		}
		s.env.Note(tx, note)
		for i := range p.filtered {
			d := &p.filtered[i]
			s.env.Note(tx, service.Note{What: service.Filtered, Source: p.bus.arn, Target: d.target.ARN, MessageID: p.event.ID, Detail: d.rule.Name})
		}
		for i := range p.deliveries {
			s.deliver(tx, p, &p.deliveries[i])
		}
		return nil
	}
}

// deliver gives an event to a target, or else to its dead-letter queue.
func (s *Service) deliver(tx *store.Tx, p *plan, d *delivery) {
	err := d.err
	if err == nil {
		err = s.send(tx, d)
	}
	note := service.Note{What: service.Delivered, Source: p.bus.arn, Target: d.target.ARN, MessageID: p.event.ID, Detail: d.rule.Name, Body: d.body}
	if err != nil {
		note.What, note.Detail = service.Dropped, d.rule.Name+": "+err.Error()
		s.giveUp(tx, p, d, err, &note)
	}
	s.env.Note(tx, note)
}

func (s *Service) send(tx *store.Tx, d *delivery) error {
	if d.message != nil {
		return s.env.Accept(tx, d.message)
	}
	line := string(d.body)
	arn, _ := service.ParseARN(d.target.ARN)
	group := strings.TrimSuffix(strings.TrimPrefix(arn.Resource, "log-group:"), ":*")
	tx.AfterCommit(func() { s.env.Logf("%s: %s", group, line) })
	return nil
}

// group is the group of a FIFO queue, or the partition of a stream.
func (t *target) group(e *event) string {
	switch {
	case t.SQSParameters != nil:
		return t.SQSParameters.MessageGroupID
	case t.Kinesis != nil:
		if key, ok := lookUp(e.json(), t.Kinesis.PartitionKeyPath); ok {
			return plain(key)
		}
	case strings.Contains(t.ARN, ":kinesis:"):
		return e.ID
	}
	return ""
}

// giveUp sends the event to the target's dead-letter queue.
func (s *Service) giveUp(tx *store.Tx, p *plan, d *delivery, err error, note *service.Note) {
	s.complain(d, err)
	if d.target.DeadLetterConfig == nil || d.target.DeadLetterConfig.ARN == "" {
		return
	}
	text := func(s string) service.Attribute { return service.Attribute{DataType: "String", Value: []byte(s)} }
	code := "SDK_CLIENT_ERROR"
	known := &service.Error{}
	if errors.As(err, &known) {
		code = known.Code
	}
	dead := &service.Delivery{
		Target: d.target.DeadLetterConfig.ARN, Source: d.rule.ARN, Body: p.event.json(),
		Attributes: map[string]service.Attribute{
			"RULE_ARN": text(d.rule.ARN), "TARGET_ARN": text(d.target.ARN),
			"ERROR_CODE": text(code), "ERROR_MESSAGE": text(cmp.Or(err.Error(), code)),
			"RETRY_ATTEMPTS": {DataType: "Number", Value: []byte("0")},
		},
	}
	if err := s.env.Accept(tx, dead); err != nil {
		note.Detail += "; and its dead-letter queue: " + err.Error()
		return
	}
	note.What, note.Target = service.DeadLettered, dead.Target
}

// complain logs a failure once: the journal has each.
func (s *Service) complain(d *delivery, err error) {
	line := fmt.Sprintf("rule %s cannot deliver to %s: %v", d.rule.Name, d.target.ARN, err)
	if _, known := s.complaints.LoadOrStore(line, true); !known {
		s.env.Logf("%s; this is said once", line)
	}
}

// maxHops is how many buses an event goes through.
const maxHops = 8

// Accept takes an event for a bus: a JSON object with at least source,
// detail-type and detail.
func (s *Service) Accept(tx *store.Tx, d *service.Delivery) error {
	b := s.book.Load().buses[busName(d.Target)]
	if b == nil {
		return service.Errorf("ResourceNotFoundException", "Event bus %s does not exist.", busName(d.Target))
	}
	if s.hops >= maxHops {
		return service.Errorf("ValidationException", "the event went through %d buses already", s.hops)
	}
	e := &event{}
	if err := json.Unmarshal(d.Body, e); err != nil || e.Source == "" || e.DetailType == "" || !isObject(e.Detail) {
		return service.Errorf("ValidationException", "an event for %s needs source, detail-type and an object as detail", b.name)
	}
	e.Version = cmp.Or(e.Version, "0")
	e.ID = cmp.Or(e.ID, service.NewID())
	e.Account, e.Region = cmp.Or(e.Account, s.env.AccountID), cmp.Or(e.Region, s.env.Region)
	e.Time = cmp.Or(e.Time, s.env.Now().UTC().Format(timeForm))
	s.hops++
	defer func() { s.hops-- }()
	return s.plan(b, e).commit(s)(tx)
}

// isObject says whether a JSON text is an object.
func isObject(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return len(text) > 0 && text[0] == '{' && json.Valid(text)
}

// entry is an event as PutEvents takes it.
type entry struct {
	Time         *float64
	Source       string
	Resources    []string
	DetailType   string
	Detail       string
	EventBusName string
}

// size is what EventBridge counts:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
func (e *entry) size() int {
	n := len(e.Source) + len(e.DetailType) + len(e.Detail)
	if e.Time != nil {
		n += 14
	}
	for _, r := range e.Resources {
		n += len(r)
	}
	return n
}

// The quotas of PutEvents.
const (
	maxEntries = 10
	maxSize    = 1024 * 1024
)

// putEventsEntry is the result for one event.
type putEventsEntry struct {
	EventID      string `json:"EventId,omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

func (s *Service) putEvents(in *struct{ Entries []entry }) (any, error) {
	size := 0
	for i := range in.Entries {
		size += in.Entries[i].size()
	}
	switch {
	case len(in.Entries) == 0:
		return nil, service.Errorf("ValidationException", "1 validation error detected: Value '[]' at 'entries' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case len(in.Entries) > maxEntries:
		return nil, service.Errorf("ValidationException", "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length less than or equal to %d", maxEntries)
	case size > maxSize:
		return nil, service.Errorf("ValidationException", "Total size of the entries in the request is over the limit.")
	}
	results := make([]putEventsEntry, len(in.Entries))
	var plans []*plan
	failed := 0
	for i := range in.Entries {
		p, fault := s.readEntry(&in.Entries[i])
		if fault != nil {
			results[i] = putEventsEntry{ErrorCode: fault.Code, ErrorMessage: fault.Message}
			failed++
			continue
		}
		results[i].EventID = p.event.ID
		plans = append(plans, p)
	}
	err := s.env.Store.Update(func(tx *store.Tx) error {
		for _, p := range plans {
			if err := p.commit(s)(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"FailedEntryCount": failed, "Entries": results}, nil
}

// readEntry makes an event of an entry, and its plan.
func (s *Service) readEntry(in *entry) (*plan, *service.Error) {
	for _, required := range []struct{ name, value string }{{"Source", in.Source}, {"DetailType", in.DetailType}, {"Detail", in.Detail}} {
		if required.value == "" {
			return nil, service.Errorf("InvalidArgument", "Parameter %s is not valid. Reason: %s is a required argument.", required.name, required.name)
		}
	}
	switch {
	case strings.HasPrefix(in.Source, "aws."):
		return nil, service.Errorf("NotAuthorizedForSourceException", "Not authorized for the source.")
	case !isObject([]byte(in.Detail)):
		return nil, service.Errorf("MalformedDetail", "Detail is malformed.")
	}
	at := s.env.Now()
	if in.Time != nil {
		at = time.Unix(int64(*in.Time), 0)
	}
	e := &event{
		Version: "0", ID: service.NewID(), DetailType: in.DetailType, Source: in.Source, Account: s.env.AccountID,
		Time: at.UTC().Format(timeForm), Region: s.env.Region, Resources: in.Resources, Detail: json.RawMessage(in.Detail),
	}
	name := busName(in.EventBusName)
	b := s.book.Load().buses[name]
	if b == nil {
		s.env.Logf("an event of %s is for the bus %s, which is not there: it is dropped, as EventBridge does", in.Source, name)
		b = &bus{name: name, arn: s.busARN(name), absent: true}
	}
	return s.plan(b, e), nil
}
