package events

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// maxBody is the most bytes of a request that is read whole: the largest are
// batches of 1 MiB in base64 with their attributes, and payloads of 6 MB.
const maxBody = 16 << 20

// dispatch finds the service of a request and has it answer.
func (p *Plane) dispatch(w http.ResponseWriter, r *http.Request) {
	req := &service.Request{Request: r, Region: p.options.Application.Region, ID: service.NewID()}
	scope, region := credentialScope(r)
	if region != "" {
		req.Region = region
	}
	target, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	req.Operation = operation
	if e := p.find(target, scope, ""); e != nil && e.Stream {
		e.service.Serve(w, req)
		return
	}
	if err := readBody(w, req); err != nil {
		service.FailJSON(w, req, "1.0", "", err)
		return
	}
	e := p.find(target, scope, req.Form.Get("Version"))
	if e == nil {
		e = p.byPath(r.URL.Path, target+scope+req.Form.Get("Action") == "")
	}
	if e == nil {
		service.FailJSON(w, req, "1.0", "", service.Errorf("UnknownOperationException", "the local event plane has no service for this request (X-Amz-Target %q, credential scope %q); it has: %s", target, scope, p.names()))
		return
	}
	e.service.Serve(w, req)
}

// find is the service with a target prefix, else with a credential scope, else
// with a version of the query protocol.
func (p *Plane) find(target, scope, version string) *entry {
	for _, wanted := range []struct {
		name string
		of   func(*entry) []string
	}{
		{target, func(e *entry) []string { return e.Targets }},
		{scope, func(e *entry) []string { return e.Scopes }},
		{version, func(e *entry) []string { return e.Versions }},
	} {
		if wanted.name == "" {
			continue
		}
		for _, e := range p.entries {
			for _, name := range wanted.of(e) {
				if name == wanted.name {
					return e
				}
			}
		}
	}
	return nil
}

// byPath is the service with the longest beginning of a path. The one that has
// them all is meant only where a request says nothing else.
func (p *Plane) byPath(path string, all bool) *entry {
	var best *entry
	length := -1
	for _, e := range p.entries {
		for _, prefix := range e.Paths {
			if strings.HasPrefix(path, prefix) && len(prefix) > length && (all || prefix != "/") {
				best, length = e, len(prefix)
			}
		}
	}
	return best
}

func (p *Plane) names() string {
	var all []string
	for _, e := range p.entries {
		all = append(all, e.Scopes[0])
	}
	return strings.Join(all, ", ")
}

// readBody reads the body, and the parameters of the query protocol where it
// is one.
func readBody(w http.ResponseWriter, req *service.Request) error {
	body, err := readAll(http.MaxBytesReader(w, req.Body, maxBody), req.ContentLength)
	if err != nil {
		tooLarge := &http.MaxBytesError{}
		if errors.As(err, &tooLarge) {
			return &service.Error{Code: "RequestEntityTooLargeException", Message: "the request is larger than 16 MiB", Status: http.StatusRequestEntityTooLarge}
		}
		return service.Errorf("IncompleteBody", "the request ended early: %v", err)
	}
	req.Payload = body
	contentType := req.Header.Get("Content-Type")
	var form url.Values
	switch {
	case strings.HasPrefix(contentType, "application/x-www-form-urlencoded"):
		form, err = url.ParseQuery(string(body))
		if err != nil {
			return service.Errorf("MalformedQueryString", "the form cannot be read: %v", err)
		}
		for name, values := range req.URL.Query() {
			form[name] = append(form[name], values...)
		}
	case req.URL.RawQuery != "" && strings.Contains(req.URL.RawQuery, "Action="):
		form = req.URL.Query()
	}
	if form.Get("Action") != "" {
		req.Form, req.Operation = form, form.Get("Action")
	}
	return nil
}

// readAll is io.ReadAll that knows how much comes.
func readAll(r io.Reader, length int64) ([]byte, error) {
	if length < 0 || length > maxBody {
		return io.ReadAll(r)
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	return body, err
}

// credentialScope is the service and region that a request was signed for.
// The scope is ".../20260101/us-east-1/sqs/aws4_request".
func credentialScope(r *http.Request) (name, region string) {
	text := r.Header.Get("Authorization")
	if text == "" {
		text = "Credential=" + r.URL.Query().Get("X-Amz-Credential")
	}
	_, scope, ok := strings.Cut(text, "Credential=")
	if !ok {
		return "", ""
	}
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(strings.TrimSpace(scope), "/")
	if len(parts) < 5 {
		return "", ""
	}
	return parts[len(parts)-2], parts[len(parts)-3]
}

// distrust says why a request is refused, "" where it is not: a web page must
// not reach the plane, neither by its own address nor by a name that it made
// point here.
func (p *Plane) distrust(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !p.trustedHost(host) {
		return "this server answers programs on this machine alone"
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host != r.Host {
			return "this server does not answer web pages"
		}
	}
	return ""
}

func (p *Plane) trustedHost(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback() {
		return true
	}
	for _, allowed := range p.options.Hosts {
		if strings.EqualFold(host, allowed) {
			return true
		}
	}
	return false
}
