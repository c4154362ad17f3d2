//go:build bailey_functions

package eventfork

// A program can't be imported, and this file is in no build. It makes go mod
// tidy, in the module of an app that uses this package, note the checksums of
// what the functions inside a fork are compiled from. Without it, the app would
// find during synth that they are missing.
import (
	_ "github.com/bailey-cdk/bailey/constructs/eventfork/functions/batcher"
	_ "github.com/bailey-cdk/bailey/constructs/eventfork/functions/collector"
	_ "github.com/bailey-cdk/bailey/constructs/eventfork/functions/recorder"
	_ "github.com/bailey-cdk/bailey/constructs/eventfork/functions/replayer"
	_ "github.com/bailey-cdk/bailey/constructs/eventfork/functions/resender"
	_ "github.com/bailey-cdk/bailey/constructs/eventfork/functions/retention"
)
