package apigateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// The formats of an event.
const (
	payload1 = "1.0"
	payload2 = "2.0"
)

// event is what the function gets, as JSON.
func (x *exchange) event() ([]byte, error) {
	if x.api.Protocol != model.REST && x.match.route.PayloadFormatVersion != payload1 {
		e := x.event2()
		e.Body, e.IsBase64Encoded = x.eventBody()
		return encode(e)
	}
	e := x.event1()
	e.Body, e.IsBase64Encoded = x.eventBody()
	return encode(e)
}

// encode is JSON with "<", ">" and "&" as they are: an event must not grow by
// how it is written.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// eventBody is the body as an event carries it, nil where there is none.
func (x *exchange) eventBody() (*string, bool) {
	if len(x.body) == 0 {
		return nil, false
	}
	binary := x.binaryRequest()
	var text string
	if binary {
		text = base64.StdEncoding.EncodeToString(x.body)
	} else {
		text = string(x.body)
	}
	return &text, binary
}

// binaryRequest reports whether the body goes into the event in base64: for a
// REST API by its binary media types, see
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html,
// for the others by the type itself.
func (x *exchange) binaryRequest() bool {
	contentType := x.r.Header.Get("Content-Type")
	if x.api.Protocol == model.REST {
		return matchesMediaType(x.api.BinaryMediaTypes, orElse(contentType, "application/json"))
	}
	return !isText(contentType) || !utf8.Valid(x.body)
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// isText reports whether HTTP APIs and function URLs take a type for text.
// What has no type is text where it can be.
func isText(contentType string) bool {
	if contentType == "" {
		return true
	}
	mediaType := mediaTypeOf(contentType)
	switch mediaType {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "+json") || strings.HasSuffix(mediaType, "+xml")
}

func mediaTypeOf(contentType string) string {
	if mediaType, _, err := mime.ParseMediaType(contentType); err == nil {
		return mediaType
	}
	mediaType, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// matchesMediaType reports whether a type is among the patterns, such as
// "image/png", "image/*" and "*/*".
func matchesMediaType(patterns []string, contentType string) bool {
	mediaType := mediaTypeOf(contentType)
	family, _, _ := strings.Cut(mediaType, "/")
	for _, pattern := range patterns {
		pattern = strings.ToLower(strings.ReplaceAll(pattern, "~1", "/"))
		if pattern == "*/*" || pattern == mediaType || pattern == family+"/*" {
			return true
		}
	}
	return false
}

// forwarded are the headers that the gateway adds to a request.
func (x *exchange) forwarded() [][2]string {
	if x.id.trace == "" {
		x.id.trace = traceOf(x.r, x.began)
	}
	ip := sourceIP(x.r)
	for _, before := range x.r.Header.Values("X-Forwarded-For") {
		ip = before + ", " + ip
	}
	return [][2]string{
		{"Host", x.r.Host},
		{"X-Amzn-Trace-Id", x.id.trace},
		{"X-Forwarded-For", ip},
		{"X-Forwarded-Port", localPort(x.r)},
		{"X-Forwarded-Proto", scheme(x.r)},
	}
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// dropped are headers that belong to the connection, not to the request.
func dropped(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect":
		return true
	}
	return false
}

// headers are the request's, by the names that the event has: lower-case, or
// as Go's server spells them. What a client's spelling was is not known.
func (x *exchange) headers(lower bool) map[string][]string {
	all := make(map[string][]string, len(x.r.Header)+6)
	spell := func(name string) string {
		if lower {
			return strings.ToLower(name)
		}
		return name
	}
	for name, values := range x.r.Header {
		if dropped(name) {
			continue
		}
		for i := range values {
			values[i] = toText(values[i])
		}
		all[spell(name)] = values
	}
	for _, header := range x.forwarded() {
		all[spell(header[0])] = []string{header[1]}
	}
	if x.r.ContentLength >= 0 && x.api.Protocol != model.REST {
		all[spell("Content-Length")] = []string{strconv.FormatInt(x.r.ContentLength, 10)}
	}
	return all
}

// cookies are the request's, each of its own.
func (x *exchange) cookies() []string {
	var all []string
	for _, header := range x.r.Header.Values("Cookie") {
		for cookie := range strings.SplitSeq(header, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				all = append(all, toText(cookie))
			}
		}
	}
	return all
}

// decoded are path parameters as the event has them: an HTTP API's were
// decoded with the path, a REST API's stay as they are.
func (x *exchange) pathParameters() map[string]string {
	parameters := x.match.parameters()
	for name, value := range parameters {
		parameters[name] = toText(value)
	}
	return parameters
}

// stagePath is a path with the stage before it, where the request had that.
func (x *exchange) stagePath(path string) string {
	if x.staged {
		return "/" + x.api.StageName + path
	}
	return path
}

// domain is the name that the client called, with the first label of it.
func (x *exchange) domain() (name, prefix string) {
	name = x.r.Host
	prefix = name
	if i := strings.IndexAny(name, ".:"); i > 0 {
		prefix = name[:i]
	}
	return name, prefix
}

func (x *exchange) userAgent() string { return toText(x.r.UserAgent()) }

const timeFormat = "02/Jan/2006:15:04:05 +0000"

func stageVariables(api *model.API) map[string]string {
	if len(api.StageVariables) == 0 {
		return nil
	}
	return api.StageVariables
}

// sortedKeys are the keys of a map, sorted.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// methodARN is the resource that a policy allows or denies. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
func (x *exchange) methodARN() string {
	return "arn:" + partition(x.application.Region) + ":execute-api:" + x.application.Region + ":" + x.application.AccountID + ":" +
		x.api.APIID + "/" + x.api.StageName + "/" + x.r.Method + x.path
}

func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
