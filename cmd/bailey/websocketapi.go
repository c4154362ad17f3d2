package main

import (
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/addresses"
	"github.com/bailey-cdk/bailey/bridge/local/apigateway"
	"github.com/bailey-cdk/bailey/bridge/local/websocket"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// webSocketProtocol is what the table of APIs calls a WebSocket API.
const webSocketProtocol = "WebSocket"

// servedAPI is an API with what serves it and what the table says of it.
type servedAPI struct {
	id      model.ID
	handler http.Handler
	report  func(net.Addr) apiReport
}

// served are all APIs of the application in the order of their ports.
func served(app *model.Application, gateway *apigateway.Gateway, sockets *websocket.Server) []servedAPI {
	var all []servedAPI
	for _, api := range app.APIs {
		all = append(all, servedAPI{api.ID, gateway.Handler(api.Path), func(a net.Addr) apiReport { return reportAPI(api, a) }})
	}
	for _, api := range app.WebSocketAPIs {
		all = append(all, servedAPI{api.ID, sockets.Handler(api.Path), func(a net.Addr) apiReport { return reportWebSocketAPI(api, a) }})
	}
	return all
}

// settle tells the functions where the APIs are.
func settle(app *model.Application, apis []servedAPI, listeners []net.Listener) {
	hosts := map[string]string{}
	for i, api := range apis {
		hosts[api.id.Path] = addresses.Of(listeners[i].Addr())
	}
	addresses.Apply(app, hosts)
}

// secure has the ports of WebSocket APIs, which come last, take https too, as
// functions write the endpoint of the management API for AWS.
func (s *apiServer) secure(app *model.Application, listeners []net.Listener) error {
	if len(app.WebSocketAPIs) == 0 {
		return nil
	}
	dir, err := filepath.Abs(filepath.Join(".bailey", "run"))
	if err != nil {
		return err
	}
	certificate, err := websocket.NewCertificate(dir, s.host)
	if err != nil {
		return err
	}
	certificate.Trust(app)
	for i := len(app.APIs); i < len(listeners); i++ {
		listeners[i] = certificate.Listen(listeners[i])
	}
	return nil
}

func apiID(api *model.API) model.ID                { return api.ID }
func webSocketID(api *model.WebSocketAPI) model.ID { return api.ID }

// find is the API of a name, nil where there is none.
func find[T any](apis []*T, name string, id func(*T) model.ID) *T {
	for _, api := range apis {
		if id := id(api); id.Name == name || id.Path == name || id.LogicalID == name {
			return api
		}
	}
	return nil
}

func names[T any](apis []*T, id func(*T) model.ID) []string {
	all := make([]string, 0, len(apis))
	for _, api := range apis {
		all = append(all, id(api).Name)
	}
	return all
}

// behindWebSockets are the functions of WebSocket APIs, authorizers among them.
func behindWebSockets(apis []*model.WebSocketAPI) []*model.Function {
	var functions []*model.Function
	add := func(f *model.Function) {
		if f != nil && !slices.Contains(functions, f) {
			functions = append(functions, f)
		}
	}
	for _, api := range apis {
		for _, route := range api.Routes {
			add(route.Function)
			if route.Authorizer != nil {
				add(route.Authorizer.Function)
			}
		}
	}
	return functions
}

func reportWebSocketAPI(api *model.WebSocketAPI, address net.Addr) apiReport {
	report := apiReport{
		Name: api.Name, Path: api.Path, Protocol: webSocketProtocol, Stage: api.StageName,
		URL: "ws://" + address.String() + "/" + api.StageName, Routes: []routeReport{},
	}
	for _, route := range api.Routes {
		r := routeReport{Path: route.Key, Note: "answers by itself"}
		if route.Function != nil {
			r.Function, r.Note = route.Function.Name, ""
		}
		if route.AuthorizationType != "NONE" {
			r.Authorization = route.AuthorizationType
		}
		if route.Authorizer != nil {
			r.Authorization = strings.TrimSpace(r.Authorization + " " + route.Authorizer.Name)
		}
		report.Routes = append(report.Routes, r)
	}
	return report
}
