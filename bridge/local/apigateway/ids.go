package apigateway

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// requestID is how a request is called: in the event, and in the answer.
type requestID struct {
	protocol model.Protocol
	// id is requestContext.requestId, extended extendedRequestId.
	id, extended string
	// invocation is the function's request id where it is the same, "" else.
	invocation string
	// trace is the X-Amzn-Trace-Id header that the function sees.
	trace string
}

func newRequestID(protocol model.Protocol) requestID {
	r := requestID{protocol: protocol}
	switch protocol {
	case model.HTTP:
		r.id = shortID()
		r.extended = r.id
	case model.REST:
		r.id, r.extended = uuid(), shortID()
	default:
		r.id = uuid()
		r.invocation = r.id
	}
	return r
}

// set writes the headers of an answer that name the request.
func (r requestID) set(h http.Header) {
	switch r.protocol {
	case model.HTTP:
		h.Set("Apigw-Requestid", r.id)
	case model.REST:
		h.Set("X-Amzn-Requestid", r.id)
		h.Set("X-Amz-Apigw-Id", r.extended)
	default:
		h.Set("X-Amzn-Requestid", r.id)
	}
}

// traceOf is the trace of a request: its own, or a new one that nobody samples.
func traceOf(r *http.Request, now time.Time) string {
	if given := r.Header.Get("X-Amzn-Trace-Id"); given != "" {
		return toText(given)
	}
	return fmt.Sprintf("Root=1-%08x-%s", now.Unix(), hex.EncodeToString(random(12)))
}

// shortID is an id of 16 characters, as HTTP APIs have them.
func shortID() string {
	return strings.NewReplacer("/", "_", "+", "-").Replace(base64.StdEncoding.EncodeToString(random(11)))
}

func uuid() string {
	b := random(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var s [36]byte
	hex.Encode(s[:], b[:4])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	hex.Encode(s[9:], b[4:6])
	hex.Encode(s[14:], b[6:8])
	hex.Encode(s[19:], b[8:10])
	hex.Encode(s[24:], b[10:])
	return string(s[:])
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// lambdaTrace is the trace as Lambda hands it on, "" where there is none yet.
func (r requestID) lambdaTrace() string {
	if r.trace == "" || strings.Contains(r.trace, "Parent=") {
		return r.trace
	}
	return r.trace + ";Parent=" + hex.EncodeToString(random(8)) + ";Sampled=0"
}
