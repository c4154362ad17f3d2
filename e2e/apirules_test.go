//go:build e2e

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// rule is one row of APIS.md: what AWS documents, a request that shows it, and
// what must come of it.
type rule struct {
	// says is the rule, page where AWS documents it, below docs.
	says, page string
	api        string
	method     string
	path       string
	// headers are "Name: value".
	headers []string
	body    string
	want    wanted
	sam     verdictOfSAM
}

// wanted is what is looked at. What is not set does not count.
type wanted struct {
	status int
	// body is the whole body.
	body string
	// headers must be there with that value; "" for those that must be missing.
	headers map[string]string
	// event is parts of the event that the function saw, by path:
	// "requestContext.http.method". nil for a part that must be missing.
	event map[string]any
}

// verdictOfSAM says how sam local start-api must answer on the bridged
// template: as the rule says where both are "".
type verdictOfSAM struct {
	// differs is why it answers otherwise, and who is right.
	differs string
	// lacks is why it is not asked.
	lacks string
}

func differs(why string) verdictOfSAM { return verdictOfSAM{differs: why} }
func lacks(why string) verdictOfSAM   { return verdictOfSAM{lacks: why} }

var (
	withoutJWT  = differs("AWS and Bailey are right: the SAM CLI has no JWT authorizers, and leaves the route open, of which the bridge warns")
	withoutIAM  = differs("AWS and Bailey are right: the SAM CLI leaves the route open, of which the bridge warns. Bailey wants a signature and does not verify it")
	withoutKeys = differs("AWS and Bailey are right: the SAM CLI asks for no API keys, of which the bridge warns")
)

const docs = "https://docs.aws.amazon.com/"

// check says what is wrong with an answer, "" for nothing.
func (w wanted) check(status int, header http.Header, body []byte) string {
	if w.status != 0 && status != w.status {
		return fmt.Sprintf("the status is %d, want %d: %.300s", status, w.status, body)
	}
	if w.body != "" && string(body) != w.body && !sameJSON(string(body), w.body) {
		return fmt.Sprintf("the body is %.300q, want %q", body, w.body)
	}
	for name, want := range w.headers {
		if got := strings.Join(header.Values(name), "; "); got != want {
			return fmt.Sprintf("the header %s is %q, want %q", name, got, want)
		}
	}
	if w.event == nil {
		return ""
	}
	var event any
	if err := json.Unmarshal(body, &event); err != nil {
		return fmt.Sprintf("the body is no event: %.300s", body)
	}
	for path, want := range w.event {
		got := at(event, path)
		if number, ok := want.(int); ok {
			want = float64(number)
		}
		if is, ok := want.(func(any) bool); ok {
			if !is(got) {
				return fmt.Sprintf("%s is %v", path, got)
			}
		} else if !reflect.DeepEqual(got, want) {
			return fmt.Sprintf("%s is %#v, want %#v", path, got, want)
		}
	}
	return ""
}

// sameJSON compares objects, in which spaces do not count.
func sameJSON(a, b string) bool {
	var x, y map[string]any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// at is the part of a JSON value at a path of names.
func at(v any, path string) any {
	for _, name := range strings.Split(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

func isNumber(v any) bool { _, ok := v.(float64); return ok }

func isText(v any) bool { s, ok := v.(string); return ok && s != "" }

func list(values ...any) []any { return values }

type fields = map[string]any

// ask makes the rule's request.
func (r rule) ask(t testing.TB, base string) (int, http.Header, []byte) {
	t.Helper()
	request, err := http.NewRequest(r.method, base+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range r.headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, body.Bytes()
}

const apisHead = `# APIs: what AWS documents, and what answers so

One row a rule of API Gateway or of Lambda's function URLs, with the page of AWS that states it. Each is a test (` + "`TestAPIRules`" + `): a request to ` + "`bailey local start-api`" + ` and, where the SAM CLI serves such a thing at all, the same one to ` + "`sam local start-api`" + ` (version 1.170.0) on the template that Bailey wrote. The test makes this table (` + "`-update`" + `); nobody writes it by hand.

- **yes**: it answers as the rule says.
- **no**: it does not. Then the last column says who is right, and why.
- **–**: it is not asked, for the reason in the last column.

`

// TestAPIRules asks both servers by every rule, and compares APIS.md. Without a
// container engine it asks Bailey's alone.
func TestAPIRules(t *testing.T) {
	t.Parallel()
	g := apisGateway(t)
	all := append(rulesOfAPIs(t), rulesOfWebSockets()...)
	own := make([]string, len(all))
	for i, r := range all {
		complaint := r.complaint(t, g)
		if own[i] = mark(complaint); complaint != "" {
			t.Errorf("%s: %s: %s", r.api, r.says, complaint)
		}
	}
	if t.Failed() {
		t.Fatal(g.tail())
	}
	compareAPIs(t, apisTable(all, own, samAnswers(t, all)))
}

// apisTable is the text of APIS.md.
func apisTable(all []rule, own, sam []string) string {
	var text strings.Builder
	text.WriteString(apisHead)
	section := ""
	counts := map[string]int{}
	for i, r := range all {
		if r.api != section {
			section = r.api
			fmt.Fprintf(&text, "\n## %s\n\n| rule | AWS | Bailey | SAM CLI | remark |\n|---|---|---|---|---|\n", titles[section])
		}
		counts["Bailey "+own[i]]++
		counts["SAM "+sam[i]]++
		page, _, _ := strings.Cut(r.page, "#")
		fmt.Fprintf(&text, "| %s | [%s](%s%s) | %s | %s | %s |\n",
			r.says, strings.TrimSuffix(filepath.Base(page), ".html"), docs, r.page, own[i], sam[i], r.sam.differs+r.sam.lacks)
	}
	fmt.Fprintf(&text, "\nOf %d rules, Bailey answers %d as AWS documents. The SAM CLI can be asked %d, and answers %d so.\n",
		len(all), counts["Bailey yes"], len(all)-counts["SAM –"], counts["SAM yes"])
	return text.String()
}

var titles = map[string]string{"Http": "HTTP APIs", "Shop": "HTTP APIs without $default", "Rest": "REST APIs", "Url": "Function URLs", "Chat": "WebSocket APIs"}

func mark(complaint string) string {
	if complaint == "" {
		return "yes"
	}
	return "no"
}

func (r rule) complaint(t testing.TB, g *gateway) string {
	t.Helper()
	if r.api == "Chat" {
		return complaintsOfChat[r.says](t, g.urls["Chat"])
	}
	return r.want.check(r.ask(t, g.urls[r.api]))
}

// samAnswers asks the SAM CLI, one server for each API and all of its rules.
func samAnswers(t *testing.T, all []rule) []string {
	t.Helper()
	marks := make([]string, len(all))
	asked := map[string]*server{}
	for i, r := range all {
		if marks[i] = "–"; r.sam.lacks != "" {
			continue
		}
		if asked[r.api] == nil {
			node, _ := hosts(t)
			e2e.BaseImage(t, node)
			asked[r.api] = serve(t, "start-api", filepath.Join(apis(t), ".aws-sam", "build", "api-"+r.api+".yaml"))
			warmFunctions(t, asked[r.api], r.api)
		}
		complaint := r.want.check(r.ask(t, asked[r.api].url))
		marks[i] = mark(complaint)
		switch {
		case complaint != "" && r.sam.differs == "":
			t.Errorf("%s: %s: the SAM CLI answers otherwise: %s", r.api, r.says, complaint)
		case complaint == "" && r.sam.differs != "":
			t.Errorf("%s: %s: the SAM CLI answers the same now, and the rule says it differs", r.api, r.says)
		}
	}
	return marks
}

// warmFunctions has the SAM CLI start a container for each function of an API,
// which now and then gives no answer at first.
func warmFunctions(t *testing.T, s *server, api string) {
	t.Helper()
	coldStart.Lock()
	defer coldStart.Unlock()
	for _, path := range map[string][]string{
		"Http": {"/items/1", "/simple", "/quick"}, "Shop": {"/orders"}, "Rest": {"/items/1", "/token", "/quick"}, "Url": {"/"},
	}[api] {
		status := 0
		for range 5 {
			if status, _, _ = (rule{method: "GET", path: path, headers: []string{"Authorization: allow"}}).ask(t, s.url); status == 200 {
				break
			}
		}
		if status != 200 {
			t.Fatalf("sam local start-api answers %d to GET %s\n%s", status, path, s.tail())
		}
	}
}

// compareAPIs compares the table with the file, or rewrites it.
func compareAPIs(t *testing.T, text string) {
	t.Helper()
	file := "APIS.md"
	if *update && !t.Failed() {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != text {
		t.Errorf("e2e/APIS.md differs from what was found; run the test with -update and read the diff")
	}
}

// Where AWS documents what.
const (
	httpLambda   = "apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"
	httpRoutes   = "apigateway/latest/developerguide/http-api-develop-routes.html"
	httpCORS     = "apigateway/latest/developerguide/http-api-cors.html"
	httpJWT      = "apigateway/latest/developerguide/http-api-jwt-authorizer.html"
	httpGuard    = "apigateway/latest/developerguide/http-api-lambda-authorizer.html"
	httpIAM      = "apigateway/latest/developerguide/http-api-access-control-iam.html"
	httpQuotas   = "apigateway/latest/developerguide/http-api-quotas.html"
	httpStages   = "apigateway/latest/developerguide/http-api-stages.stage-variables.html"
	restProxy    = "apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html"
	restGateway  = "apigateway/latest/developerguide/supported-gateway-response-types.html"
	restBinary   = "apigateway/latest/developerguide/lambda-proxy-binary-media.html"
	restGuard    = "apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html"
	restGuardIn  = "apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html"
	restKeys     = "apigateway/latest/developerguide/api-gateway-setup-api-key-with-console.html"
	restIAM      = "apigateway/latest/developerguide/permissions.html"
	restCORS     = "apigateway/latest/developerguide/how-to-cors.html"
	restQuotas   = "apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"
	restStages   = "apigateway/latest/developerguide/stage-variables.html"
	restResource = "apigateway/latest/developerguide/api-gateway-method-settings-method-request.html"
	urlInvoke    = "lambda/latest/dg/urls-invocation.html"
	urlConfig    = "lambda/latest/dg/urls-configuration.html"
	chatRoutes   = "apigateway/latest/developerguide/websocket-api-develop-routes.html"
	chatConnect  = "apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html"
	chatGuard    = "apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html"
	chatTwoWay   = "apigateway/latest/developerguide/apigateway-websocket-api-route-response.html"
	chatContext  = "apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html"
	chatManage   = "apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html"
	chatLimits   = "apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html"
	chatProtocol = "apigateway/latest/developerguide/websocket-connect-route-subprotocol.html"
)

func answers(payload string) []string { return []string{"X-Answer: " + answering(payload)} }

func rulesOfAPIs(t testing.TB) []rule {
	t.Helper()
	i, err := newIssuer()
	if err != nil {
		t.Fatal(err)
	}
	bearer := func(claims map[string]any) []string { return []string{"Authorization: Bearer " + i.token(t, claims)} }
	return []rule{
		// The event of payload format 2.0.
		{
			says: "A route's variables are pathParameters, decoded", page: httpRoutes, api: "Http", method: "GET", path: "/items/a%20b",
			want: wanted{event: fields{"pathParameters.id": "a b", "routeKey": "GET /items/{id}", "version": "2.0"}},
		},
		{
			says: "The event has rawPath and rawQueryString", page: httpLambda, api: "Http", method: "GET", path: "/items/1?b=2&a=x%20y",
			want: wanted{event: fields{"rawPath": "/items/1", "rawQueryString": "b=2&a=x%20y", "queryStringParameters.a": "x y"}},
		},
		{
			says: "A query parameter that comes twice has its values joined with commas", page: httpLambda, api: "Http", method: "GET", path: "/items/1?a=1&a=2",
			want: wanted{event: fields{"queryStringParameters.a": "1,2"}},
		},
		{
			says: "Header names are lower case", page: httpLambda, api: "Http", method: "GET", path: "/items/1", headers: []string{"X-Custom: v"},
			sam:  differs("AWS and Bailey are right: the SAM CLI capitalises the names (aws-sam-cli #2726)"),
			want: wanted{event: fields{"headers.x-custom": "v", "headers.X-Custom": nil}},
		},
		{
			says: "A header that comes twice has its values joined with commas", page: httpLambda, api: "Http", method: "GET", path: "/items/1", headers: []string{"X-Custom: a", "X-Custom: b"},
			sam:  differs("AWS and Bailey are right: the SAM CLI capitalises the names (aws-sam-cli #2726)"),
			want: wanted{event: fields{"headers.x-custom": "a,b"}},
		},
		{
			says: "Cookies are a list of their own, not a header", page: httpLambda, api: "Http", method: "GET", path: "/items/1", headers: []string{"Cookie: a=1; b=2"},
			want: wanted{event: fields{"cookies": list("a=1", "b=2"), "headers.cookie": nil}},
		},
		{
			says: "Without a query string and a body there are no queryStringParameters and no body", page: httpLambda, api: "Http", method: "GET", path: "/items/1",
			sam:  differs("AWS and Bailey are right: the SAM CLI gives an empty body where there is none"),
			want: wanted{event: fields{"queryStringParameters": nil, "body": nil, "rawQueryString": "", "isBase64Encoded": false}},
		},
		{
			says: "A text body is passed as it is", page: httpLambda, api: "Http", method: "POST", path: "/items", headers: []string{"Content-Type: application/json"}, body: `{"ü": 1}`,
			want: wanted{event: fields{"body": `{"ü": 1}`, "isBase64Encoded": false, "routeKey": "POST /items"}},
		},
		{
			says: "A binary body is base64", page: httpLambda, api: "Http", method: "POST", path: "/items", headers: []string{"Content-Type: image/png"}, body: picture,
			sam:  differs("AWS and Bailey are right: the SAM CLI decodes every body of an HTTP API as text, and gives 502 where it is none"),
			want: wanted{event: fields{"body": base64.StdEncoding.EncodeToString([]byte(picture)), "isBase64Encoded": true}},
		},
		{
			says: "requestContext.http describes the request", page: httpLambda, api: "Http", method: "POST", path: "/items", headers: []string{"User-Agent: me"}, body: "x",
			sam: differs("AWS and Bailey are right: the SAM CLI has a fixed userAgent"),
			want: wanted{event: fields{
				"requestContext.http.method": "POST", "requestContext.http.path": "/items", "requestContext.http.protocol": "HTTP/1.1",
				"requestContext.http.sourceIp": "127.0.0.1", "requestContext.http.userAgent": "me", "requestContext.routeKey": "POST /items", "requestContext.stage": "$default",
			}},
		},
		{
			says: "Each request has an id and a time of its own", page: httpLambda, api: "Http", method: "GET", path: "/items/1",
			want: wanted{event: fields{"requestContext.requestId": isText, "requestContext.timeEpoch": isNumber, "requestContext.apiId": isText, "requestContext.accountId": isText}},
		},
		{
			says: "Stage variables are in the event", page: httpStages, api: "Http", method: "GET", path: "/items/1",
			want: wanted{event: fields{"stageVariables.color": "blue"}},
		},
		// The choice of the route.
		{
			says: "A full match wins over one with a variable", page: httpRoutes, api: "Http", method: "GET", path: "/items/special",
			want: wanted{event: fields{"routeKey": "GET /items/special"}},
		},
		{
			says: "A greedy variable takes the rest of the path", page: httpRoutes, api: "Http", method: "GET", path: "/files/a/b/c",
			want: wanted{event: fields{"routeKey": "GET /files/{proxy+}", "pathParameters.proxy": "a/b/c"}},
		},
		{
			says: "A more specific route wins over a greedy one", page: httpRoutes, api: "Http", method: "GET", path: "/files/exact/one",
			want: wanted{event: fields{"routeKey": "GET /files/exact/{name}"}},
		},
		{
			says: "ANY takes every method", page: httpRoutes, api: "Http", method: "DELETE", path: "/any",
			sam:  differs("AWS and Bailey are right: the route key is the route's own, \"ANY /any\"; the SAM CLI puts the request's method into it"),
			want: wanted{event: fields{"routeKey": "ANY /any", "requestContext.http.method": "DELETE"}},
		},
		{
			says: "$default takes what no route takes", page: httpRoutes, api: "Http", method: "PATCH", path: "/no/such",
			sam:  differs("AWS and Bailey are right: $default has no path variables; the SAM CLI's own, any_path, shows"),
			want: wanted{event: fields{"routeKey": "$default", "rawPath": "/no/such", "pathParameters": nil}},
		},
		{
			says: "$default also takes another method of a known path", page: httpRoutes, api: "Http", method: "DELETE", path: "/items",
			want: wanted{event: fields{"routeKey": "$default"}},
		},
		// The event of payload format 1.0.
		{
			says: "Format 1.0 has resource, path and httpMethod", page: httpLambda, api: "Http", method: "GET", path: "/one/5",
			want: wanted{event: fields{"version": "1.0", "resource": "/one/{id}", "path": "/one/5", "httpMethod": "GET", "pathParameters.id": "5", "body": nil}},
		},
		{
			says: "Format 1.0 has every value of a query parameter", page: httpLambda, api: "Http", method: "GET", path: "/one/5?a=1&a=2",
			want: wanted{event: fields{"queryStringParameters.a": "2", "multiValueQueryStringParameters.a": list("1", "2")}},
		},
		{
			says: "Format 1.0 has every value of a header", page: httpLambda, api: "Http", method: "POST", path: "/one", headers: []string{"X-Custom: a", "X-Custom: b"}, body: "text",
			want: wanted{event: fields{"body": "text", "requestContext.resourcePath": "/one"}},
		},
		// The answers of format 2.0.
		{
			says: "An object without statusCode is the body, in JSON, with 200", page: httpLambda, api: "Http", method: "GET", path: "/items/1", headers: answers(`{"message":"hi"}`),
			want: wanted{status: 200, body: `{"message":"hi"}`, headers: map[string]string{"Content-Type": "application/json"}},
		},
		{
			says: "A string is the body", page: httpLambda, api: "Http", method: "GET", path: "/items/1", headers: answers(`"Hello from Lambda!"`),
			want: wanted{status: 200, body: "Hello from Lambda!", headers: map[string]string{"Content-Type": "application/json"}},
		},
		{
			says: "statusCode, headers and body are the answer's", page: httpLambda, api: "Http", method: "GET", path: "/items/1", headers: answers(`{"statusCode":201,"headers":{"X-Seen":"yes","Content-Type":"text/html"},"body":"<p>"}`),
			want: wanted{status: 201, body: "<p>", headers: map[string]string{"X-Seen": "yes", "Content-Type": "text/html"}},
		},
		{
			says: "Each of the cookies is a Set-Cookie header", page: httpLambda, api: "Http", method: "GET", path: "/items/1", headers: answers(`{"statusCode":200,"cookies":["a=1; Secure","b=2"]}`),
			want: wanted{status: 200, headers: map[string]string{"Set-Cookie": "a=1; Secure; b=2"}},
		},
		{
			says: "isBase64Encoded has the body decoded", page: httpLambda, api: "Http", method: "GET", path: "/items/1", headers: answers(`{"statusCode":200,"isBase64Encoded":true,"body":"` + base64.StdEncoding.EncodeToString([]byte(picture)) + `"}`),
			want: wanted{status: 200, body: picture},
		},
		{
			says: "An error of the function gives 500", page: "apigateway/latest/developerguide/http-api-troubleshooting-lambda.html", api: "Http", method: "GET", path: "/items/1", headers: []string{"X-Do: fail"},
			sam:  differs("AWS and Bailey are right: an HTTP API's body says Internal Server Error; the SAM CLI takes a REST API's words"),
			want: wanted{status: 500, body: `{"message":"Internal Server Error"}`},
		},
		{
			says: "A function that times out gives 500", page: "apigateway/latest/developerguide/http-api-troubleshooting-lambda.html", api: "Http", method: "GET", path: "/quick", headers: []string{"X-Do: sleep", "X-Millis: 3000"},
			sam:  differs("AWS and Bailey are right: the SAM CLI gives 502, as a REST API does"),
			want: wanted{status: 500, body: `{"message":"Internal Server Error"}`},
		},
		{
			says: "The integration's timeout gives 503", page: httpQuotas, api: "Http", method: "GET", path: "/slow", headers: []string{"X-Do: sleep", "X-Millis: 3000"},
			sam:  differs("AWS and Bailey are right: the SAM CLI knows no timeout of integrations"),
			want: wanted{status: 503, body: `{"message":"Service Unavailable"}`},
		},
		{
			says: "A body over 10 MB gives 413", page: httpQuotas, api: "Http", method: "POST", path: "/items", body: strings.Repeat("x", 10<<20+1),
			sam:  differs("AWS and Bailey are right: the SAM CLI knows no limit, and fails where the function's runtime does"),
			want: wanted{status: 413, body: `{"message":"Request Entity Too Large"}`},
		},
		// Authorizers.
		{
			says: "Without a token a JWT authorizer gives 401", page: httpJWT, api: "Http", method: "GET", path: "/jwt",
			sam:  withoutJWT,
			want: wanted{status: 401, body: `{"message":"Unauthorized"}`},
		},
		{
			says: "A token with another signature gives 401", page: httpJWT, api: "Http", method: "GET", path: "/jwt", headers: []string{bearer(nil)[0] + "x"},
			sam:  withoutJWT,
			want: wanted{status: 401, body: `{"message":"Unauthorized"}`},
		},
		{
			says: "An expired token gives 401", page: httpJWT, api: "Http", method: "GET", path: "/jwt", headers: bearer(fields{"exp": 1}),
			sam:  withoutJWT,
			want: wanted{status: 401},
		},
		{
			says: "A token for another audience gives 401", page: httpJWT, api: "Http", method: "GET", path: "/jwt", headers: bearer(fields{"aud": "bank"}),
			sam:  withoutJWT,
			want: wanted{status: 401},
		},
		{
			says: "A token of another issuer gives 401", page: httpJWT, api: "Http", method: "GET", path: "/jwt", headers: bearer(fields{"iss": "https://other.example"}),
			sam:  withoutJWT,
			want: wanted{status: 401},
		},
		{
			says: "A token's claims are in the event", page: httpJWT, api: "Http", method: "GET", path: "/jwt", headers: bearer(nil),
			sam:  withoutJWT,
			want: wanted{event: fields{"requestContext.authorizer.jwt.claims.sub": "ann", "requestContext.authorizer.jwt.claims.iss": "https://issuer.example"}},
		},
		{
			says: "client_id stands for a missing aud", page: httpJWT, api: "Http", method: "GET", path: "/jwt", headers: bearer(fields{"aud": nil, "client_id": "shop"}),
			sam:  withoutJWT,
			want: wanted{event: fields{"requestContext.authorizer.jwt.claims.client_id": "shop"}},
		},
		{
			says: "A token without one of the route's scopes gives 403", page: httpJWT, api: "Http", method: "GET", path: "/scoped", headers: bearer(fields{"scope": "write"}),
			sam:  withoutJWT,
			want: wanted{status: 403, body: `{"message":"Forbidden"}`},
		},
		{
			says: "One of the route's scopes is enough", page: httpJWT, api: "Http", method: "GET", path: "/scoped", headers: bearer(fields{"scope": "write read"}),
			sam:  withoutJWT,
			want: wanted{event: fields{"requestContext.authorizer.jwt.scopes": list("write", "read")}},
		},
		{
			says: "Without its identity source a Lambda authorizer is not invoked: 401", page: httpGuard, api: "Http", method: "GET", path: "/simple",
			want: wanted{status: 401, body: `{"message":"Unauthorized"}`},
		},
		{
			says: "isAuthorized false gives 403", page: httpGuard, api: "Http", method: "GET", path: "/simple", headers: []string{"Authorization: deny"},
			sam:  differs("AWS and Bailey are right: an HTTP API says Forbidden; the SAM CLI takes a REST API's words"),
			want: wanted{status: 403, body: `{"message":"Forbidden"}`},
		},
		{
			says: "isAuthorized true lets through, with the context under lambda", page: httpGuard, api: "Http", method: "GET", path: "/simple", headers: []string{"Authorization: allow"},
			want: wanted{event: fields{"requestContext.authorizer.lambda.user": "ann", "requestContext.authorizer.lambda.number": 7}},
		},
		{
			says: "An authorizer that fails gives 500", page: httpGuard, api: "Http", method: "GET", path: "/simple", headers: []string{"Authorization: fail"},
			sam:  differs("AWS and Bailey are right: the SAM CLI gives 502"),
			want: wanted{status: 500},
		},
		{
			says: "A policy of format 1.0 that allows lets through, with a flat context", page: httpGuard, api: "Http", method: "GET", path: "/policy", headers: []string{"Authorization: allow"},
			sam:  differs("AWS and Bailey are right: the SAM CLI nests the context of this format under lambda"),
			want: wanted{event: fields{"requestContext.authorizer.user": "ann", "requestContext.authorizer.principalId": "ann"}},
		},
		{
			says: "A policy that denies gives 403", page: httpGuard, api: "Http", method: "GET", path: "/policy", headers: []string{"Authorization: deny"},
			sam:  differs("AWS and Bailey are right: an HTTP API says Forbidden; the SAM CLI takes a REST API's words"),
			want: wanted{status: 403, body: `{"message":"Forbidden"}`},
		},
		{
			says: "An unsigned request to a route with IAM authorisation gives 403", page: httpIAM, api: "Http", method: "GET", path: "/iam",
			sam:  withoutIAM,
			want: wanted{status: 403, body: `{"message":"Forbidden"}`},
		},
		{
			says: "$default takes OPTIONS too, also of a preflight", page: httpCORS, api: "Http", method: "OPTIONS", path: "/items/1", headers: []string{"Origin: https://shop.example", "Access-Control-Request-Method: GET"},
			sam:  differs("AWS and Bailey are right: the SAM CLI answers every preflight by itself where the API has CORS"),
			want: wanted{status: 200, event: fields{"routeKey": "$default"}},
		},

		// HTTP APIs without $default.
		{
			says: "A path that no route takes gives 404", page: httpRoutes, api: "Shop", method: "GET", path: "/no/such",
			sam:  differs("AWS and Bailey are right: the SAM CLI takes a REST API's answer, 403 Missing Authentication Token"),
			want: wanted{status: 404, body: `{"message":"Not Found"}`},
		},
		{
			says: "A method that no route of the path has gives 404", page: httpRoutes, api: "Shop", method: "DELETE", path: "/orders",
			sam:  differs("AWS and Bailey are right: the SAM CLI takes a REST API's answer, 403 Missing Authentication Token"),
			want: wanted{status: 404, body: `{"message":"Not Found"}`},
		},
		{
			says: "A preflight is answered with the API's configuration", page: httpCORS, api: "Shop", method: "OPTIONS", path: "/orders/1", headers: []string{"Origin: https://shop.example", "Access-Control-Request-Method: GET"},
			sam: differs("AWS and Bailey are right: API Gateway answers a preflight with 204, the SAM CLI with 200"),
			want: wanted{status: 204, headers: map[string]string{
				"Access-Control-Allow-Origin": "https://shop.example", "Access-Control-Allow-Methods": "GET,POST", "Access-Control-Allow-Headers": "content-type,x-custom",
				"Access-Control-Max-Age": "600", "Access-Control-Allow-Credentials": "true",
			}},
		},
		{
			says: "A preflight of another origin has no CORS headers", page: httpCORS, api: "Shop", method: "OPTIONS", path: "/orders", headers: []string{"Origin: https://other.example", "Access-Control-Request-Method: GET"},
			want: wanted{headers: map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": ""}},
		},
		{
			says: "An answer has the CORS headers of an allowed origin", page: httpCORS, api: "Shop", method: "GET", path: "/orders", headers: []string{"Origin: https://shop.example"},
			sam:  differs("AWS and Bailey are right: the SAM CLI knows no exposed headers"),
			want: wanted{status: 200, headers: map[string]string{"Access-Control-Allow-Origin": "https://shop.example", "Access-Control-Expose-Headers": "x-seen"}},
		},
		{
			says: "It has none for another origin", page: httpCORS, api: "Shop", method: "GET", path: "/orders", headers: []string{"Origin: https://other.example"},
			want: wanted{status: 200, headers: map[string]string{"Access-Control-Allow-Origin": ""}},
		},
		{
			says: "CORS headers that the function returns are ignored", page: httpCORS, api: "Shop", method: "GET", path: "/orders", headers: append(answers(`{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"https://evil.example"}}`), "Origin: https://shop.example"),
			want: wanted{status: 200, headers: map[string]string{"Access-Control-Allow-Origin": "https://shop.example"}},
		},

		// REST APIs: the event.
		{
			says: "The event has resource, path, httpMethod and pathParameters", page: restProxy, api: "Rest", method: "GET", path: "/items/5",
			want: wanted{event: fields{"resource": "/items/{id}", "path": "/items/5", "httpMethod": "GET", "pathParameters.id": "5", "isBase64Encoded": false}},
		},
		{
			says: "What a request lacks is null", page: restProxy, api: "Rest", method: "GET", path: "/items/special",
			want: wanted{event: fields{"queryStringParameters": nil, "multiValueQueryStringParameters": nil, "pathParameters": nil, "body": nil}},
		},
		{
			says: "A query parameter has its last value, and all values beside it", page: restProxy, api: "Rest", method: "GET", path: "/items/5?a=1&a=2",
			want: wanted{event: fields{"queryStringParameters.a": "2", "multiValueQueryStringParameters.a": list("1", "2")}},
		},
		{
			says: "A header has its last value, and all values beside it", page: restProxy, api: "Rest", method: "GET", path: "/items/5", headers: []string{"X-Custom: a", "X-Custom: b"},
			sam:  differs("AWS and Bailey are right: the SAM CLI joins the values with commas"),
			want: wanted{event: fields{"headers.X-Custom": "b", "multiValueHeaders.X-Custom": list("a", "b")}},
		},
		{
			says: "requestContext names the stage, the resource and the whole path", page: restProxy, api: "Rest", method: "GET", path: "/prod/items/5",
			sam:  differs("AWS and Bailey are right: the path on AWS begins with the stage, which the SAM CLI has no address for (aws-sam-cli #1483); Bailey takes both"),
			want: wanted{event: fields{"requestContext.stage": "prod", "requestContext.resourcePath": "/items/{id}", "requestContext.path": "/prod/items/5", "requestContext.httpMethod": "GET", "requestContext.identity.sourceIp": "127.0.0.1"}},
		},
		{
			says: "Stage variables are in the event", page: restStages, api: "Rest", method: "GET", path: "/items/5",
			want: wanted{event: fields{"stageVariables.color": "red"}},
		},
		{
			says: "A greedy variable takes the rest of the path", page: restProxy, api: "Rest", method: "GET", path: "/files/a/b",
			want: wanted{event: fields{"resource": "/files/{proxy+}", "pathParameters.proxy": "a/b"}},
		},
		{
			says: "ANY takes every method", page: restProxy, api: "Rest", method: "PUT", path: "/any",
			want: wanted{event: fields{"resource": "/any", "httpMethod": "PUT"}},
		},
		{
			says: "A body of a binary media type is base64", page: restBinary, api: "Rest", method: "POST", path: "/binary", headers: []string{"Content-Type: image/png"}, body: picture,
			want: wanted{event: fields{"body": base64.StdEncoding.EncodeToString([]byte(picture)), "isBase64Encoded": true}},
		},
		{
			says: "A body of another type is text", page: restBinary, api: "Rest", method: "POST", path: "/binary", headers: []string{"Content-Type: application/json"}, body: `{"ü":1}`,
			want: wanted{event: fields{"body": `{"ü":1}`, "isBase64Encoded": false}},
		},
		// REST APIs: the answer.
		{
			says: "statusCode, headers and body are the answer's", page: restProxy, api: "Rest", method: "GET", path: "/items/5", headers: answers(`{"statusCode":201,"headers":{"X-Seen":"yes"},"body":"b"}`),
			want: wanted{status: 201, body: "b", headers: map[string]string{"X-Seen": "yes"}},
		},
		{
			says: "multiValueHeaders give a header several values", page: restProxy, api: "Rest", method: "GET", path: "/items/5", headers: answers(`{"statusCode":200,"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]}}`),
			want: wanted{status: 200, headers: map[string]string{"Set-Cookie": "a=1; b=2"}},
		},
		{
			says: "An answer in another form gives 502", page: restProxy, api: "Rest", method: "GET", path: "/items/5", headers: answers(`{"message":"hi"}`),
			want: wanted{status: 502, body: `{"message": "Internal server error"}`},
		},
		{
			says: "A string as the answer gives 502", page: restProxy, api: "Rest", method: "GET", path: "/items/5", headers: answers(`"hi"`),
			want: wanted{status: 502, body: `{"message": "Internal server error"}`},
		},
		{
			says: "A body that is no text gives 502", page: restProxy, api: "Rest", method: "GET", path: "/items/5", headers: answers(`{"statusCode":200,"body":{"a":1}}`),
			sam:  differs("AWS and Bailey are right: the SAM CLI sends the body as Python would print it"),
			want: wanted{status: 502},
		},
		{
			says: "An error of the function gives 502", page: restProxy, api: "Rest", method: "GET", path: "/items/5", headers: []string{"X-Do: fail"},
			sam:  differs("AWS and Bailey are right: the SAM CLI gives 500"),
			want: wanted{status: 502, body: `{"message": "Internal server error"}`},
		},
		{
			says: "A body in base64 is decoded where the client accepts a binary type", page: restBinary, api: "Rest", method: "GET", path: "/items/5",
			headers: append(answers(`{"statusCode":200,"isBase64Encoded":true,"headers":{"Content-Type":"image/png"},"body":"`+base64.StdEncoding.EncodeToString([]byte(picture))+`"}`), "Accept: image/png"),
			want:    wanted{status: 200, body: picture, headers: map[string]string{"Content-Type": "image/png"}},
		},
		{
			says: "It stays base64 where the client does not", page: restBinary, api: "Rest", method: "GET", path: "/items/5",
			headers: append(answers(`{"statusCode":200,"isBase64Encoded":true,"body":"`+base64.StdEncoding.EncodeToString([]byte(picture))+`"}`), "Accept: application/json"),
			want:    wanted{status: 200, body: base64.StdEncoding.EncodeToString([]byte(picture))},
		},
		{
			says: "A path that is no resource gives 403 Missing Authentication Token", page: restGateway, api: "Rest", method: "GET", path: "/nothing",
			sam:  differs("AWS and Bailey are right: the SAM CLI leaves out the header x-amzn-ErrorType, which SDKs read"),
			want: wanted{status: 403, body: `{"message":"Missing Authentication Token"}`, headers: map[string]string{"X-Amzn-Errortype": "MissingAuthenticationTokenException"}},
		},
		{
			says: "So does a method that a resource has not", page: restGateway, api: "Rest", method: "DELETE", path: "/items/5",
			want: wanted{status: 403, body: `{"message":"Missing Authentication Token"}`},
		},
		{
			says: "The integration's timeout gives 504", page: restGateway, api: "Rest", method: "GET", path: "/slow", headers: []string{"X-Do: sleep", "X-Millis: 3000"},
			sam:  differs("AWS and Bailey are right: the SAM CLI knows no timeout of integrations"),
			want: wanted{status: 504, body: `{"message": "Endpoint request timed out"}`},
		},
		{
			says: "A body over 10 MB gives 413", page: restQuotas, api: "Rest", method: "POST", path: "/items", body: strings.Repeat("x", 10<<20+1),
			sam:  differs("AWS and Bailey are right: the SAM CLI knows no limit, and fails where the function's runtime does"),
			want: wanted{status: 413},
		},
		// REST APIs: who may call.
		{
			says: "Without its token a TOKEN authorizer is not invoked: 401", page: restGuard, api: "Rest", method: "GET", path: "/token",
			want: wanted{status: 401, body: `{"message":"Unauthorized"}`},
		},
		{
			says: "A policy that allows lets through, with the context as text", page: restGuard, api: "Rest", method: "GET", path: "/token", headers: []string{"Authorization: allow"},
			sam:  differs("AWS and Bailey are right: the SAM CLI leaves numbers and booleans as they are"),
			want: wanted{event: fields{"requestContext.authorizer.user": "ann", "requestContext.authorizer.principalId": "ann", "requestContext.authorizer.number": "7", "requestContext.authorizer.yes": "true"}},
		},
		{
			says: "A policy that denies gives 403", page: restGuard, api: "Rest", method: "GET", path: "/token", headers: []string{"Authorization: deny"},
			want: wanted{status: 403},
		},
		{
			says: "An authorizer that says Unauthorized gives 401", page: restGuard, api: "Rest", method: "GET", path: "/token", headers: []string{"Authorization: unauthorized"},
			sam:  differs("AWS and Bailey are right: the SAM CLI gives 502 for every failure of an authorizer"),
			want: wanted{status: 401, body: `{"message":"Unauthorized"}`},
		},
		{
			says: "An authorizer that fails gives 500", page: restGateway, api: "Rest", method: "GET", path: "/token", headers: []string{"Authorization: fail"},
			sam:  differs("AWS and Bailey are right: the SAM CLI gives 502"),
			want: wanted{status: 500},
		},
		{
			says: "A REQUEST authorizer without its identity source gives 401", page: restGuardIn, api: "Rest", method: "GET", path: "/request",
			want: wanted{status: 401},
		},
		{
			says: "A REQUEST authorizer sees the query string", page: restGuardIn, api: "Rest", method: "GET", path: "/request?token=allow",
			want: wanted{event: fields{"requestContext.authorizer.user": "ann"}},
		},
		{
			says: "A method that requires an API key gives 403 without one", page: restKeys, api: "Rest", method: "GET", path: "/key",
			sam:  withoutKeys,
			want: wanted{status: 403, body: `{"message":"Forbidden"}`},
		},
		{
			says: "And with another one", page: restKeys, api: "Rest", method: "GET", path: "/key", headers: []string{"X-Api-Key: not-this-one-for-sure"},
			sam:  withoutKeys,
			want: wanted{status: 403},
		},
		{
			says: "A key of the plan lets through", page: restKeys, api: "Rest", method: "GET", path: "/key", headers: []string{"X-Api-Key: a-key-of-twenty-chars"},
			sam:  withoutKeys,
			want: wanted{status: 200, event: fields{"requestContext.identity.apiKey": "a-key-of-twenty-chars"}},
		},
		{
			says: "An unsigned request to a method with IAM authorisation gives 403", page: restIAM, api: "Rest", method: "GET", path: "/signed",
			sam:  withoutIAM,
			want: wanted{status: 403, body: `{"message":"Missing Authentication Token"}`},
		},
		{
			says: "A MOCK method answers a preflight", page: restCORS, api: "Rest", method: "OPTIONS", path: "/items", headers: []string{"Origin: https://shop.example", "Access-Control-Request-Method: GET"},
			sam:  differs("AWS and Bailey are right: the SAM CLI adds OPTIONS to the methods that the template allows"),
			want: wanted{headers: map[string]string{"Access-Control-Allow-Origin": "https://shop.example", "Access-Control-Allow-Methods": "GET,POST"}},
		},

		// Function URLs.
		{
			says: "The event is that of format 2.0, with the route $default", page: urlInvoke, api: "Url", method: "POST", path: "/a/b?x=1", body: "text", headers: []string{"Content-Type: text/plain"},
			want: wanted{event: fields{"version": "2.0", "routeKey": "$default", "rawPath": "/a/b", "rawQueryString": "x=1", "body": "text", "isBase64Encoded": false, "requestContext.stage": "$default"}},
		},
		{
			says: "Header names are lower case", page: urlInvoke, api: "Url", method: "GET", path: "/", headers: []string{"X-Custom: v"},
			sam:  differs("AWS and Bailey are right: the SAM CLI, which serves an HTTP API in the URL's place, capitalises the names"),
			want: wanted{event: fields{"headers.x-custom": "v"}},
		},
		{
			says: "An object without statusCode is the body", page: urlInvoke, api: "Url", method: "GET", path: "/", headers: answers(`{"message":"hi"}`),
			want: wanted{status: 200, body: `{"message":"hi"}`, headers: map[string]string{"Content-Type": "application/json"}},
		},
		{
			says: "An error of the function gives 502", page: "lambda/latest/dg/urls-monitoring.html", api: "Url", method: "GET", path: "/", headers: []string{"X-Do: fail"},
			sam:  differs("AWS and Bailey are right: the SAM CLI gives 500"),
			want: wanted{status: 502},
		},
		{
			says: "A preflight is answered with the URL's configuration", page: urlConfig, api: "Url", method: "OPTIONS", path: "/", headers: []string{"Origin: https://shop.example", "Access-Control-Request-Method: GET"},
			sam:  differs("AWS and Bailey are right: the SAM CLI adds OPTIONS to the methods that the template allows"),
			want: wanted{status: 200, headers: map[string]string{"Access-Control-Allow-Origin": "https://shop.example", "Access-Control-Allow-Methods": "GET", "Access-Control-Max-Age": "60"}},
		},
	}
}
