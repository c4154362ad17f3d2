package addresses_test

import (
	"maps"
	"net"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/local/addresses"
	"github.com/bailey-cdk/bailey/bridge/model"
)

func TestReplace(t *testing.T) {
	hosts := map[string]string{"abcdef1234": "127.0.0.1:3001", "url1234567": "[::1]:3002"}
	for text, want := range map[string]string{
		"https://abcdef1234.execute-api.us-east-1.amazonaws.com/live":           "http://127.0.0.1:3001/live",
		"wss://abcdef1234.execute-api.us-east-1.amazonaws.com/live":             "ws://127.0.0.1:3001/live",
		`["https://abcdef1234.execute-api.cn-north-1.amazonaws.com.cn"]`:        `["http://127.0.0.1:3001"]`,
		"https://url1234567.lambda-url.us-east-1.on.aws/":                       "http://[::1]:3002/",
		"https://other12345.execute-api.us-east-1.amazonaws.com/live":           "https://other12345.execute-api.us-east-1.amazonaws.com/live",
		"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/live/*":          "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/live/*",
		"https://abcdef1234.execute-api.a/1 https://abcdef1234.execute-api.a/2": "http://127.0.0.1:3001/1 http://127.0.0.1:3001/2",
		"abcdef1234.execute-api.us-east-1.amazonaws.com":                        "abcdef1234.execute-api.us-east-1.amazonaws.com",
		"https://abcdef1234.execute-api.us-east-1.amazonaws.com":                "http://127.0.0.1:3001",
		"nothing": "nothing",
	} {
		if got := addresses.Replace(text, hosts); got != want {
			t.Errorf("%s became %s", text, got)
		}
	}
}

// TestApply: what functions get, with one WebSocket API and with two.
func TestApply(t *testing.T) {
	app := &model.Application{
		APIs:          []*model.API{{ID: model.ID{Path: "Shop/Rest"}, APIID: "rest123456", StageName: "prod"}, {ID: model.ID{Path: "Shop/Left"}, APIID: "left123456"}},
		WebSocketAPIs: []*model.WebSocketAPI{{ID: model.ID{Path: "Shop/Chat"}, APIID: "chat123456", StageName: "live"}},
		Functions: []*model.Function{
			{Environment: map[string]string{
				"API": "https://rest123456.execute-api.x/prod", "CHAT": "https://chat123456.execute-api.x/live", "LEFT": "https://left123456.execute-api.x/",
			}},
			{},
			{Environment: map[string]string{addresses.ManagementVariable: "mine"}},
		},
	}
	addresses.Apply(app, map[string]string{"Shop/Rest": "127.0.0.1:1", "Shop/Chat": "127.0.0.1:2"})
	for i, want := range []map[string]string{
		{
			"API": "http://127.0.0.1:1/prod", "CHAT": "http://127.0.0.1:2/live", "LEFT": "https://left123456.execute-api.x/",
			addresses.ManagementVariable: "http://127.0.0.1:2/live",
		},
		{addresses.ManagementVariable: "http://127.0.0.1:2/live"},
		{addresses.ManagementVariable: "mine"},
	} {
		if got := app.Functions[i].Environment; !maps.Equal(got, want) {
			t.Errorf("function %d has %v, want %v", i, got, want)
		}
	}
	app.WebSocketAPIs = append(app.WebSocketAPIs, &model.WebSocketAPI{ID: model.ID{Path: "Shop/Other"}})
	app.Functions = []*model.Function{{}}
	addresses.Apply(app, map[string]string{"Shop/Chat": "127.0.0.1:2", "Shop/Other": "127.0.0.1:3"})
	if len(app.Functions[0].Environment) != 0 {
		t.Errorf("with two APIs a function has %v", app.Functions[0].Environment)
	}
}

func TestOf(t *testing.T) {
	for address, want := range map[string]string{"0.0.0.0:80": "127.0.0.1:80", "[::]:80": "127.0.0.1:80", "127.0.0.1:80": "127.0.0.1:80", "192.0.2.1:80": "192.0.2.1:80"} {
		a, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := addresses.Of(a); got != want {
			t.Errorf("%s is reached at %s", address, got)
		}
	}
}
