package jsonapi

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

type order struct {
	Name  string `json:"name"`
	Lines []struct {
		Quantity int `json:"quantity"`
	} `json:"lines"`
}

func TestDecode(t *testing.T) {
	plain := `{"name":"a","lines":[{"quantity":2}]}`
	for name, request := range map[string]events.APIGatewayV2HTTPRequest{
		"plain":  {Body: plain},
		"typed":  {Body: plain + "\n", Headers: map[string]string{"content-type": "application/json; charset=utf-8"}},
		"base64": {Body: base64.StdEncoding.EncodeToString([]byte(plain)), IsBase64Encoded: true},
	} {
		t.Run(name, func(t *testing.T) {
			var got order
			if err := Decode(request, &got); err != nil {
				t.Fatal(err)
			}
			if got.Name != "a" || got.Lines[0].Quantity != 2 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestDecodeProblems(t *testing.T) {
	for name, c := range map[string]struct {
		request events.APIGatewayV2HTTPRequest
		status  int
		detail  string
	}{
		"empty":         {events.APIGatewayV2HTTPRequest{}, 400, "the body is empty"},
		"cut off":       {events.APIGatewayV2HTTPRequest{Body: `{"name":`}, 400, "the body is not JSON: it ends too early"},
		"not JSON":      {events.APIGatewayV2HTTPRequest{Body: `name=a`}, 400, "the body is not JSON: at byte 2"},
		"unknown field": {events.APIGatewayV2HTTPRequest{Body: `{"naming":"a"}`}, 400, `unknown field "naming"`},
		"wrong type":    {events.APIGatewayV2HTTPRequest{Body: `{"lines":[{"quantity":"2"}]}`}, 400, `the field "lines.quantity" can't be a string`},
		"fraction":      {events.APIGatewayV2HTTPRequest{Body: `{"lines":[{"quantity":1.5}]}`}, 400, `can't be a number 1.5`},
		"two values":    {events.APIGatewayV2HTTPRequest{Body: `{} {}`}, 400, "the body goes on after its JSON value"},
		"bad base64":    {events.APIGatewayV2HTTPRequest{Body: "*", IsBase64Encoded: true}, 400, "the body is not valid base64"},
		"a form":        {events.APIGatewayV2HTTPRequest{Body: `{}`, Headers: map[string]string{"content-type": "text/plain"}}, 415, "the body is text/plain: send application/json"},
		"too large":     {events.APIGatewayV2HTTPRequest{Body: strings.Repeat(" ", MaxBody+1)}, 413, "the body has 65537 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			var got order
			err := Decode(c.request, &got)
			var problem *Problem
			if !errors.As(err, &problem) || problem.Status != c.status || !strings.Contains(problem.Detail, c.detail) {
				t.Errorf("got %v, want %d with %q", err, c.status, c.detail)
			}
		})
	}
}

func TestRespond(t *testing.T) {
	got := Respond(201, map[string]string{"a": "<b>"})
	if got.StatusCode != http.StatusCreated || got.Body != `{"a":"<b>"}` || got.Headers["content-type"] != "application/json" {
		t.Errorf("got %+v", got)
	}
}

func TestFail(t *testing.T) {
	got, err := Fail(NewProblem(http.StatusNotFound, "there is no order %q", "x"))
	want := `{"status":404,"title":"Not Found","detail":"there is no order \"x\""}`
	if err != nil || got.StatusCode != http.StatusNotFound || got.Body != want || got.Headers["content-type"] != "application/problem+json" {
		t.Errorf("got %+v, %v", got, err)
	}
	broken := errors.New("no connection")
	if _, err := Fail(broken); !errors.Is(err, broken) {
		t.Errorf("got the error %v, want it handed on", err)
	}
}
