package addresses

import (
	"maps"
	"net"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// ManagementVariable is the variable by which an AWS SDK that is given no
// endpoint finds the management API of a WebSocket API. See
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
const ManagementVariable = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"

// Apply changes the environment of the application's functions: the addresses
// of the APIs that are served become those here, and where there is one
// WebSocket API, ManagementVariable leads to its management API, unless the
// function has one. Hosts are "127.0.0.1:3000", by the construct path of the
// API. Call it before a function runs.
func Apply(app *model.Application, hosts map[string]string) {
	byID := map[string]string{}
	for _, api := range app.APIs {
		byID[api.APIID] = hosts[api.Path]
	}
	management := ""
	for _, api := range app.WebSocketAPIs {
		byID[api.APIID] = hosts[api.Path]
		management = "http://" + hosts[api.Path] + "/" + api.StageName
	}
	maps.DeleteFunc(byID, func(id, host string) bool { return id == "" || host == "" })
	for _, f := range app.Functions {
		for name, value := range f.Environment {
			f.Environment[name] = Replace(value, byID)
		}
		if len(app.WebSocketAPIs) != 1 || hosts[app.WebSocketAPIs[0].Path] == "" || f.Environment[ManagementVariable] != "" {
			continue
		}
		if f.Environment == nil {
			f.Environment = map[string]string{}
		}
		f.Environment[ManagementVariable] = management
	}
}

// Replace replaces the addresses in a text of the APIs that hosts has, by their
// ids. There is no encryption here: https becomes http, and wss becomes ws.
func Replace(text string, hosts map[string]string) string {
	if !strings.Contains(text, ".execute-api.") && !strings.Contains(text, ".lambda-url.") {
		return text
	}
	for id, host := range hosts {
		for _, service := range []string{".execute-api.", ".lambda-url."} {
			text = replace(text, "https://", "http://", id+service, host)
			text = replace(text, "wss://", "ws://", id+service, host)
		}
	}
	return text
}

// replace replaces one host, which ends where no more of a name follows.
func replace(text, scheme, with, name, host string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, scheme+name)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		text = strings.TrimLeft(after, "abcdefghijklmnopqrstuvwxyz0123456789.-")
		b.WriteString(with + host)
	}
}

// Of is the address by which a program on this machine reaches a listener: one
// on all addresses is reached by the loopback one.
func Of(listener net.Addr) string {
	host, port, err := net.SplitHostPort(listener.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listener.String()
}
