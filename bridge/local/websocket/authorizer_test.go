package websocket_test

import (
	"net/http"
	"strings"
	"testing"

	ws "github.com/coder/websocket"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// guarded is the chat with an authorizer in front of $connect.
func guarded(sources ...string) *model.Application {
	app := chat()
	route := app.WebSocketAPIs[0].Routes[0]
	route.AuthorizationType = "CUSTOM"
	route.Authorizer = &model.Authorizer{ID: model.ID{Path: "Chat/Guard"}, Type: "REQUEST", Function: fn("Guard"), IdentitySource: sources}
	return app
}

const arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/live/$connect"

func policy(effect, resource string) string {
	return `{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"` + effect + `","Resource":"` + resource + `"}]},
		"context":{"name":"x","number":1,"yes":true,"none":null}}`
}

// TestAuthorizer: what it is asked, and what comes of its answer in the events.
func TestAuthorizer(t *testing.T) {
	f := start(t, guarded("route.request.header.Auth", "route.request.querystring.token"), nil)
	f.set("Guard", fixed(policy("Allow", arn)))
	c, _, err := ws.Dial(t.Context(), f.http.URL+"/live?token=t", &ws.DialOptions{HTTPHeader: http.Header{"Auth": {"a"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	asked := f.next(t, "Guard")
	if got, want := keys(asked.event), "headers methodArn multiValueHeaders multiValueQueryStringParameters queryStringParameters requestContext stageVariables type"; got != want {
		t.Errorf("the authorizer gets %s\nwant %s", got, want)
	}
	if asked.event["type"] != "REQUEST" || asked.event["methodArn"] != arn || object(asked.event["headers"])["Auth"] != "a" || object(asked.event["requestContext"])["routeKey"] != "$connect" {
		t.Errorf("%s", asked.text)
	}
	want := `"authorizer":{"name":"x","none":null,"number":"1","principalId":"me","yes":"true"}`
	if connect := f.next(t, "Connect"); !strings.Contains(connect.text, want) {
		t.Errorf("$connect has no %s: %s", want, connect.text)
	}
	write(t, c, "hello")
	if message := f.next(t, "Default"); !strings.Contains(message.text, want) {
		t.Errorf("a message has no %s: %s", want, message.text)
	}
	_ = c.CloseNow()
	if end := f.next(t, "Disconnect"); !strings.Contains(end.text, want) {
		t.Errorf("$disconnect has no %s: %s", want, end.text)
	}
}

// TestAuthorizerRefuses: the statuses of a handshake that it does not allow, and
// that $connect is not invoked then.
func TestAuthorizerRefuses(t *testing.T) {
	f := start(t, guarded("route.request.header.Auth"), nil)
	auth := &ws.DialOptions{HTTPHeader: http.Header{"Auth": {"a"}}}
	if status, body := f.refused(t, "/live", nil); status != 401 || !strings.HasPrefix(body, `{"message":"Unauthorized","connectionId":"`) {
		t.Errorf("without the identity: %d %s", status, body)
	}
	if status, _ := f.refused(t, "/live", &ws.DialOptions{HTTPHeader: http.Header{"Auth": {""}}}); status != 401 {
		t.Errorf("with an empty identity: %d", status)
	}
	for _, test := range []struct {
		name, answer string
		failed       bool
		status       int
	}{
		{"deny", policy("Deny", "*"), false, 403},
		{"another resource", policy("Allow", strings.Replace(arn, "live", "dead", 1)), false, 403},
		{"deny beside allow", `{"principalId":"me","policyDocument":{"Statement":[{"Action":"*","Effect":"Allow","Resource":["*"]},{"Action":["execute-api:*"],"Effect":"Deny","Resource":"` + arn + `"}]}}`, false, 403},
		{"another action", `{"principalId":"me","policyDocument":{"Statement":[{"Action":"execute-api:ManageConnections","Effect":"Allow","Resource":"*"}]}}`, false, 403},
		{"no statement", `{"principalId":"me","policyDocument":{"Statement":[]}}`, false, 403},
		{"no principal", `{"policyDocument":{"Statement":[]}}`, false, 500},
		{"a simple response", `{"isAuthorized":true}`, false, 500},
		{"no object", `"yes"`, false, 500},
		{"an object in the context", `{"principalId":"me","policyDocument":{"Statement":[{"Action":"*","Effect":"Allow","Resource":"*"}]},"context":{"a":{"b":1}}}`, false, 500},
		{"too long", policy("Allow", arn+strings.Repeat(" ", 9000)), false, 500},
		{"unauthorized", `{"errorMessage":"Unauthorized","errorType":"Error"}`, true, 401},
		{"a failure", `{"errorMessage":"oops","errorType":"Error"}`, true, 500},
	} {
		if f.set("Guard", fixed(test.answer)); test.failed {
			f.set("Guard", failing(test.answer))
		}
		status, body := f.refused(t, "/live", auth)
		f.next(t, "Guard")
		if status != test.status || strings.Contains(body, "oops") {
			t.Errorf("%s: %d %s", test.name, status, body)
		}
	}
	select {
	case c := <-f.calls:
		t.Errorf("%s was invoked: %s", c.function, c.text)
	default:
	}
}

// TestAllowed: policies that allow, and that an authorizer alone is enough.
func TestAllowed(t *testing.T) {
	app := guarded()
	app.WebSocketAPIs[0].Routes[0].Function = nil
	f := start(t, app, nil)
	for _, resource := range []string{"*", arn, "arn:aws:execute-api:*:*:*/*/$connect", "arn:aws:execute-api:us-east-1:123456789012:abcdef123?/live/*", "arn:*:execute-api:*"} {
		f.set("Guard", fixed(policy("Allow", resource)))
		c, _, err := ws.Dial(t.Context(), f.http.URL+"/live", nil)
		if err != nil {
			t.Errorf("%s: %v", resource, err)
			continue
		}
		f.next(t, "Guard")
		_ = c.CloseNow()
		f.next(t, "Disconnect")
	}
}

// TestIdentitySources: each kind, present and missing.
func TestIdentitySources(t *testing.T) {
	for source, status := range map[string]int{
		"route.request.header.auth":       101,
		"route.request.header.none":       401,
		"route.request.querystring.token": 101,
		"route.request.querystring.none":  401,
		"stageVariables.color":            101,
		"stageVariables.none":             401,
		"context.identity.sourceIp":       101,
		"context.none":                    401,
		"method.request.header.Auth":      500,
	} {
		app := guarded(source)
		app.WebSocketAPIs[0].StageVariables = map[string]string{"color": "blue"}
		f := start(t, app, nil)
		f.set("Guard", fixed(policy("Allow", "*")))
		c, r, err := ws.Dial(t.Context(), f.http.URL+"/live?token=t", &ws.DialOptions{HTTPHeader: http.Header{"Auth": {"a"}}})
		if err == nil {
			_ = c.CloseNow()
		}
		if r == nil || r.StatusCode != status {
			t.Errorf("%s: %v %v", source, r, err)
		}
	}
}

// TestIAM: a request must bear a signature.
func TestIAM(t *testing.T) {
	app := chat()
	app.WebSocketAPIs[0].Routes[0].AuthorizationType = "AWS_IAM"
	f := start(t, app, nil)
	if status, body := f.refused(t, "/live", nil); status != 403 || !strings.Contains(body, "Missing Authentication Token") {
		t.Errorf("%d %s", status, body)
	}
	f.dial(t, "/live", &ws.DialOptions{HTTPHeader: http.Header{"Authorization": {"AWS4-HMAC-SHA256 Credential=x"}}})
	f.dial(t, "/live?X-Amz-Signature=x", nil)
}

// TestAPIKey: a key must be there.
func TestAPIKey(t *testing.T) {
	app := chat()
	app.WebSocketAPIs[0].Routes[0].APIKeyRequired = true
	f := start(t, app, nil)
	if status, body := f.refused(t, "/live", nil); status != 403 || !strings.Contains(body, "Forbidden") {
		t.Errorf("%d %s", status, body)
	}
	f.dial(t, "/live", &ws.DialOptions{HTTPHeader: http.Header{"X-Api-Key": {"k"}}})
}
