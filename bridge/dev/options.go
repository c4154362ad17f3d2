package dev

import (
	"context"

	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/bridge/synth"
)

// Off is a port that is not opened.
const Off = -1

// Options of [Run].
type Options struct {
	// Synth says how the CDK app is run. Local should be set. Stderr is not used:
	// what the app prints becomes notes.
	Synth synth.Options
	// Load reads the application of an assembly, with the user's overrides.
	Load func(ctx context.Context, assembly string) (*model.Application, error)
	// Host is the address that is listened on, "" for 127.0.0.1.
	Host string
	// Port is that of the first API; the others get the next ones. LambdaPort is
	// that of Lambda's Invoke API and EventsPort that of the event plane. 0 stands
	// for free ones, [Off] opens none.
	Port, LambdaPort, EventsPort int
	// Origins, StaticDir, KeySet and DisableAuthorizers are those of
	// [apigateway.Options].
	Origins            []string
	StaticDir, KeySet  string
	DisableAuthorizers bool
	// Environ is the host's environment as the functions get it, nil for
	// os.Environ().
	Environ []string
	// Debug, unless nil, runs a function under a debugger.
	Debug *Debug
	// Report is told of everything, one call at a time. It should return soon.
	Report func(Event)
}
