package apigateway

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// trusted reports whether the request was meant for this server. A page whose
// name resolves to this machine (DNS rebinding) names itself in Host.
func (x *exchange) trusted() bool {
	host := x.r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	if ip != nil && ip.IsLoopback() {
		return true
	}
	for _, allowed := range x.gateway.options.Hosts {
		allowed = strings.Trim(allowed, "[]")
		everywhere := net.ParseIP(allowed).IsUnspecified() // no name leads to an address that is written out
		if allowed == "*" || strings.EqualFold(allowed, host) || everywhere && ip != nil {
			return true
		}
	}
	return false
}

// headerSize is how much of an API's limit a request's header takes.
func headerSize(r *http.Request, requestLine bool) int {
	size := len(r.Host)
	if requestLine {
		size += len(r.Method) + len(r.RequestURI) + len(" HTTP/1.1")
	}
	for name, values := range r.Header {
		for _, value := range values {
			size += len(value)
			if requestLine {
				size += len(name)
			}
		}
	}
	return size
}

// rawPathOf is the path as the client sent it. Go's own, decoded and encoded
// again, differs where the client escaped more or less than it had to.
func rawPathOf(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if strings.HasPrefix(path, "/") {
		return path
	}
	return r.URL.EscapedPath() // an absolute address, or "*"
}

// decodePath decodes percent-encoding, once. What is no UTF-8 after that is no
// text that an event could have.
func decodePath(path string) (string, bool) {
	if !strings.Contains(path, "%") {
		return toText(path), true
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return "", false
	}
	return toText(decoded), true
}

// toText makes text that JSON can carry of any bytes.
func toText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

var errBodyTooLarge = errors.New("the body is too large")

// readAtMost reads a body of the length that its client gave (-1 for none), or
// fails where it is longer than limit.
func readAtMost(body io.Reader, length int64, limit int) ([]byte, error) {
	if length == 0 {
		return nil, nil
	}
	if 0 < length && length <= 64<<10 { // a client must not claim memory by a number
		whole := make([]byte, length)
		_, err := io.ReadFull(body, whole)
		return whole, err
	}
	whole, err := io.ReadAll(io.LimitReader(body, int64(limit)+1))
	if err == nil && len(whole) > limit {
		err = errBodyTooLarge
	}
	return whole, err
}

// query is the query string, decoded, in the order that the client gave.
type query struct {
	raw    string
	names  []string // each once
	values map[string][]string
}

// parseQuery never fails: what is not well-formed is taken as it stands.
func parseQuery(raw string) query {
	q := query{raw: raw}
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, value = decodeQuery(name), decodeQuery(value)
		if q.values == nil {
			q.values = map[string][]string{}
		}
		if _, known := q.values[name]; !known {
			q.names = append(q.names, name)
		}
		q.values[name] = append(q.values[name], value)
	}
	return q
}

func decodeQuery(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		s = decoded
	}
	return toText(s)
}

// joined has the values of each name with commas between them.
func (q query) joined() map[string]string {
	if len(q.names) == 0 {
		return nil
	}
	all := make(map[string]string, len(q.names))
	for name, values := range q.values {
		all[name] = strings.Join(values, ",")
	}
	return all
}

// last has the last value of each name.
func (q query) last() map[string]string {
	if len(q.names) == 0 {
		return nil
	}
	all := make(map[string]string, len(q.names))
	for name, values := range q.values {
		all[name] = values[len(values)-1]
	}
	return all
}

// sourceIP is the address of the client.
func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "127.0.0.1"
	}
	return host
}

// localPort is the port that the request came in on.
func localPort(r *http.Request) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		return port
	}
	return "80"
}

func contains(list []string, value string) bool {
	for _, v := range list {
		if v == value {
			return true
		}
	}
	return false
}
