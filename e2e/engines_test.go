//go:build e2e

package e2e

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// engine is a way to run a function of a project.
type engine struct {
	name string
	// docker says that it needs a container engine.
	docker bool
	invoke func(t testing.TB, project, function, event string) response
}

// response is what a caller of a function sees.
type response struct {
	// payload is the JSON that the function gave, or Lambda's JSON about its
	// failure; a text where it is no JSON.
	payload any
	// failed says that the function failed, which the SAM CLI tells in a
	// server's answer alone.
	failed bool
}

// embedded is Bailey's own engine.
var embedded = engine{name: "process", invoke: func(t testing.TB, project, function, event string) response {
	t.Helper()
	o := execute(t, project, event, bailey(t), "local", "invoke", function, "--assembly", "cdk.out", "--event", "-")
	if o.status > 1 {
		t.Fatalf("bailey local invoke %s: exit status %d\n%s", function, o.status, o.stderr)
	}
	return response{payloadOf(o.stdout), o.status == 1}
}}

// samByBailey is the SAM CLI as bailey hands over to it.
var samByBailey = engine{name: "--engine sam", docker: true, invoke: func(t testing.TB, project, function, event string) response {
	t.Helper()
	coldStart.Lock()
	defer coldStart.Unlock()
	o := execute(t, project, event, bailey(t), "local", "invoke", function, "--assembly", "cdk.out", "--event", "-",
		"--engine", "sam", "--", "--skip-pull-image")
	return samResponse(t, o)
}}

// samInvoke is sam local invoke as a user types it: in the project's folder,
// and for the default format without a flag that names the template.
func samInvoke(format string) engine {
	return engine{name: "sam local invoke, " + format, docker: true, invoke: func(t testing.TB, project, function, event string) response {
		t.Helper()
		arguments := []string{"local", "invoke", function, "--event", "-", "--skip-pull-image"}
		if format != formats[0].name {
			arguments = append(arguments, "--template", templateOf(project, format))
		}
		coldStart.Lock()
		defer coldStart.Unlock()
		return samResponse(t, execute(t, project, event, e2e.SAM(t), arguments...))
	}}
}

func samResponse(t testing.TB, o output) response {
	t.Helper()
	if o.status != 0 {
		t.Fatalf("sam local invoke: exit status %d\n%s", o.status, o.stderr)
	}
	payload := payloadOf(o.stdout)
	return response{payload, isError(payload)}
}

// startLambda is sam local start-lambda, called as the AWS SDK calls Lambda.
func startLambda(format string) engine {
	return engine{name: "sam local start-lambda, " + format, docker: true, invoke: func(t testing.TB, project, function, event string) response {
		t.Helper()
		var first []string
		for _, language := range languages {
			first = append(first, "POST "+invocations(language))
		}
		s := serve(t, "start-lambda", templateOf(project, format), first...)
		answer, body := s.request(t, "POST", invocations(function), event, nil)
		if answer.StatusCode != 200 {
			t.Fatalf("start-lambda: %s: %s\n%s", answer.Status, body, s.tail())
		}
		// The header is missing where the report of a failure has more than
		// the SAM CLI knows of, as that of AWS's Python runtime has.
		payload := payloadOf(string(body))
		return response{payload, answer.Header.Get("X-Amz-Function-Error") != "" || isError(payload)}
	}}
}

// invocations is the path of a function in Lambda's API.
func invocations(function string) string {
	return "/2015-03-31/functions/" + url.PathEscape(function) + "/invocations"
}

// startAPI is sam local start-api on the mixed app.
func startAPI(t testing.TB, format string) *server {
	t.Helper()
	return serve(t, "start-api", templateOf(mixed(t), format), "GET /go/1", "GET /node/1", "GET /python/1")
}

func templateOf(project, format string) string {
	for _, f := range formats {
		if f.name == format {
			return filepath.Join(project, f.folder, "template.yaml")
		}
	}
	panic("no format " + format)
}

func payloadOf(text string) any {
	text = strings.TrimSpace(text)
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return text
	}
	return v
}

// isError recognises Lambda's report of a failure.
func isError(payload any) bool {
	object, _ := payload.(map[string]any)
	return object["errorMessage"] != nil && object["errorType"] != nil
}

var requestID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// comparable is a payload without what differs from run to run: ids of
// requests, and stack traces, whose paths are those of a container or a host.
func comparable(payload any) any {
	object, ok := payload.(map[string]any)
	if !ok || !isError(payload) {
		return payload
	}
	kept := map[string]any{}
	for key, value := range object {
		switch text, _ := value.(string); key {
		case "stackTrace", "trace":
		case "requestId":
		default:
			kept[key] = requestID.ReplaceAllString(text, "ID")
		}
	}
	return kept
}
