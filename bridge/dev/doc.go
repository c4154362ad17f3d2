// Package dev is the inner loop: it serves an application, watches its source and
// takes over each change while it serves.
//
//	session, err := dev.Open(ctx, dev.Options{Synth: synth.Options{Local: true}, Report: report})
//	if err != nil {
//		return err
//	}
//	defer session.Close()
//	return session.Run(ctx)
//
// # What a change leads to
//
// A save wakes the session, whatever file it was. Content then says what is to be
// done: the functions' builds and the look for changes of the CDK app run side by
// side, and both cost milliseconds where nothing has changed for them.
//
//   - A function whose source has changed is built, and its processes are replaced:
//     those that are idle end at once, the others after the request that they
//     serve. Requests that come after the build get the new code.
//   - Where the CDK app or one of its inputs has changed it is synthesised, the
//     new assembly is read, its functions are built, and then routes, connections,
//     queues and functions are swapped for the new ones. Processes of a function
//     that is defined as before stay.
//   - A change that leads to neither is not spoken of.
//
// # Failure
//
// What fails (a compiler, the CDK app, a fault that a construct reports) is told
// once, and the last good application serves on. Saving the same mistake again
// says nothing more; mending it is told.
//
// # What is served
//
// Each HTTP API, REST API, function URL and WebSocket API has a port of its own
// and keeps it over all changes. Lambda's Invoke API has one, and the event plane
// has one, which functions find by AWS_ENDPOINT_URL. All are on one host, the
// loopback address unless another is asked for.
//
// # Limits
//
// A function that is not Go runs in its asset, which a synth replaces. One that
// loads a file late, in a request that is under way at that moment, may not find
// it.
package dev
