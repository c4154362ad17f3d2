// Package lambdaapi is the Invoke operation of Lambda's API over the embedded
// engine, as the AWS SDKs and sam local start-lambda have it: a POST to
// /2015-03-31/functions/NAME/invocations.
//
// It serves the invocation types RequestResponse, Event and DryRun, log tails,
// qualifiers and client contexts. It checks no credentials and listens where
// its caller tells it to: keep that to a loopback address. Requests whose Host
// is no loopback name, and requests that a web page makes (with an Origin), are
// refused, so that a page cannot invoke functions by a name that it resolves
// to this machine.
//
// The words of its answers are those of "Invoke" in the AWS Lambda API
// Reference.
package lambdaapi
