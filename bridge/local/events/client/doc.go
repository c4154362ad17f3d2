// Package client does to a running event plane what commands ask for: it sends
// to topics, queues and buses, moves messages out of dead-letter queues, invokes
// functions, and follows what passes.
//
// It speaks AWS's own protocols, as far as these few operations need them, so
// that what a command does a program can do with an AWS SDK. Only [Client.Watch]
// is the plane's own.
package client
