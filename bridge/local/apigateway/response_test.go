//go:build unix

package apigateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const (
	gatewayResponses = "https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html"
	lambdaErrors     = "https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html#services-apigateway-errors"
	knownIssues      = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html"
	throttledURLs    = "https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-throttling"
	serviceOut       = "https://github.com/cortexlabs/cortex/issues/1225" // a capture of API Gateway
)

const (
	http500  = `500 application/json {"message":"Internal Server Error"}`
	rest502  = `502 application/json {"message": "Internal server error"}`
	url502   = `502 application/json Internal Server Error`
	plain200 = "200 text/plain; charset=utf-8 "
)

// What a function returns, and what the client gets: status, Content-Type,
// headers that are asked for, and body.
func TestResponses(t *testing.T) {
	http2, http1 := apiOf(model.HTTP, "$default"), format1(apiOf(model.HTTP, "$default"))
	rest, url := apiOf(model.REST, "ANY /{proxy+}"), apiOf(model.FunctionURL, "$default")
	images := apiOf(model.REST, "ANY /{proxy+}")
	images.BinaryMediaTypes = []string{"image/png"}
	everything := apiOf(model.REST, "ANY /{proxy+}")
	everything.BinaryMediaTypes = []string{"*/*"}
	for _, test := range []struct {
		page, name string
		api        *model.API
		payload    string
		accept     string
		headers    string // names whose values are wanted
		want       string
	}{
		{format2Page, "a text is a body", http2, `"Hello from Lambda!"`, "", "", `200 application/json Hello from Lambda!`},
		{format2Page, "an object without a statusCode is", http2, `{"message": "Hello"}`, "", "", `200 application/json {"message": "Hello"}`},
		{format2Page, "a list is", http2, `[1,2]`, "", "", `200 application/json [1,2]`},
		{format2Page, "a number is", http2, `17`, "", "", `200 application/json 17`},
		{format2Page, "null is", http2, `null`, "", "", `200 application/json null`},
		{observedPage, "what is no JSON is", http2, `{"name": "John", "age":`, "", "", `200 application/json {"name": "John", "age":`},
		{urlPage, "a function URL keeps the quotes of a text", url, `"Hello, world!"`, "", "", `200 application/json "Hello, world!"`},
		{urlPage, "an object without a statusCode", url, `{"message":"Hello"}`, "", "", `200 application/json {"message":"Hello"}`},
		{format2Page, "a response", http2, `{"statusCode":201,"headers":{"Content-Type":"text/html","X-A":"b"},"body":"<p>","isBase64Encoded":false}`, "", "X-A", `201 text/html X-A=b <p>`},
		{format2Page, "cookies", http2, `{"statusCode":200,"cookies":["a=1; HttpOnly","b=2"]}`, "", "Set-Cookie", plain200 + `Set-Cookie=a=1; HttpOnly|b=2 `},
		{urlPage, "cookies of a function URL", url, `{"statusCode":200,"cookies":["a=1"]}`, "", "Set-Cookie", `200 application/json Set-Cookie=a=1 `},
		{observedPage, "no content type, HTTP API 2.0", http2, `{"statusCode":200,"body":"x"}`, "", "", plain200 + "x"},
		{observedPage, "no content type, HTTP API 1.0", http1, `{"statusCode":200,"body":"x"}`, "", "", plain200 + "x"},
		{knownIssues, "no content type, REST API", rest, `{"statusCode":200,"body":"x"}`, "", "", `200 application/json x`},
		{format2Page, "base64", http2, `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, "", "", plain200 + "hi"},
		{format2Page, "what is no base64", http2, `{"statusCode":200,"body":"*","isBase64Encoded":true}`, "", "", http500},
		{observedPage, "a statusCode that is no whole number", http2, `{"statusCode":200.5,"body":""}`, "", "", http500},
		{observedPage, "a statusCode in a text", http2, `{"statusCode":"204"}`, "", "", `204 text/plain; charset=utf-8 `},
		{format2Page, "a statusCode that HTTP does not have", http2, `{"statusCode":1000}`, "", "", http500},
		{format2Page, "a body that is an object", http2, `{"statusCode":200,"body":{"a":1}}`, "", "", http500},
		{format2Page, "a header that is a list", http2, `{"statusCode":200,"headers":{"a":["b"]}}`, "", "", http500},
		{format2Page, "a header that is a number", http2, `{"statusCode":200,"headers":{"x-n":7}}`, "", "X-N", plain200 + "X-N=7 "},
		{"https://www.rfc-editor.org/rfc/rfc9110#section-5.5", "a header with a line break", http2, `{"statusCode":200,"headers":{"a":"b\r\nset-cookie: c=d"}}`, "", "", http500},
		{"https://www.rfc-editor.org/rfc/rfc9110#section-5.1", "a header with a space in its name", http2, `{"statusCode":200,"headers":{"a b":"c"}}`, "", "", http500},
		{"https://www.rfc-editor.org/rfc/rfc9110#section-5.5", "a cookie with a line break", http2, `{"statusCode":200,"cookies":["a\nb: c"]}`, "", "", http500},
		{format2Page, "1.0 without statusCode", http1, `{"body":"x"}`, "", "", http500},
		{format2Page, "1.0 that is a text", http1, `"x"`, "", "", http500},
		{format2Page, "multiValueHeaders in 1.0", http1, `{"statusCode":200,"multiValueHeaders":{"x-a":["1","2"]},"headers":{"x-a":"3"}}`, "", "X-A", plain200 + "X-A=1|2|3 "},
		{restPage, "a REST response", rest, `{"statusCode":404,"headers":{"Content-Type":"text/x"},"body":"no"}`, "", "", `404 text/x no`},
		{restPage, "the same value in both kinds of headers", rest, `{"statusCode":200,"multiValueHeaders":{"X-A":["1","2"]},"headers":{"X-A":"2"}}`, "", "X-A", `200 application/json X-A=1|2 `},
		{restPage, "no statusCode", rest, `{"body":"x"}`, "", "", rest502},
		{restPage, "a text", rest, `"x"`, "", "", rest502},
		{restPage, "null", rest, `null`, "", "", rest502},
		{restPage, "a body that is an object", rest, `{"statusCode":200,"body":{"a":1}}`, "", "", rest502},
		{"as the SAM CLI has it", "a field too many", rest, `{"statusCode":200,"bodi":"x"}`, "", "", rest502},
		{binaryPage, "base64 without binary types stays", rest, `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, "image/png", "", `200 application/json aGk=`},
		{binaryPage, "base64 for a client that wants a binary type", images, `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, "image/png", "", `200 application/json hi`},
		{binaryPage, "the first type of Accept counts", images, `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, "text/html, image/png", "", `200 application/json aGk=`},
		{binaryPage, "*/* takes every client", everything, `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, "", "", `200 application/json hi`},
		{gatewayResponses, "API_CONFIGURATION_ERROR where it is no base64", everything, `{"statusCode":200,"body":"*","isBase64Encoded":true}`, "", "", `500 application/json {"message": "Internal server error"}`},
		{knownIssues, "headers that are remapped", rest, `{"statusCode":401,"headers":{"WWW-Authenticate":"Basic","Server":"mine"}}`, "", "Www-Authenticate,X-Amzn-Remapped-Www-Authenticate,Server,X-Amzn-Remapped-Server", `401 application/json X-Amzn-Remapped-Www-Authenticate=Basic X-Amzn-Remapped-Server=mine `},
		{knownIssues, "and not by an HTTP API", http2, `{"statusCode":401,"headers":{"WWW-Authenticate":"Basic"}}`, "", "Www-Authenticate", `401 text/plain; charset=utf-8 Www-Authenticate=Basic `},
		{"https://www.rfc-editor.org/rfc/rfc9112#name-message-body-length", "a length that is wrong", http2, `{"statusCode":200,"headers":{"Content-Length":"99","Transfer-Encoding":"x"},"body":"abc"}`, "", "Content-Length", plain200 + "Content-Length=3 abc"},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := &invoker{payload: test.payload}
			log := &logBuffer{}
			address, _ := serve(t, Options{Application: application(test.api), Invoke: i.invoke, Logs: log})
			head := "GET /x HTTP/1.1\nHost: localhost\n"
			if test.accept != "" {
				head += "Accept: " + test.accept + "\n"
			}
			if got := told(exchangeRaw(t, address, head+"\n")).with(test.headers); got != test.want {
				t.Errorf("%s\ngot  %q\nwant %q\n%s", test.page, got, test.want, log)
			}
		})
	}
}

// teller puts an answer on one line.
type teller struct {
	reply *http.Response
	body  string
}

func told(reply *http.Response, body string) teller { return teller{reply, body} }

func (a teller) with(headers string) string {
	line := itoa(a.reply.StatusCode) + " " + a.reply.Header.Get("Content-Type") + " "
	for name := range strings.SplitSeq(headers, ",") {
		if values := a.reply.Header.Values(name); len(values) > 0 {
			line += name + "=" + strings.Join(values, "|") + " "
		}
	}
	return line + a.body
}

// What the client gets where no function has answered.
func TestFailures(t *testing.T) {
	throttled := &local.ThrottledError{Function: "Hello", Limit: 1, Reserved: true}
	tooLarge := &local.RequestTooLargeError{Size: 7 << 20}
	sleep := func(ctx context.Context, _ *model.Function, _ local.Invocation) (*local.Result, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for _, test := range []struct {
		page, name string
		protocol   model.Protocol
		invoker    *invoker
		want       string
	}{
		{lambdaErrors, "the function failed", model.REST, &invoker{failed: "Unhandled"}, rest502},
		{lambdaErrors, "Lambda refused", model.REST, &invoker{err: errors.New("no")}, `500 application/json {"message": "Internal server error"}`},
		{lambdaErrors, "Lambda throttled", model.REST, &invoker{err: throttled}, `500 application/json {"message": "Internal server error"}`},
		{gatewayResponses, "INTEGRATION_TIMEOUT", model.REST, &invoker{run: sleep}, `504 application/json {"message": "Endpoint request timed out"}`},
		{observedPage, "the event is too large", model.REST, &invoker{err: tooLarge}, `413 application/json {"message":"Request Too Long"}`},
		{"https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html", "the function failed", model.HTTP, &invoker{failed: "Unhandled"}, http500},
		{"https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html", "Lambda refused", model.HTTP, &invoker{err: errors.New("no")}, http500},
		{serviceOut, "Lambda throttled", model.HTTP, &invoker{err: throttled}, `503 application/json {"message":"Service Unavailable"}`},
		{serviceOut, "timed out", model.HTTP, &invoker{run: sleep}, `503 application/json {"message":"Service Unavailable"}`},
		{observedPage, "the event is too large", model.HTTP, &invoker{err: tooLarge}, `413 application/json {"message":"Request Entity Too Large"}`},
		{urlPage, "the function failed", model.FunctionURL, &invoker{failed: "Unhandled"}, url502},
		{throttledURLs, "throttled", model.FunctionURL, &invoker{err: throttled}, `429 application/json {"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`},
	} {
		t.Run(string(test.protocol)+" "+test.name, func(t *testing.T) {
			api := apiOf(test.protocol, "ANY /{proxy+}")
			api.Routes[0].TimeoutMillis = 50
			log := &logBuffer{}
			address, _ := serve(t, Options{Application: application(api), Invoke: test.invoker.invoke, Logs: log})
			if got := told(exchangeRaw(t, address, "GET /x HTTP/1.1\nHost: localhost\n\n")).with(""); got != test.want {
				t.Errorf("%s\ngot  %q\nwant %q", test.page, got, test.want)
			}
			if !strings.Contains(log.String(), " Api GET /x ") || !strings.Contains(log.String(), " Hello: ") {
				t.Errorf("the log does not say why: %s", log)
			}
		})
	}
}

// A client that goes away ends its invocation.
func TestClientGoes(t *testing.T) {
	ended := make(chan error, 1)
	i := &invoker{run: func(ctx context.Context, _ *model.Function, _ local.Invocation) (*local.Result, error) {
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}}
	address, _ := serve(t, Options{Application: application(apiOf(model.HTTP, "$default")), Invoke: i.invoke})
	client := &http.Client{Timeout: 100 * time.Millisecond}
	if reply, err := client.Get("http://" + address + "/"); err == nil {
		t.Errorf("it answered %s", reply.Status)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the invocation goes on")
	}
}
