package lambdaapi_test

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/lambdaapi"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const source = `exports.handler = async (event, context) => {
  console.log('saw', JSON.stringify(event));
  if (event.fail) throw new RangeError('no good');
  if (event.file) require('node:fs').writeFileSync(event.file, 'done');
  if (event.big) return 'x'.repeat(event.big);
  return { event, client: context.clientContext ?? null };
};
`

// serve starts the endpoint with one real function.
func serve(t *testing.T) *httptest.Server {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("Node.js is not installed: ", err)
	}
	code := t.TempDir()
	if err := os.WriteFile(filepath.Join(code, "index.js"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	app := &model.Application{Functions: []*model.Function{{
		ID: model.ID{Path: "Shop/Echo", Name: "Echo", LogicalID: "Echo1A2B"}, FunctionName: "Echo", Aliases: []string{"live"},
		ARN: "arn:aws:lambda:us-east-1:123456789012:function:Echo", Runtime: "nodejs20.x", Handler: "index.handler",
		MemorySize: 128, Timeout: 10 * time.Second, ReservedConcurrency: -1, Code: model.Code{Path: code},
	}}}
	engine, err := local.New(local.Options{Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	h := &lambdaapi.Handler{Engine: engine, Function: func(_ context.Context, name string) (*model.Function, error) { return app.Function(name) }}
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.Close()
		h.Wait()
		engine.Close()
	})
	return s
}

type answer struct {
	status int
	header http.Header
	body   string
}

func post(t *testing.T, url, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(data)}
}

func TestInvoke(t *testing.T) {
	s := serve(t)
	for _, name := range []string{"Echo", "Shop%2FEcho", "Echo1A2B", "Echo:live", "Echo:$LATEST", "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3AEcho"} {
		a := post(t, s.URL+"/2015-03-31/functions/"+name+"/invocations", `{"n": 1}`)
		if a.status != 200 || a.body != `{"event":{"n":1},"client":null}` || a.header.Get("X-Amz-Executed-Version") != "$LATEST" || a.header.Get("X-Amzn-Requestid") == "" || a.header.Get("X-Amz-Function-Error") != "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestQualifierQuery(t *testing.T) {
	s := serve(t)
	if a := post(t, s.URL+"/2015-03-31/functions/Echo/invocations?Qualifier=live", "{}"); a.status != 200 {
		t.Errorf("%+v", a)
	}
	if a := post(t, s.URL+"/2015-03-31/functions/Echo/invocations?Qualifier=dead", "{}"); a.status == 200 {
		t.Errorf("%+v", a)
	}
}

func TestLogTailAndFunctionError(t *testing.T) {
	s := serve(t)
	a := post(t, s.URL+"/2015-03-31/functions/Echo/invocations", `{"fail": true}`, "X-Amz-Log-Type", "Tail")
	tail, err := base64.StdEncoding.DecodeString(a.header.Get("X-Amz-Log-Result"))
	if err != nil || a.status != 200 || a.header.Get("X-Amz-Function-Error") != "Unhandled" || !strings.Contains(a.body, `"errorType":"RangeError"`) {
		t.Errorf("%v %+v", err, a)
	}
	for _, want := range []string{"START RequestId: ", `saw {"fail":true}`, "END RequestId: ", "REPORT RequestId: "} {
		if !strings.Contains(string(tail), want) {
			t.Errorf("the tail has no %q:\n%s", want, tail)
		}
	}
	a = post(t, s.URL+"/2015-03-31/functions/Echo/invocations", `{}`, "X-Amz-Log-Type", "Tail")
	if tail, _ = base64.StdEncoding.DecodeString(a.header.Get("X-Amz-Log-Result")); strings.Contains(string(tail), "fail") {
		t.Errorf("the tail is of another invocation:\n%s", tail)
	}
}

func TestEventReturnsAtOnceAndRuns(t *testing.T) {
	s := serve(t)
	file := filepath.Join(t.TempDir(), "done")
	a := post(t, s.URL+"/2015-03-31/functions/Echo/invocations", `{"file": "`+file+`"}`, "X-Amz-Invocation-Type", "Event")
	if a.status != http.StatusAccepted || a.body != "" {
		t.Errorf("%+v", a)
	}
	for range 100 {
		if _, err := os.Stat(file); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the function did not run")
}

func TestDryRun(t *testing.T) {
	if a := post(t, serve(t).URL+"/2015-03-31/functions/Echo/invocations", `{}`, "X-Amz-Invocation-Type", "DryRun"); a.status != http.StatusNoContent {
		t.Errorf("%+v", a)
	}
}

func TestClientContext(t *testing.T) {
	context := base64.StdEncoding.EncodeToString([]byte(`{"custom": {"a": "b"}}`))
	if a := post(t, serve(t).URL+"/2015-03-31/functions/Echo/invocations", `{}`, "X-Amz-Client-Context", context); !strings.Contains(a.body, `"a":"b"`) {
		t.Errorf("%+v", a)
	}
}

// TestRefusals: each with the code that an SDK makes its exception of.
func TestRefusals(t *testing.T) {
	s := serve(t)
	invoke := s.URL + "/2015-03-31/functions/Echo/invocations"
	for name, test := range map[string]struct {
		url, body string
		headers   []string
		status    int
		code      string
	}{
		"unknown function": {strings.Replace(invoke, "Echo", "Eco", 1), "{}", nil, 404, "ResourceNotFoundException"},
		"not JSON":         {invoke, "hello", nil, 400, "InvalidRequestContentException"},
		"bad type":         {invoke, "{}", []string{"X-Amz-Invocation-Type", "Later"}, 400, "InvalidParameterValueException"},
		"bad context":      {invoke, "{}", []string{"X-Amz-Client-Context", "%%"}, 400, "InvalidRequestContentException"},
		"too large":        {invoke, `"` + strings.Repeat("x", 6*1024*1024+200) + `"`, nil, 413, "RequestEntityTooLargeException"},
		"far too large":    {invoke, `"` + strings.Repeat("x", 7*1024*1024) + `"`, nil, 413, "RequestEntityTooLargeException"},
		"large event":      {invoke, `"` + strings.Repeat("x", 1024*1024) + `"`, []string{"X-Amz-Invocation-Type", "Event"}, 413, "RequestEntityTooLargeException"},
		"other path":       {s.URL + "/2015-03-31/functions", "{}", nil, 404, "PathNotFoundLocally"},
		"a web page":       {invoke, "{}", []string{"Origin", "https://evil.example"}, 403, "AccessDeniedException"},
		"another host":     {invoke, "{}", []string{"Host", "evil.example"}, 403, "AccessDeniedException"},
	} {
		t.Run(name, func(t *testing.T) {
			a := post(t, test.url, test.body, test.headers...)
			if a.status != test.status || a.header.Get("X-Amzn-Errortype") != test.code || !strings.Contains(a.body, `"Message"`) {
				t.Errorf("%d %v %s", a.status, a.header, a.body)
			}
		})
	}
}
