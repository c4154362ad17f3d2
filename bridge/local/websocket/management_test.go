package websocket_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	ws "github.com/coder/websocket"

	"github.com/bailey-cdk/bailey/bridge/local/websocket"
	"github.com/bailey-cdk/bailey/bridge/model"
)

func client(endpoint string) *apigatewaymanagementapi.Client {
	return apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint),
		Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""),
	})
}

// TestManagementBySDK: the AWS SDK for Go reaches a connection by what the event
// of $connect says, with the stage and without.
func TestManagementBySDK(t *testing.T) {
	f := start(t, chat(), nil)
	c, connect := f.dial(t, "/live", &ws.DialOptions{HTTPHeader: http.Header{"User-Agent": {"test"}}})
	rc := object(connect.event["requestContext"])
	id := rc["connectionId"].(string)
	for _, endpoint := range []string{websocket.Endpoint(rc["domainName"].(string), rc["stage"].(string)), f.http.URL} {
		api := client(endpoint)
		for _, message := range []string{"hello", `{"é": "ü"}`, strings.Repeat("x", 128*1024), ""} {
			if _, err := api.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte(message)}); err != nil {
				t.Fatal(err)
			}
			if got := read(t, c); got != message {
				t.Errorf("the client got %.100q, want %.100q", got, message)
			}
		}
		about, err := api.GetConnection(t.Context(), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id})
		if err != nil {
			t.Fatal(err)
		}
		if *about.Identity.SourceIp != "127.0.0.1" || *about.Identity.UserAgent != "test" || about.ConnectedAt.UnixMilli() != int64(rc["connectedAt"].(float64)) ||
			time.Since(*about.LastActiveAt) > time.Minute {
			t.Errorf("%+v %+v", about, about.Identity)
		}
		var tooLarge *types.PayloadTooLargeException
		_, err = api.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: bytes.Repeat([]byte("x"), 128*1024+1)})
		if !errors.As(err, &tooLarge) {
			t.Errorf("a long message: %v", err)
		}
	}
	api := client(f.http.URL)
	go func() {
		_, _ = api.DeleteConnection(t.Context(), &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &id})
	}()
	if e := closed(t, c); e.Code != ws.StatusNormalClosure || e.Reason != "Connection Closed Normally" {
		t.Error(e)
	}
	f.next(t, "Disconnect")
	var gone *types.GoneException
	if _, err := api.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte("x")}); !errors.As(err, &gone) {
		t.Errorf("after its end: %v", err)
	}
	if _, err := api.GetConnection(t.Context(), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id}); !errors.As(err, &gone) {
		t.Errorf("after its end: %v", err)
	}
	if _, err := api.DeleteConnection(t.Context(), &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &id}); !errors.As(err, &gone) {
		t.Errorf("after its end: %v", err)
	}
}

// TestGoneWhileConnecting: a connection is not one before its $connect has
// ended.
func TestGoneWhileConnecting(t *testing.T) {
	f := start(t, chat(), nil)
	api := client(f.http.URL + "/live")
	f.set("Connect", func(e map[string]any) (string, string, error) {
		id := object(e["requestContext"])["connectionId"].(string)
		_, err := api.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte("early")})
		if gone := (*types.GoneException)(nil); !errors.As(err, &gone) {
			t.Errorf("got %v", err)
		}
		return `{"statusCode":200}`, "", nil
	})
	f.dial(t, "/live", nil)
}

// TestManagementRefusals: what is no call of the management API.
func TestManagementRefusals(t *testing.T) {
	app := chat()
	other := *app.WebSocketAPIs[0]
	other.Path, other.APIID = "Chat/Other", "other12345"
	app.WebSocketAPIs = append(app.WebSocketAPIs, &other)
	f := start(t, app, nil)
	_, connect := f.dial(t, "/live", nil)
	id := strings.ReplaceAll(object(connect.event["requestContext"])["connectionId"].(string), "=", "%3D")
	second := httptest.NewServer(f.server.Handler("Chat/Other"))
	defer second.Close()
	for _, test := range []struct {
		method, url, origin string
		status              int
		code                string
	}{
		{"POST", f.http.URL + "/live/@connections/" + id, "", 200, ""},
		{"GET", f.http.URL + "/live/%40connections/" + id, "", 200, ""},
		{"POST", f.http.URL + "/dead/@connections/" + id, "", 403, ""},
		{"POST", f.http.URL + "/live/x/@connections/" + id, "", 403, ""},
		{"POST", second.URL + "/live/@connections/" + id, "", 410, "GoneException"},
		{"PUT", f.http.URL + "/live/@connections/" + id, "", 403, "MissingAuthenticationTokenException"},
		{"POST", f.http.URL + "/live/@connections/", "", 410, "GoneException"},
		{"POST", f.http.URL + "/live/@connections/nobody", "", 410, "GoneException"},
		{"POST", f.http.URL + "/live/@connections/" + id, "http://localhost", 403, "ForbiddenException"},
	} {
		r, err := http.NewRequest(test.method, test.url, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != test.status || response.Header.Get("X-Amzn-Errortype") != test.code {
			t.Errorf("%+v: %s %s %s", test, response.Status, response.Header.Get("X-Amzn-Errortype"), body)
		}
	}
}

// TestSlowReader: a client that reads nothing does not hold a sender up for
// ever, and what follows finds it gone.
func TestSlowReader(t *testing.T) {
	f := start(t, chat(), func(o *websocket.Options) { o.WriteTimeout = 200 * time.Millisecond })
	host := f.raw(t)
	host.frame(t, fin|text, []byte("x"))
	id := object(f.next(t, "Default").event["requestContext"])["connectionId"].(string)
	api := client(f.http.URL + "/live")
	message := bytes.Repeat([]byte("x"), 128*1024)
	for range 1000 { // the sockets' buffers take a few megabytes
		if _, err := api.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: message}); err != nil {
			if gone := (*types.GoneException)(nil); !errors.As(err, &gone) {
				t.Error(err)
			}
			return
		}
	}
	t.Error("more than a hundred megabytes were sent to a client that reads nothing")
}

// TestNoSelection: an API that cannot be served is told of when the server is
// made.
func TestNoSelection(t *testing.T) {
	if _, err := websocket.New(websocket.Options{Application: &model.Application{WebSocketAPIs: []*model.WebSocketAPI{{}}}}); err == nil {
		t.Error("an API without a selection expression is served")
	}
}
