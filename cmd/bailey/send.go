package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge/local/events/client"
)

// message is the flags of a command that sends one message.
type message struct {
	eventCommand
	file       string
	attributes []string
	subject    string
	group      string
	dedup      string
	delay      time.Duration
}

func (m *message) flags(c *cobra.Command) {
	m.eventCommand.flags(c)
	f := c.Flags()
	f.StringVarP(&m.file, "event", "e", "", `file with the message, "-" for standard input`)
	f.StringArrayVarP(&m.attributes, "attribute", "a", nil, "message attribute: NAME=VALUE, or NAME:Number=VALUE")
	f.StringVar(&m.group, "group-id", "", "message group, for FIFO")
	f.StringVar(&m.dedup, "deduplication-id", "", "deduplication id, for FIFO")
}

// message is the message that the flags and arguments make.
func (m *message) message(args []string) (*client.Message, error) {
	body, err := readMessage(args, m.file)
	if err != nil {
		return nil, err
	}
	made := &client.Message{Body: string(body), Subject: m.subject, GroupID: m.group, DeduplicationID: m.dedup, Delay: m.delay, Attributes: map[string]client.Attribute{}}
	for _, text := range m.attributes {
		name, attribute, err := client.ParseAttribute(text)
		if err != nil {
			return nil, err
		}
		made.Attributes[name] = attribute
	}
	return made, nil
}

const sendHelp = `

The message is the argument, what is in the file of --event, or what comes from
standard input. Where neither bailey dev nor start-events runs in this folder,
the message is kept in .bailey until one of them does.`

func newPublish() *cobra.Command {
	var m message
	c := &cobra.Command{
		Use:   "publish TOPIC [MESSAGE]",
		Short: "Publish a message to a topic",
		Long: `Publish a message to an SNS topic of the local event plane. TOPIC is its construct
id, its construct path, its logical id, its name or its ARN.` + sendHelp,
		Example: `  bailey local publish OrderPlaced '{"id": 1, "amount": 120}' -a amount:Number=120
  bailey local publish OrderPlaced -e events/order.json`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error { return m.publish(c.Context(), args) },
	}
	m.flags(c)
	c.Flags().StringVar(&m.subject, "subject", "", "the message's subject")
	return c
}

func (m *message) publish(ctx context.Context, args []string) error {
	sent, err := m.message(args[1:])
	if err != nil {
		return cannotRun(err)
	}
	app, err := m.load(ctx)
	if err != nil {
		return cannotRun(err)
	}
	topic, err := app.Topic(args[0])
	if err != nil {
		return cannotRun(err)
	}
	plane, end, err := m.connect(app)
	if err != nil {
		return cannotRun(err)
	}
	defer end()
	result, err := plane.Publish(ctx, topic.ARN, sent)
	if err != nil {
		return failed(err)
	}
	return m.print(result, result.MessageID)
}

func newSend() *cobra.Command {
	var m message
	c := &cobra.Command{
		Use:   "send QUEUE [MESSAGE]",
		Short: "Send a message to a queue",
		Long: `Send a message to an SQS queue of the local event plane. QUEUE is its construct id,
its construct path, its logical id, its name, its URL or its ARN.` + sendHelp,
		Example: `  bailey local send Orders '{"id": 1}'
  echo '{"id": 1}' | bailey local send Orders --delay 30s`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error { return m.send(c.Context(), args) },
	}
	m.flags(c)
	c.Flags().DurationVar(&m.delay, "delay", 0, "how long the message is held back, up to 15 minutes")
	return c
}

func (m *message) send(ctx context.Context, args []string) error {
	sent, err := m.message(args[1:])
	if err != nil {
		return cannotRun(err)
	}
	app, err := m.load(ctx)
	if err != nil {
		return cannotRun(err)
	}
	queue, err := app.Queue(args[0])
	if err != nil {
		return cannotRun(err)
	}
	plane, end, err := m.connect(app)
	if err != nil {
		return cannotRun(err)
	}
	defer end()
	result, err := plane.Send(ctx, queue.URL, sent)
	if err != nil {
		return failed(err)
	}
	return m.print(result, result.MessageID)
}

// put is what bailey local put-event was asked for.
type put struct {
	eventCommand
	file       string
	source     string
	detailType string
	resources  []string
	time       string
}

func newPutEvent() *cobra.Command {
	var p put
	c := &cobra.Command{
		Use:   "put-event BUS [DETAIL]",
		Short: "Put an event on an event bus",
		Long: `Put an event on an EventBridge bus of the local event plane. BUS is "default", or
its construct id, its construct path, its logical id, its name or its ARN.

What is given is the event's detail, with --source and --detail-type, or a whole
event with "source", "detail-type" and "detail", or an entry of PutEvents, or a
list of these.` + sendHelp,
		Example: `  bailey local put-event default '{"id": 1}' --source shop --detail-type OrderPlaced
  bailey local put-event Bus -e events/order-placed.json`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error { return p.run(c.Context(), args) },
	}
	p.flags(c)
	f := c.Flags()
	f.StringVarP(&p.file, "event", "e", "", `file with the event, "-" for standard input`)
	f.StringVar(&p.source, "source", "", "the event's source")
	f.StringVar(&p.detailType, "detail-type", "", "the event's detail type")
	f.StringArrayVar(&p.resources, "resource", nil, "ARN that the event is about")
	f.StringVar(&p.time, "time", "", "the event's time in RFC 3339 (default: now)")
	return c
}

func (p *put) run(ctx context.Context, args []string) error {
	text, err := readMessage(args[1:], p.file)
	if err != nil {
		return cannotRun(err)
	}
	app, err := p.load(ctx)
	if err != nil {
		return cannotRun(err)
	}
	bus := "default"
	if args[0] != bus {
		found, err := app.EventBus(args[0])
		if err != nil {
			return cannotRun(err)
		}
		bus = found.BusName
	}
	all, err := p.events(text, bus)
	if err != nil {
		return cannotRun(err)
	}
	plane, end, err := p.connect(app)
	if err != nil {
		return cannotRun(err)
	}
	defer end()
	ids, err := plane.PutEvents(ctx, all)
	if err != nil {
		return failed(err)
	}
	return p.print(map[string][]string{"eventIds": ids}, strings.Join(ids, "\n"))
}

// written is an event in either of its forms: as a rule's target gets it, or as
// PutEvents takes it. encoding/json does not tell "source" from "Source".
type written struct {
	Source     string          `json:"source"`
	DetailType string          `json:"DetailType"`
	Hyphenated string          `json:"detail-type"`
	Detail     json.RawMessage `json:"detail"`
	Resources  []string        `json:"resources"`
	Time       string          `json:"time"`
}

// events reads what was given. The flags win.
func (p *put) events(text []byte, bus string) ([]client.Event, error) {
	text = bytes.TrimSpace(text)
	var all []written
	switch {
	case len(text) > 0 && text[0] == '[':
		if err := json.Unmarshal(text, &all); err != nil {
			return nil, fmt.Errorf("the events: %w", err)
		}
	case len(text) > 0 && text[0] == '{':
		var one written
		if err := json.Unmarshal(text, &one); err != nil {
			return nil, fmt.Errorf("the event: %w", err)
		}
		if one.Detail == nil || one.Source == "" && one.DetailType+one.Hyphenated == "" {
			one = written{Detail: text}
		}
		all = []written{one}
	default:
		return nil, errors.New("the event is no JSON object")
	}
	made := make([]client.Event, len(all))
	for i, w := range all {
		e, err := p.event(w, bus)
		if err != nil {
			return nil, err
		}
		made[i] = e
	}
	return made, nil
}

func (p *put) event(w written, bus string) (client.Event, error) {
	e := client.Event{EventBusName: bus, Source: w.Source, DetailType: w.DetailType + w.Hyphenated, Detail: string(w.Detail), Resources: w.Resources, Time: w.Time}
	var quoted string
	if json.Unmarshal(w.Detail, &quoted) == nil { // an entry of PutEvents has the detail as a text
		e.Detail = quoted
	}
	if p.source != "" {
		e.Source = p.source
	}
	if p.detailType != "" {
		e.DetailType = p.detailType
	}
	if p.time != "" {
		e.Time = p.time
	}
	e.Resources = append(e.Resources, p.resources...)
	if e.Source == "" || e.DetailType == "" {
		return e, errors.New("the event has no source or no detail type: give --source and --detail-type, or a whole event")
	}
	return e, nil
}
