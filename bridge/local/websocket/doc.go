// Package websocket serves the WebSocket APIs of a [model.Application] on this
// machine, as API Gateway does, over an engine that runs their functions.
//
//	server, err := websocket.New(websocket.Options{Application: app, Invoke: engine.Invoke, Logs: os.Stderr})
//	if err != nil {
//		return err
//	}
//	defer server.Close()
//	err = http.Serve(listener, server.Handler(app.WebSocketAPIs[0].Path))
//
// # What is served
//
// A client connects to ws://HOST:PORT/STAGE, or to / as with a custom domain
// name. $connect is invoked while the handshake waits: its authorizer first,
// then its function. A message goes to the route whose key the API's route
// selection expression yields, else to $default. $disconnect is invoked after
// the end, with the status code and the reason. Messages of one connection are
// handled side by side, as on AWS, and so may overtake each other.
//
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
//
// What a function answers to a message goes to the client where the route has
// a route response, and nowhere else:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-response.html
//
// # Refusals
//
// The handshake fails with 401 where an identity source of the authorizer is
// missing or the authorizer says Unauthorized, 403 where it denies, 500 where
// it fails, 502 where the function of $connect fails or answers in no known
// form, 504 where it takes longer than the integration's timeout, and with the
// function's own status code where that is not 2xx. A message that no route
// takes is answered by Forbidden, one whose function fails by Internal server
// error, each an object of message, connectionId and requestId.
//
// # The management API
//
// The same port has POST, GET and DELETE /STAGE/@connections/ID, also without
// the stage, as the ApiGatewayManagementApi clients of the AWS SDKs call it. A
// connection that is not there is a GoneException (410), which it also is
// while $connect runs. Signatures are not checked.
//
// How a function finds it: domainName of the event's requestContext is the
// host and port that the client connected to, and stage is the stage, so that
// "https://" + domainName + "/" + stage is the endpoint to give to the SDK, as on
// AWS: with a [Certificate] the port takes https beside http, and functions are
// told to trust it, by the variables AWS_CA_BUNDLE (the SDKs for Go, Python and
// others) and NODE_EXTRA_CA_CERTS. With http it goes without. An SDK that is
// given no endpoint takes AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI, and a variable
// of the template may hold the address on AWS (the CDK's callbackUrl): package
// addresses sets the one and replaces the other.
//
// # Limits
//
// Messages of 128 KB in frames of 32 KB; beyond that the connection is closed
// with 1009. A binary message closes it with 1003, and text that is no UTF-8 with
// 1007. It ends with 1001 after 10
// minutes without a message in either direction, and after 2 hours. Pings are
// answered and count as a sign of life, on which AWS gives no word.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
//
// # What differs
//
// Mapping templates, models and API keys are not looked at: a key must be
// there where the route requires one. With IAM authorisation a request must be
// signed, and by whom is not checked. A web page may connect from a loopback
// address or an origin of [Options.Origins] alone, since a page from elsewhere
// has no business with a server on this machine.
package websocket
