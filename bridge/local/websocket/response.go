package websocket

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// response is what a function of an AWS_PROXY integration answers.
type response struct {
	status  int
	headers map[string]string
	body    []byte
}

// successful says that a connection may be made, or a message was handled.
func (r response) successful() bool { return r.status >= 200 && r.status < 300 }

// parseResponse reads a function's answer. It has the members of a REST API's:
// what is another object, or none, is malformed.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
func parseResponse(payload []byte) (response, error) {
	var raw struct {
		StatusCode        json.RawMessage            `json:"statusCode"`
		Headers           map[string]json.RawMessage `json:"headers"`
		MultiValueHeaders map[string][]string        `json:"multiValueHeaders"`
		Body              *string                    `json:"body"`
		IsBase64Encoded   bool                       `json:"isBase64Encoded"`
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if trimmed := bytes.TrimSpace(payload); !json.Valid(payload) || trimmed[0] != '{' {
		return response{}, errors.New("the answer is no object")
	}
	if err := d.Decode(&raw); err != nil {
		return response{}, fmt.Errorf("the answer is none of a proxy integration: %w", err)
	}
	status, err := statusOf(raw.StatusCode)
	if err != nil {
		return response{}, err
	}
	r := response{status: status, headers: map[string]string{}}
	for name, values := range raw.MultiValueHeaders {
		if len(values) > 0 {
			r.headers[name] = values[len(values)-1]
		}
	}
	for name, value := range raw.Headers {
		text, ok := scalar(value)
		if !ok {
			return response{}, fmt.Errorf("the header %s is no text", name)
		}
		r.headers[name] = text
	}
	if raw.Body == nil {
		return r, nil
	}
	if r.body = []byte(*raw.Body); raw.IsBase64Encoded {
		if r.body, err = base64.StdEncoding.DecodeString(*raw.Body); err != nil {
			return response{}, fmt.Errorf("the body is not the base64 that isBase64Encoded promises: %w", err)
		}
	}
	return r, nil
}

// statusOf is a status code, a number or the text of one; 200 where it is left
// out.
func statusOf(raw json.RawMessage) (int, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return 200, nil
	}
	text, _ := scalar(raw)
	status, err := strconv.Atoi(text)
	if err != nil || status < 100 || status > 599 {
		return 0, fmt.Errorf("the statusCode is %s: it must be a number from 100 to 599", raw)
	}
	return status, nil
}
