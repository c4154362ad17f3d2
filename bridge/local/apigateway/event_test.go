//go:build unix

package apigateway

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/model"
)

const (
	format2Page  = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"
	restPage     = "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html"
	urlPage      = "https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html"
	binaryPage   = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html"
	observedPage = "https://github.com/aws/aws-lambda-dotnet/tree/master/Tools/LambdaTestTool-v2" // tests run against API Gateway
	decodedPage  = "https://github.com/middleapi/standard-server/pull/93"                         // captures of API Gateway
)

// normal puts fixed values for what is new in each request.
func normal(event string, address string) string {
	for _, r := range [][2]string{
		{`"requestId":"[^"]*"`, `"requestId":"ID"`},
		{`"extendedRequestId":"[^"]*"`, `"extendedRequestId":"XID"`},
		{`Root=1-[0-9a-f]{8}-[0-9a-f]{24}`, `TRACE`},
		{`"(time|requestTime)":"[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} \+0000"`, `"$1":"TIME"`},
		{`"(timeEpoch|requestTimeEpoch)":[0-9]{13}`, `"$1":1`},
	} {
		event = regexp.MustCompile(r[0]).ReplaceAllString(event, r[1])
	}
	_, port, _ := strings.Cut(address, ":")
	return strings.ReplaceAll(event, port, "PORT")
}

// compact is JSON without white space.
func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return b.String()
}

// The whole event, field by field, for one request to each kind of API.
func TestEvents(t *testing.T) {
	const request = `POST /pets/a%20b?q=1&q=%C3%BC+2&e=&raw=%2B HTTP/1.1
Host: localhost:PORT
User-Agent: agent
X-Many: one
X-Many: two
Cookie: a=b; c=d
Content-Type: text/plain
Content-Length: 5

hello`
	for _, test := range []struct {
		name, page string
		api        *model.API
		want       string
	}{
		{"HTTP API 2.0", format2Page, apiOf(model.HTTP, "POST /pets/{id}"), `{
			"version":"2.0","routeKey":"POST /pets/{id}","rawPath":"/pets/a b","rawQueryString":"q=1&q=%C3%BC+2&e=&raw=%2B",
			"cookies":["a=b","c=d"],
			"headers":{"content-length":"5","content-type":"text/plain","host":"localhost:PORT","user-agent":"agent","x-amzn-trace-id":"TRACE","x-forwarded-for":"127.0.0.1","x-forwarded-port":"PORT","x-forwarded-proto":"http","x-many":"one,two"},
			"queryStringParameters":{"e":"","q":"1,ü 2","raw":"+"},
			"requestContext":{"accountId":"123456789012","apiId":"abcdef1234","domainName":"localhost:PORT","domainPrefix":"localhost",
				"http":{"method":"POST","path":"/pets/a b","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":"agent"},
				"requestId":"ID","routeKey":"POST /pets/{id}","stage":"$default","time":"TIME","timeEpoch":1},
			"pathParameters":{"id":"a b"},"stageVariables":{"color":"blue"},"body":"hello","isBase64Encoded":false}`},
		{"HTTP API 1.0", format2Page, format1(apiOf(model.HTTP, "POST /pets/{id}")), `{
			"version":"1.0","resource":"/pets/{id}","path":"/pets/a%20b","httpMethod":"POST",
			"headers":{"content-length":"5","content-type":"text/plain","cookie":"a=b; c=d","host":"localhost:PORT","user-agent":"agent","x-amzn-trace-id":"TRACE","x-forwarded-for":"127.0.0.1","x-forwarded-port":"PORT","x-forwarded-proto":"http","x-many":"two"},
			"multiValueHeaders":{"content-length":["5"],"content-type":["text/plain"],"cookie":["a=b; c=d"],"host":["localhost:PORT"],"user-agent":["agent"],"x-amzn-trace-id":["TRACE"],"x-forwarded-for":["127.0.0.1"],"x-forwarded-port":["PORT"],"x-forwarded-proto":["http"],"x-many":["one","two"]},
			"queryStringParameters":{"e":"","q":"ü 2","raw":"+"},
			"multiValueQueryStringParameters":{"e":[""],"q":["1","ü 2"],"raw":["+"]},
			"requestContext":{"accountId":"123456789012","apiId":"abcdef1234","authorizer":{"claims":null,"scopes":null},"domainName":"localhost:PORT","domainPrefix":"localhost","extendedRequestId":"XID","httpMethod":"POST",
				"identity":{"accessKey":null,"accountId":null,"caller":null,"cognitoAuthenticationProvider":null,"cognitoAuthenticationType":null,"cognitoIdentityId":null,"cognitoIdentityPoolId":null,"principalOrgId":null,"sourceIp":"127.0.0.1","user":null,"userAgent":"agent","userArn":null},
				"path":"/pets/a%20b","protocol":"HTTP/1.1","requestId":"ID","requestTime":"TIME","requestTimeEpoch":1,"resourceId":"POST /pets/{id}","resourcePath":"/pets/{id}","stage":"$default"},
			"pathParameters":{"id":"a b"},"stageVariables":{"color":"blue"},"body":"hello","isBase64Encoded":false}`},
		{"REST API", restPage, apiOf(model.REST, "POST /pets/{id}"), `{
			"resource":"/pets/{id}","path":"/pets/a%20b","httpMethod":"POST",
			"headers":{"Content-Length":"5","Content-Type":"text/plain","Cookie":"a=b; c=d","Host":"localhost:PORT","User-Agent":"agent","X-Amzn-Trace-Id":"TRACE","X-Forwarded-For":"127.0.0.1","X-Forwarded-Port":"PORT","X-Forwarded-Proto":"http","X-Many":"two"},
			"multiValueHeaders":{"Content-Length":["5"],"Content-Type":["text/plain"],"Cookie":["a=b; c=d"],"Host":["localhost:PORT"],"User-Agent":["agent"],"X-Amzn-Trace-Id":["TRACE"],"X-Forwarded-For":["127.0.0.1"],"X-Forwarded-Port":["PORT"],"X-Forwarded-Proto":["http"],"X-Many":["one","two"]},
			"queryStringParameters":{"e":"","q":"ü 2","raw":"+"},
			"multiValueQueryStringParameters":{"e":[""],"q":["1","ü 2"],"raw":["+"]},
			"requestContext":{"accountId":"123456789012","apiId":"abcdef1234","domainName":"localhost:PORT","domainPrefix":"localhost","extendedRequestId":"XID","httpMethod":"POST",
				"identity":{"accessKey":null,"accountId":null,"caller":null,"cognitoAuthenticationProvider":null,"cognitoAuthenticationType":null,"cognitoIdentityId":null,"cognitoIdentityPoolId":null,"principalOrgId":null,"sourceIp":"127.0.0.1","user":null,"userAgent":"agent","userArn":null},
				"path":"/pets/a%20b","protocol":"HTTP/1.1","requestId":"ID","requestTime":"TIME","requestTimeEpoch":1,"resourceId":null,"resourcePath":"/pets/{id}","stage":"prod"},
			"pathParameters":{"id":"a%20b"},"stageVariables":{"color":"blue"},"body":"hello","isBase64Encoded":false}`},
		{"function URL", urlPage, apiOf(model.FunctionURL, "$default"), `{
			"version":"2.0","routeKey":"$default","rawPath":"/pets/a%20b","rawQueryString":"q=1&q=%C3%BC+2&e=&raw=%2B",
			"cookies":["a=b","c=d"],
			"headers":{"content-length":"5","content-type":"text/plain","host":"localhost:PORT","user-agent":"agent","x-amzn-trace-id":"TRACE","x-forwarded-for":"127.0.0.1","x-forwarded-port":"PORT","x-forwarded-proto":"http","x-many":"one,two"},
			"queryStringParameters":{"e":"","q":"1,ü 2","raw":"+"},
			"requestContext":{"accountId":"123456789012","apiId":"abcdef1234","domainName":"localhost:PORT","domainPrefix":"localhost",
				"http":{"method":"POST","path":"/pets/a%20b","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":"agent"},
				"requestId":"ID","routeKey":"$default","stage":"$default","time":"TIME","timeEpoch":1},
			"body":"hello","isBase64Encoded":false}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.api.Protocol != model.FunctionURL {
				test.api.StageVariables = map[string]string{"color": "blue"}
			}
			i := &invoker{payload: `{"statusCode":200}`}
			address, _ := serve(t, Options{Application: application(test.api), Invoke: i.invoke})
			_, port, _ := strings.Cut(address, ":")
			exchangeRaw(t, address, strings.ReplaceAll(request, "PORT", port))
			if got := normal(i.last(t), address); got != compact(t, test.want) {
				t.Errorf("%s\ngot  %s\nwant %s", test.page, got, compact(t, test.want))
			}
		})
	}
}

func format1(api *model.API) *model.API {
	for _, route := range api.Routes {
		route.PayloadFormatVersion = payload1
	}
	return api
}

// field is a field of an event by its path, as JSON.
func field(t *testing.T, event, path string) string {
	t.Helper()
	var at any
	if err := json.Unmarshal([]byte(event), &at); err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(path, ".") {
		object, _ := at.(map[string]any)
		value, ok := object[name]
		if !ok {
			return "(absent)"
		}
		at = value
	}
	text, _ := json.Marshal(at)
	return string(text)
}

// Single rules of the event. A request without more is a GET.
func TestEventFields(t *testing.T) {
	http, rest, url := apiOf(model.HTTP, "$default", "GET /x/{id}", "GET /g/{p+}"), apiOf(model.REST, "ANY /{proxy+}", "ANY /", "GET /x/{id}"), apiOf(model.FunctionURL, "$default")
	staged := apiOf(model.HTTP, "GET /x", "GET /dev/dev")
	staged.StageName = "dev"
	images := apiOf(model.REST, "ANY /{proxy+}")
	images.BinaryMediaTypes = []string{"image/*", "application/octet-stream"}
	everything := apiOf(model.REST, "ANY /{proxy+}")
	everything.BinaryMediaTypes = []string{"*~1*"}
	for _, test := range []struct {
		page, name string
		api        *model.API
		target     string // the path, or the method and the path
		headers    string
		body       string
		field      string
		want       string
	}{
		{format2Page, "no query, no parameters", http, "/", "", "", "queryStringParameters", "(absent)"},
		{format2Page, "no body in 2.0", http, "/", "", "", "body", "(absent)"},
		{format2Page, "no cookies", http, "/", "", "", "cookies", "(absent)"},
		{restPage, "no query in 1.0", rest, "/", "", "", "queryStringParameters", "null"},
		{restPage, "no many-valued query in 1.0", rest, "/", "", "", "multiValueQueryStringParameters", "null"},
		{restPage, "no path parameters in 1.0", rest, "/", "", "", "pathParameters", "null"},
		{restPage, "no stage variables in 1.0", rest, "/", "", "", "stageVariables", "null"},
		{restPage, "no body in 1.0", rest, "/", "", "", "body", "null"},
		{format2Page, "names are lower-case", http, "/", "X-UPPER_Case: v\n", "", "headers.x-upper_case", `"v"`},
		{format2Page, "cookies have their own field", http, "/", "Cookie: a=1\nCookie: b=2\n", "", "cookies", `["a=1","b=2"]`},
		{format2Page, "and none in headers", http, "/", "Cookie: a=1\n", "", "headers.cookie", "(absent)"},
		{observedPage, "a length also without a body", http, "/", "", "", "headers.content-length", `"0"`},
		{observedPage, "none of a REST API", rest, "/", "", "", "headers.Content-Length", "(absent)"},
		{decodedPage, "an HTTP API decodes the path", http, "/x/%C3%BC%2Bb", "", "", "rawPath", `"/x/ü+b"`},
		{decodedPage, "and ends it at a decoded question mark", http, "/x/a%3Fb=c?d=e", "", "", "rawPath", `"/x/a"`},
		{decodedPage, "and keeps the query then", http, "/x/a%3Fb=c?d=e", "", "", "rawQueryString", `"d=e"`},
		{observedPage, "%2F is a slash to an HTTP API", http, "/x/a%2Fb", "", "", "routeKey", `"$default"`},
		{observedPage, "also in a greedy variable", http, "/g/a%2Fb", "", "", "pathParameters.p", `"a/b"`},
		{observedPage, "a REST API leaves it", rest, "/x/a%2Fb", "", "", "pathParameters.id", `"a%2Fb"`},
		{decodedPage, "a function URL leaves the path", url, "/x/a%2Fb%20c", "", "", "rawPath", `"/x/a%2Fb%20c"`},
		{urlPage, "no path parameters of a function URL", url, "/a", "", "", "pathParameters", "(absent)"},
		{urlPage, "no authorizer of an open function URL", url, "/a", "", "", "requestContext.authorizer", "(absent)"},
		{restPage, "a slash at the end stays in the path", rest, "/x/7/", "", "", "path", `"/x/7/"`},
		{restPage, "and does not count for the resource", rest, "/x/7/", "", "", "resource", `"/x/{id}"`},
		{"https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html", "a stage in the path", staged, "/dev/x", "", "", "rawPath", `"/dev/x"`},
		{"as the SAM CLI has it", "none is needed", staged, "/x", "", "", "rawPath", `"/x"`},
		{"as the SAM CLI has it", "a path that looks like the stage", staged, "/dev/dev", "", "", "rawPath", `"/dev/dev"`},
		{"https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html", "a REST stage in the context's path", rest, "/prod/x/1", "", "", "requestContext.path", `"/prod/x/1"`},
		{restPage, "and not in the path", rest, "/prod/x/1", "", "", "path", `"/x/1"`},
		{"https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html", "more than one value for X-Forwarded-For", http, "/", "X-Forwarded-For: 1.2.3.4\n", "", "headers.x-forwarded-for", `"1.2.3.4, 127.0.0.1"`},
		{"https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-xray.html", "a trace goes on", http, "/", "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793\n", "", "headers.x-amzn-trace-id", `"Root=1-5759e988-bd862e3fe1be46a994272793"`},
		{format2Page, "text stays text", http, "POST /", "Content-Type: application/json; charset=utf-8\n", `{"a":1}`, "body", `"{\"a\":1}"`},
		{format2Page, "a form is binary to an HTTP API", http, "POST /", "Content-Type: application/x-www-form-urlencoded\n", `a=b`, "body", `"YT1i"`},
		{format2Page, "and so it says", http, "POST /", "Content-Type: application/x-www-form-urlencoded\n", `a=b`, "isBase64Encoded", "true"},
		{urlPage, "a picture is", url, "POST /", "Content-Type: image/png\n", "\x89PNG", "body", `"iVBORw=="`},
		{urlPage, "what is no text is binary whatever its type", url, "POST /", "Content-Type: text/plain\n", "\xff\xfe", "body", `"//4="`},
		{binaryPage, "a REST API without binary types takes all for text", rest, "POST /a", "Content-Type: image/png\n", "abc", "body", `"abc"`},
		{binaryPage, "with a type that matches it is binary", images, "POST /a", "Content-Type: image/png\n", "abc", "body", `"YWJj"`},
		{binaryPage, "with another it is text", images, "POST /a", "Content-Type: application/json\n", "abc", "isBase64Encoded", "false"},
		{binaryPage, "*/* takes all", everything, "POST /a", "Content-Type: application/json\n", "abc", "body", `"YWJj"`},
		{restPage, "the last value of a header", rest, "/a", "X-A: 1\nX-A: 2\n", "", "headers.X-A", `"2"`},
		{"https://www.rfc-editor.org/rfc/rfc9110#name-connection", "headers of the connection stay behind", http, "/", "Keep-Alive: timeout=5\n", "", "headers.keep-alive", "(absent)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := &invoker{payload: `{"statusCode":200}`}
			address, _ := serve(t, Options{Application: application(test.api), Invoke: i.invoke})
			method, path, ok := strings.Cut(test.target, " ")
			if !ok {
				method, path = "GET", test.target
			}
			head := method + " " + path + " HTTP/1.1\nHost: localhost\n" + test.headers
			if test.body != "" {
				head += "Content-Length: " + itoa(len(test.body)) + "\n"
			}
			exchangeRaw(t, address, head+"\n"+test.body)
			if got := field(t, i.last(t), test.field); got != test.want {
				t.Errorf("%s\n%s is %s, want %s\n%s", test.page, test.field, got, test.want, i.last(t))
			}
		})
	}
}
