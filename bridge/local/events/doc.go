// Package events is the local event plane: the AWS services that carry events,
// on this machine, behind AWS's own protocols. Functions and tools reach it
// with the ordinary AWS SDKs through AWS_ENDPOINT_URL.
//
//	listener, err := net.Listen("tcp", "127.0.0.1:0")
//	...
//	url := "http://" + listener.Addr().String()
//	events.Localise(app, url)
//	plane, err := events.Open(events.Options{Application: app, Invoke: engine.Invoke, Dir: ".bailey", URL: url, Logs: os.Stderr})
//	...
//	defer plane.Close()
//	server := &http.Server{Handler: plane, ReadHeaderTimeout: 10 * time.Second}
//	go server.Serve(listener)
//
// The engine runs functions with what [Plane.Environ] gives in its own
// environment ([local.Options.Environ]).
//
// # State
//
// Everything is in Dir/state.db, see package store. A second plane on the same
// folder is refused with a [*store.InUseError]. [Reset] removes the state of a
// folder that no plane uses.
//
// # Services
//
// Each service is a package of its own below this one, that knows none of the
// others. Package service says how they fit together; services.go is the list.
//
// # Journal
//
// [Plane.Watch] gives what passes where, live, and [Plane.Counts] how many
// passed since the state began: both also over HTTP, as /_bailey/watch (one
// JSON object a line, ?backlog=true for those of before too) and
// /_bailey/counts.
//
// # Clients
//
// The AWS SDKs for Go, JavaScript and Python, and version 2 of the aws command,
// follow AWS_ENDPOINT_URL. Version 1 of the command does so but for SQS: it has
// an endpoint of its own for that, so that "aws sqs" needs --endpoint-url.
//
// # Who may ask
//
// Requests must name a loopback host, or one of [Options.Hosts], and must not
// come from a web page of another origin. Signatures are not verified; there
// are no permissions.
package events
