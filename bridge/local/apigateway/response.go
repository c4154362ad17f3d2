package apigateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// response is what a function returned, as a response.
type response struct {
	status  int
	headers http.Header // by canonical names
	cookies []string
	body    []byte
	encoded bool // body is base64
}

// respond answers with what the function returned.
func (x *exchange) respond(payload []byte) {
	var res *response
	var err error
	if x.api.Protocol != model.REST && x.match.route.PayloadFormatVersion != payload1 {
		res, err = response2(payload, x.api.Protocol)
	} else {
		res, err = response1(payload, x.api.Protocol)
	}
	if err != nil {
		x.fail(x.rules.malformed, "the function's response is malformed: "+err.Error())
		return
	}
	body := res.body
	if res.encoded && x.binaryResponse() {
		if body, err = decodeBase64(body); err != nil {
			failure := x.rules.malformed
			if x.api.Protocol == model.REST {
				failure = x.rules.notInvoked // API_CONFIGURATION_ERROR
			}
			x.fail(failure, "isBase64Encoded is true, and the body is no base64")
			return
		}
	}
	x.writeHeaders(res)
	x.send(res.status, body)
}

// binaryResponse reports whether a body in base64 is decoded. A REST API does
// that where the client asks for a binary type first.
func (x *exchange) binaryResponse() bool {
	if x.api.Protocol != model.REST {
		return true
	}
	accept, _, _ := strings.Cut(x.r.Header.Get("Accept"), ",")
	return matchesMediaType(x.api.BinaryMediaTypes, orElse(strings.TrimSpace(accept), "application/json"))
}

func decodeBase64(text []byte) ([]byte, error) {
	text = bytes.Map(func(r rune) rune {
		switch r {
		case '\r', '\n':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return r
	}, text)
	text = bytes.TrimRight(text, "=")
	decoded := make([]byte, base64.RawStdEncoding.DecodedLen(len(text)))
	n, err := base64.RawStdEncoding.Decode(decoded, text)
	return decoded[:n], err
}

// writeHeaders puts the response's headers into the answer.
func (x *exchange) writeHeaders(res *response) {
	h := x.w.Header()
	for name, values := range res.headers {
		if target := x.responseHeader(name); target != "" {
			h[target] = append(h[target], values...)
		}
	}
	for _, cookie := range res.cookies {
		h.Add("Set-Cookie", cookie)
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", x.rules.contentType)
	}
	x.id.set(h)
	if x.api.Protocol == model.REST && x.id.trace != "" {
		h.Set("X-Amzn-Trace-Id", x.id.trace)
	}
	x.corsHeaders(h)
}

// responseHeader is what a header of the function's response is called in the
// answer, "" where it is not passed on. See the table of
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
func (x *exchange) responseHeader(name string) string {
	switch name {
	case "Transfer-Encoding", "Expect", "Proxy-Authenticate", "Te", "Trailer", "Upgrade", "Keep-Alive", "Content-Length", "Host":
		return ""
	case "Connection":
		if x.api.Protocol != model.REST {
			return ""
		}
	}
	if x.api.Protocol != model.REST {
		return name
	}
	switch name {
	case "Authorization", "Connection", "Content-Md5", "Date", "Max-Forwards", "Server", "User-Agent", "Www-Authenticate":
		return "X-Amzn-Remapped-" + name
	}
	return name
}

// response2 reads a response in format 2.0:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
//
// What is no object with a statusCode is the body of a 200. An HTTP API sends a
// JSON string without its quotes (the page's example, and what is seen on AWS);
// a function URL sends it as it is
// (https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html).
func response2(payload []byte, protocol model.Protocol) (*response, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(payload, &fields); err != nil || fields["statusCode"] == nil {
		return inferred(payload, protocol), nil
	}
	return readResponse(fields, payload2)
}

func inferred(payload []byte, protocol model.Protocol) *response {
	body := payload
	var text string
	if protocol == model.HTTP && json.Unmarshal(payload, &text) == nil && !bytes.Equal(bytes.TrimSpace(payload), []byte("null")) {
		body = []byte(text)
	}
	return &response{status: http.StatusOK, headers: http.Header{"Content-Type": {"application/json"}}, body: body}
}

// restFields are the fields that a REST API's response may have.
var restFields = []string{"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}

// response1 reads a response of a REST API, or in format 1.0:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
func response1(payload []byte, protocol model.Protocol) (*response, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(payload, &fields); err != nil || fields == nil {
		return nil, errors.New("it is no JSON object")
	}
	if protocol == model.REST {
		for _, name := range sortedKeys(fields) {
			if !contains(restFields, name) {
				return nil, fmt.Errorf("a REST API takes no field %q; there are %s", name, strings.Join(restFields, ", "))
			}
		}
	}
	if fields["statusCode"] == nil {
		return nil, errors.New("it has no statusCode")
	}
	return readResponse(fields, payload1)
}

// readResponse reads the fields that both formats share, and the cookies of
// 2.0 and the multiValueHeaders of 1.0.
func readResponse(fields map[string]json.RawMessage, format string) (*response, error) {
	res := &response{headers: http.Header{}}
	var err error
	if res.status, err = statusCode(fields["statusCode"]); err != nil {
		return nil, err
	}
	if res.encoded, err = boolean(fields["isBase64Encoded"]); err != nil {
		return nil, err
	}
	body, _, err := scalar(fields["body"])
	if err != nil {
		return nil, fmt.Errorf("its body is %w", err)
	}
	res.body = []byte(body)
	if format == payload2 {
		if raw := fields["cookies"]; raw != nil {
			if err := json.Unmarshal(raw, &res.cookies); err != nil {
				return nil, errors.New("its cookies are no list of texts")
			}
		}
	} else if err := res.multiValueHeaders(fields["multiValueHeaders"]); err != nil {
		return nil, err
	}
	if err := res.singleHeaders(fields["headers"]); err != nil {
		return nil, err
	}
	return res, res.check()
}

// statusCode reads a number, or a number in a text.
func statusCode(raw json.RawMessage) (int, error) {
	if text, _, err := scalar(raw); err == nil {
		if code, err := strconv.Atoi(text); err == nil && code >= 200 && code <= 599 {
			return code, nil
		}
	}
	return 0, fmt.Errorf("its statusCode is %s, no whole number from 200 to 599", raw)
}

func boolean(raw json.RawMessage) (bool, error) {
	text, ok, err := scalar(raw)
	switch {
	case err == nil && (!ok || text == "" || strings.EqualFold(text, "false")):
		return false, nil
	case err == nil && strings.EqualFold(text, "true"):
		return true, nil
	}
	return false, errors.New("its isBase64Encoded is no boolean")
}

// scalar is the text of a JSON text, number or boolean; ok is false for null
// and for nothing.
func scalar(raw json.RawMessage) (text string, ok bool, err error) {
	trimmed := bytes.TrimSpace(raw)
	switch {
	case len(trimmed) == 0 || bytes.Equal(trimmed, []byte("null")):
		return "", false, nil
	case trimmed[0] == '"':
		err = json.Unmarshal(trimmed, &text)
		return text, true, err
	case trimmed[0] == '{':
		return "", false, errors.New("an object, no text")
	case trimmed[0] == '[':
		return "", false, errors.New("a list, no text")
	}
	return string(trimmed), true, nil
}

// multiValueHeaders adds what it has; singleHeaders adds to it what it does
// not have already, name by name and value by value.
func (res *response) multiValueHeaders(raw json.RawMessage) error {
	var all map[string][]json.RawMessage
	if raw == nil {
		return nil
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return errors.New("its multiValueHeaders are no lists by name")
	}
	for _, name := range sortedKeys(all) {
		for _, value := range all[name] {
			text, ok, err := scalar(value)
			if err != nil {
				return fmt.Errorf("its header %q is %w", name, err)
			}
			if ok {
				res.headers.Add(name, text)
			}
		}
	}
	return nil
}

func (res *response) singleHeaders(raw json.RawMessage) error {
	var all map[string]json.RawMessage
	if raw == nil {
		return nil
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return errors.New("its headers are no texts by name")
	}
	for _, name := range sortedKeys(all) {
		text, ok, err := scalar(all[name])
		if err != nil {
			return fmt.Errorf("its header %q is %w", name, err)
		}
		if ok && !contains(res.headers.Values(name), text) {
			res.headers.Add(name, text)
		}
	}
	return nil
}

// check holds names and values to what HTTP can carry.
func (res *response) check() error {
	for name, values := range res.headers {
		if !validHeaderName(name) {
			return fmt.Errorf("%q is no name of a header", name)
		}
		for _, value := range values {
			if strings.ContainsAny(value, "\r\n\x00") {
				return fmt.Errorf("the value of its header %q has a line break", name)
			}
		}
	}
	for _, cookie := range res.cookies {
		if strings.ContainsAny(cookie, "\r\n\x00") {
			return errors.New("one of its cookies has a line break")
		}
	}
	return nil
}

// validHeaderName reports whether name is a token of RFC 9110.
func validHeaderName(name string) bool {
	for _, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return name != ""
}

// jsonMessage is {"message": text}.
func jsonMessage(text string) string {
	body, _ := json.Marshal(map[string]string{"message": text}) // a text always encodes
	return string(body)
}
