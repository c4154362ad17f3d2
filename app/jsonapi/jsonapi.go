package jsonapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// MaxBody is the most bytes that a request may have, far below what API Gateway
// lets through.
const MaxBody = 64 << 10

// Problem is an error response (RFC 9457, "Problem Details for HTTP APIs").
type Problem struct {
	// Status is the HTTP status.
	Status int `json:"status"`
	// Title is the same for every problem of this kind, Detail is about this
	// one.
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
	// Errors are what is wrong in the request, if it is more than one thing.
	Errors any `json:"errors,omitempty"`
}

// Error implements error.
func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail) }

// NewProblem is a problem with the title of its status.
func NewProblem(status int, format string, args ...any) *Problem {
	return &Problem{Status: status, Title: http.StatusText(status), Detail: fmt.Sprintf(format, args...)}
}

// Decode reads the request's JSON body into v. The error is a [*Problem]. A
// field that v does not have is one: a client that misspells an optional field
// would otherwise never learn of it.
func Decode(request events.APIGatewayV2HTTPRequest, v any) error {
	if kind := request.Headers["content-type"]; kind != "" {
		if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/json" {
			return NewProblem(http.StatusUnsupportedMediaType, "the body is %s: send application/json", kind)
		}
	}
	body, err := bodyOf(request)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return NewProblem(http.StatusBadRequest, "%s", reason(err))
	}
	if _, err := decoder.Token(); err != io.EOF {
		return NewProblem(http.StatusBadRequest, "the body goes on after its JSON value")
	}
	return nil
}

func bodyOf(request events.APIGatewayV2HTTPRequest) ([]byte, error) {
	body := []byte(request.Body)
	if request.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(request.Body); err != nil {
			return nil, NewProblem(http.StatusBadRequest, "the body is not valid base64")
		}
	}
	if len(body) > MaxBody {
		return nil, NewProblem(http.StatusRequestEntityTooLarge, "the body has %d bytes: allowed are %d", len(body), MaxBody)
	}
	return body, nil
}

// reason says what a client can do about a decoding error, without the names of
// Go's types.
func reason(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return "the body is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the body is not JSON: it ends too early"
	case errors.As(err, &syntax):
		return fmt.Sprintf("the body is not JSON: at byte %d, %s", syntax.Offset, syntax)
	case errors.As(err, &kind):
		return fmt.Sprintf("the field %q can't be a %s", kind.Field, kind.Value)
	}
	return "the body is not what it should be: " + strings.TrimPrefix(err.Error(), "json: ")
}

// Respond is a response with v as its body.
func Respond(status int, v any) events.APIGatewayV2HTTPResponse {
	return respond(status, "application/json", v)
}

// Fail is the response for an error, if it is the client's: a [*Problem]. It
// hands any other on, which makes the invocation fail, where alarms see it.
func Fail(err error) (events.APIGatewayV2HTTPResponse, error) {
	var problem *Problem
	if !errors.As(err, &problem) {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return respond(problem.Status, "application/problem+json", problem), nil
}

func respond(status int, kind string, v any) events.APIGatewayV2HTTPResponse {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		// Only a type that JSON has no form for gets here.
		panic(err)
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"content-type": kind},
		Body:       string(bytes.TrimSuffix(body.Bytes(), []byte("\n"))),
	}
}
