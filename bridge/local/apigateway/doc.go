// Package apigateway serves the HTTP APIs, REST APIs and function URLs of a
// [model.Application] on this machine, as API Gateway and Lambda serve them.
//
//	gateway, err := apigateway.New(apigateway.Options{Application: app, Invoke: engine.Invoke, Logs: os.Stderr})
//	if err != nil {
//		return err
//	}
//	for _, api := range gateway.APIs() {
//		server := apigateway.Server(gateway.Handler(api.Path), os.Stderr)
//		go server.Serve(listeners[api.Path])
//	}
//
// # The parts
//
// A request ([exchange]) is checked for its host and its size, finds its route
// ([router]), is authorized, and becomes an event ([event1], [event2]); what the
// function returns becomes the answer ([response]). What differs between the
// three kinds of API as a matter of values is in [rules].
//
// [Gateway.Swap] replaces the application at once. A request under way ends on
// the one that it began with.
//
// # What is served as on AWS
//
//   - Routes by the documented priorities: full match, greedy match, $default;
//     literals before variables, methods before ANY. The tests name the page of
//     each rule.
//   - Events in payload formats 1.0 and 2.0, of REST APIs and of function URLs.
//   - Responses, with those that format 2.0 infers, cookies, base64 by binary
//     media type, and API Gateway's own answers to what is malformed.
//   - The limits of bodies, headers and times.
//   - CORS by the configuration of an HTTP API or function URL, and by the MOCK
//     methods of a REST API, the CDK's for several origins among them.
//   - JWT authorizers with the issuer's keys, Cognito authorizers, Lambda
//     authorizers with their cache, API keys.
//   - A REST API's request validators with their models, and its gateway
//     responses.
//   - Response streaming of function URLs and REST APIs.
//
// # What differs
//
//   - AWS_IAM asks for a signature (SigV4) and does not verify it: there are no
//     credentials here to do so. Resource policies, throttling, quotas, usage
//     plans beyond the keys, WAF, mutual TLS and custom domains have no part.
//   - A path needs no stage. For a stage with a name, /STAGE/... works as on
//     the API's own address, and a path without it as on a custom domain.
//   - domainName is what the client called, such as "localhost:3000".
//   - A REST API's event has header names as Go's server spells them
//     (Content-Type), not as the client did.
//   - A REST API without proxy integration (type AWS) gets the request as with
//     one, as mapping templates (VTL) are not run. Other integrations answer
//     501 and say why.
//   - An invocation that runs into the integration's timeout ends with it; on
//     AWS it runs on.
//   - A streaming function URL whose function returns a whole response in
//     format 2.0 is answered by that format.
//   - A web page of another machine may call an API only where the application
//     says something about CORS: a local server runs with a developer's
//     credentials. [Options.Origins] allows more.
//
// Of what AWS's pages leave open, some was seen on AWS by others; the tests name
// where. Not known for sure are: the answer to headers that are too large (431
// here), whether an HTTP API decodes path in format 1.0 as it does rawPath in 2.0
// (not here: those who looked differ), which media types HTTP APIs take for text beyond text/*, JSON, XML and
// JavaScript, and the body of a function URL's answer to a function that failed.
package apigateway
