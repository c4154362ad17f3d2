package apigateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// preludeType is the content type of a streamed response that begins with its
// status and headers, as JSON text, and eight NUL bytes:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
const preludeType = "application/vnd.awslambda.http-integration-response"

var preludeEnd = make([]byte, 8)

const (
	// maxPrelude is within how many bytes the prelude must end.
	maxPrelude = 16 << 10
	// writeTimeout is how long a client may leave a piece of a streamed
	// response unread, before it is given up.
	writeTimeout = time.Minute
)

// streams reports whether the response goes to the client as it comes.
func (x *exchange) streams() bool {
	return x.api.Protocol == model.FunctionURL && x.api.ResponseStream || x.api.Protocol == model.REST && x.match.route.ResponseStream
}

// stream runs the function and answers with what it streams. A function that
// gives its response as a whole is answered as without streaming.
func (x *exchange) stream(ctx context.Context, payload []byte) {
	s := &responseStream{exchange: x}
	defer func() { _ = http.NewResponseController(x.w).SetWriteDeadline(time.Time{}) }() // the connection serves others
	result, err := x.call(ctx, local.Invocation{Payload: payload, Stream: s.open})
	switch {
	case s.failure != nil:
		x.fail(x.rules.malformed, "the function's streamed response is malformed: "+s.failure.Error())
	case s.begun && (err != nil || result.FunctionError != ""):
		// The status has gone to the client: what is left is to end the
		// response without its proper end.
		x.remark, x.abort = "the function failed while it streamed", true
	case err != nil:
		x.refused(ctx, err)
	case result.FunctionError != "":
		x.fail(x.rules.functionFailed, "the function failed")
	case !result.Streamed:
		x.respond(result.Payload)
	case !s.begun:
		s.end()
	}
}

// responseStream is the writer that the engine streams a response to.
type responseStream struct {
	*exchange
	prelude []byte // what has come of it, where there is one
	waits   bool   // for the end of the prelude
	begun   bool   // the header has gone to the client
	failure error
}

func (s *responseStream) open(contentType string) io.Writer {
	s.waits = contentType == preludeType || s.api.Protocol == model.REST
	if !s.waits {
		s.w.Header().Set("Content-Type", orElse(contentType, "application/octet-stream"))
	}
	return s
}

// Write takes a piece of the response.
func (s *responseStream) Write(p []byte) (int, error) {
	if s.failure != nil {
		return 0, s.failure
	}
	rest := p
	if s.waits {
		s.prelude = append(s.prelude, p...)
		head, body, ended := bytes.Cut(s.prelude, preludeEnd)
		switch {
		case !ended && len(s.prelude) > maxPrelude || ended && len(head) > maxPrelude:
			s.failure = errors.New("its first 16 KB have no end of the metadata (eight NUL bytes)")
			return 0, s.failure
		case !ended:
			return len(p), nil
		}
		if s.failure = s.readPrelude(head); s.failure != nil {
			return 0, s.failure
		}
		s.waits, s.prelude, rest = false, nil, body
	}
	if !s.begun {
		s.begin()
	}
	return len(p), s.send(rest)
}

// readPrelude reads the status and headers.
func (s *responseStream) readPrelude(text []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return errors.New("its metadata is no JSON object")
	}
	if fields["statusCode"] == nil {
		fields["statusCode"] = json.RawMessage("200")
	}
	delete(fields, "body")
	delete(fields, "isBase64Encoded")
	res, err := readResponse(fields, payload2)
	if err == nil {
		err = res.multiValueHeaders(fields["multiValueHeaders"])
	}
	if err == nil {
		err = res.check()
	}
	if err != nil {
		return err
	}
	s.status = res.status
	s.writeHeaders(res)
	return nil
}

func (s *responseStream) begin() {
	s.begun = true
	if s.status == 0 { // there was no prelude
		s.status = http.StatusOK
		s.id.set(s.w.Header())
		s.corsHeaders(s.w.Header())
	}
	s.w.WriteHeader(s.status)
}

// send passes a piece on at once.
func (s *responseStream) send(p []byte) error {
	control := http.NewResponseController(s.w)
	_ = control.SetWriteDeadline(time.Now().Add(writeTimeout)) // where the server can
	if len(p) > 0 {
		n, err := s.w.Write(p)
		s.written += int64(n)
		if err != nil {
			return err
		}
	}
	return control.Flush()
}

// end answers where the response ended before anything of it was sent.
func (s *responseStream) end() {
	if s.waits {
		s.fail(s.rules.malformed, "the function's streamed response ended within its metadata")
		return
	}
	s.begin()
}
