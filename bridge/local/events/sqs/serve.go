package sqs

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// namespace is the one of the query protocol's answers.
const namespace = "http://queue.amazonaws.com/doc/2012-11-05/"

// operation is one action of the API. It reads what it takes of either
// protocol, and answers with nil where there is nothing to say.
type operation func(s *Service, c *call) (answer, error)

// call is one request.
type call struct {
	context.Context
	payload []byte
	form    form
	query   bool
	// url is the queue of a query request that stands in the path.
	url string
}

var operations = map[string]operation{
	"AddPermission":                (*Service).permit,
	"RemovePermission":             (*Service).permit,
	"CreateQueue":                  (*Service).createQueue,
	"DeleteQueue":                  (*Service).deleteQueue,
	"PurgeQueue":                   (*Service).purgeQueue,
	"ListQueues":                   (*Service).listQueues,
	"GetQueueUrl":                  (*Service).getQueueURL,
	"GetQueueAttributes":           (*Service).getQueueAttributes,
	"SetQueueAttributes":           (*Service).setQueueAttributes,
	"ListQueueTags":                (*Service).listQueueTags,
	"TagQueue":                     (*Service).tagQueue,
	"UntagQueue":                   (*Service).untagQueue,
	"ListDeadLetterSourceQueues":   (*Service).listDeadLetterSourceQueues,
	"SendMessage":                  (*Service).sendMessage,
	"SendMessageBatch":             (*Service).sendMessageBatch,
	"ReceiveMessage":               (*Service).receiveMessage,
	"DeleteMessage":                (*Service).deleteMessage,
	"DeleteMessageBatch":           (*Service).deleteMessageBatch,
	"ChangeMessageVisibility":      (*Service).changeMessageVisibility,
	"ChangeMessageVisibilityBatch": (*Service).changeMessageVisibilityBatch,
	"StartMessageMoveTask":         (*Service).startMessageMoveTask,
	"CancelMessageMoveTask":        (*Service).cancelMessageMoveTask,
	"ListMessageMoveTasks":         (*Service).listMessageMoveTasks,
}

// Serve answers a request in the protocol that it came in.
func (s *Service) Serve(w http.ResponseWriter, r *service.Request) {
	c := &call{Context: r.Context(), payload: r.Payload, form: form{service.NewForm(r.Form)}, query: r.Query()}
	if c.query {
		if path := strings.Trim(r.URL.Path, "/"); path != "" && strings.Contains(path, "/") {
			c.url = r.URL.Path
		}
	}
	run, ok := operations[r.Operation]
	if !ok {
		s.fail(w, r, errorf("InvalidAction", "The action %s is not valid for this endpoint.", r.Operation))
		return
	}
	a, err := run(s, c)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if r.Query() {
		if a == nil {
			service.AnswerQuery(w, r, namespace, "")
			return
		}
		var x service.XML
		if a.xml(&x); x.String() == "" {
			service.AnswerEmptyQuery(w, r, namespace)
			return
		}
		service.AnswerQuery(w, r, namespace, x.String())
		return
	}
	switch a := a.(type) {
	case nil:
		service.AnswerBytes(w, r, "application/x-amz-json-1.0", nil)
	case messages:
		service.AnswerAppended(w, r, "application/x-amz-json-1.0", a.size(), a.appendJSON)
	default:
		service.AnswerJSON(w, r, "1.0", a)
	}
}

// size is about how long the JSON becomes.
func (a messages) size() int {
	n := 16
	for _, m := range a {
		n += 512 + len(m.Body)*5/4
	}
	return n
}

func (s *Service) fail(w http.ResponseWriter, r *service.Request, err error) {
	if r.Query() {
		service.FailQuery(w, r, namespace, err)
		return
	}
	service.FailJSON(w, r, "1.0", "com.amazonaws.sqs#", err)
}

// decodeJSON reads a request's JSON.
func (c *call) decodeJSON(in any) error {
	if len(bytes.TrimSpace(c.payload)) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.payload, in); err != nil {
		return errorf("SerializationException", "the request cannot be read: %v", err)
	}
	return nil
}

func (c *call) queueInput() (*queueInput, error) {
	if c.query {
		in := c.form.queueInput()
		in.QueueURL = c.queueURL(in.QueueURL)
		return in, nil
	}
	// CreateQueue has "tags" in older SDKs and "Tags" in newer ones, which
	// decoding takes for the same.
	in := &queueInput{}
	return in, c.decodeJSON(in)
}

// queueURL is the parameter, or the path of the request without it.
func (c *call) queueURL(parameter string) string {
	if parameter == "" {
		return c.url
	}
	return parameter
}

func (c *call) sendInput() (*sendInput, error) {
	if c.query {
		in := c.form.sendInput()
		in.QueueURL = c.queueURL(in.QueueURL)
		return in, nil
	}
	in := &sendInput{}
	return in, c.decodeJSON(in)
}

func (c *call) receiveInput() (*receiveInput, error) {
	if c.query {
		in := c.form.receiveInput()
		in.QueueURL = c.queueURL(in.QueueURL)
		return in, nil
	}
	in := &receiveInput{}
	return in, c.decodeJSON(in)
}

func (c *call) handleInput() (*handleInput, error) {
	if c.query {
		in := c.form.handleInput()
		in.QueueURL = c.queueURL(in.QueueURL)
		return in, nil
	}
	in := &handleInput{}
	return in, c.decodeJSON(in)
}
