// Package kernel keeps a jsii kernel warm: a Node.js process that has loaded the
// CDK already and waits for the next synth of a Go app.
//
// # What is kept
//
// A process in the background, [Serve], holds one kernel. The kernel is the
// program that jsii-runtime-go embeds, of the release that the app's go.mod
// selects, started from the module cache; it has loaded the jsii packages that the
// app imports, of the versions that go.mod selects. A synth that asks ([Connect],
// by way of JSII_RUNTIME) gets that very process: its pipes are handed over the
// socket, and the background process has no part in the synth any more. No kernel
// is used twice. The next one is started when the used one has ended, so that the
// two do not compete.
//
// # As if it had been started there
//
// On its way to the synth the kernel gets the synth's working folder, umask and
// environment, all of it and nothing of its own. A variable can have been read
// before that: while jsii and the CDK are loaded the kernel notes which ones are,
// and where one of these differs it does not serve. Variables that Node.js itself
// reads as it starts (NODE_OPTIONS, LANG, ...) must be equal too.
//
// # Failure
//
// A kernel that cannot be had in time, for whatever reason, leads to a cold one:
// [Connect] becomes the very command that jsii would have run. Kernels end when
// their socket closes, so that none outlives both the background process and the
// synth, whatever way these end. A background process that finds another one at
// work for the same versions ends, and otherwise takes its place.
//
// BAILEY_KERNEL_DEBUG=1 has a synth say why it got a cold one.
//
// # Who may connect
//
// The socket lies in a folder that only its owner may enter, and that is checked
// before each use.
//
// # The runtime index
//
// jsii can load the CDK in half the time by an index that it writes beside the
// package in its cache, from a thread that a short run ends too early. The kernel
// that waits here lives long enough. It is replaced then by one that uses the
// index, which needs a third of the memory.
//
// The package is for Unix. Elsewhere each synth gets a cold kernel.
package kernel
