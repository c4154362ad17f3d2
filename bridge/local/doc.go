// Package local is the embedded engine: it runs the functions of a
// [model.Application] on this machine, as child processes that speak Lambda's
// Runtime API with a server of ours. There is no container, so that a cold
// start takes milliseconds, and no emulation, so that a function must be built
// for this machine.
//
//	engine, err := local.New(local.Options{Logs: os.Stderr, Scratch: dir})
//	if err != nil {
//		return err
//	}
//	defer engine.Close()
//	result, err := engine.Invoke(ctx, function, local.Invocation{Payload: event})
//
// # What runs
//
//   - provided, provided.al2, provided.al2023: the program bootstrap in the
//     code folder, or in a layer. A Go function is that.
//   - nodejs*.x and python3.*: with the interpreter that is installed, by
//     runtimes of our own (runtimes/bootstrap.mjs and bootstrap.py). The exact
//     version is looked for first (node22, python3.12), then node and python3.
//     Where the version is another one, the function runs and the log says so
//     once. What Lambda's runtimes bring along, the AWS SDKs above all, must be
//     part of the code or installed for the interpreter.
//
// Anything else gives a [NotRunnableError] that says why, and that the SAM CLI
// can run it: container images, other runtimes, a program for another
// architecture, layers that are not part of the application.
//
// # Processes
//
// As on Lambda, a process runs one invocation at a time and is used again. The
// engine keeps a stack of idle processes for each *[model.Function], starts
// another one when all are busy, and ends those that were idle for five
// minutes. Of a function that answers within two milliseconds no more than two
// for each core run at a time: others wait for one of them, for 50 to 100 ms, as
// more would only make each other slow (queue.go). No more run at a time than the function's reserved concurrency, or
// 1,000: beyond that an invocation fails with a [ThrottledError] and does not
// wait, as Lambda's API has it. A process that crashed, timed out or was
// cancelled is replaced.
//
// A process leads a process group, and its group is killed with it. On Linux
// the kernel kills a process too when the engine's own is killed; elsewhere
// one that waits for its next event ends by itself then. A grandchild that
// starts a session of its own (setsid) escapes all this.
//
// [Engine.Retire] forgets a function whose code has changed.
//
// # The Runtime API
//
// One port of 127.0.0.1 serves all processes. AWS_LAMBDA_RUNTIME_API holds
// "127.0.0.1:PORT/TOKEN", and clients put it between "http://" and the path of
// a call; aws-lambda-go, the Rust runtime and a shell script with curl do. The
// token, 128 random bits, tells which process calls and keeps others out.
// Requests for another host or with an Origin header are refused.
//
// Served are the calls of
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, with Lambda's
// answers down to the words of its errors, and what an internal extension
// needs of
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html:
// a process that registered one gets SIGTERM and half a second before it is
// killed. External extensions are not started, and subscriptions to logs and
// telemetry are accepted and get nothing. A streamed response goes to
// [Invocation.Stream] as it comes, or is collected and given as a whole where
// the caller has none; its trailers can still make an error of it.
//
// # The life of an invocation
//
// The init phase of a new process ends when it asks for its first event. It
// may take [Options.InitTimeout]. A slower process is replaced by one whose
// init phase counts for the function's timeout, as on Lambda. An init phase
// that fails is the invocation's failure; Lambda would try it a second time
// within the invocation, which comes to the same.
//
// The invocation ends when the process has answered and asks for the next
// event. Between events it is not frozen: what a handler leaves running goes
// on.
//
// A failure is a [Result] whose Payload is the JSON that Lambda's API answers
// with: the error of the handler as the runtime reports it, or Lambda's own
// Sandbox.Timedout, Runtime.ExitError and Function.ResponseSizeTooLarge.
//
// # Logs
//
// [Options.Logs] is one stream of whole lines: what processes write to their
// standard output and error, in their order, and between Lambda's START, END
// and REPORT lines what belongs to an invocation, if it is the only one. These
// lines are text whatever the function's log format is, as the SAM CLI's are.
// Lines that begin with "bailey:" are the engine's own. A [Result] has the last
// 4 KB of what belongs to its invocation.
//
// Billed Duration is duration and init together, rounded up to a millisecond:
// Lambda bills the init phase since August 2025. Max Memory Used is the peak
// of the process itself, without its children. Memory Size is told to the
// function but does not limit it.
//
// # Environment
//
// A function sees Lambda's variables and its own from the template. Of the
// host's it sees PATH, LD_LIBRARY_PATH, HOME, TMPDIR, where its AWS credentials
// are and which endpoints stand for AWS (AWS_ENDPOINT_URL and the like), and no
// others. The whole list is in environment.go.
//
// # Code and layers
//
// A function runs in its code folder. Lambda's is read-only and this one is
// not, so that a function should leave it alone; it usually is an asset in
// cdk.out. Zip files are unpacked into [Options.Scratch], once for each
// content. There is no /opt and no /var/task: LAMBDA_TASK_ROOT names the code
// folder, and the folders of layers are put into PATH (bin), LD_LIBRARY_PATH
// (lib), NODE_PATH (nodejs/node_modules and nodejs/nodeN/node_modules) and
// PYTHONPATH (python and python/lib/python3.N/site-packages), later layers
// before earlier ones. Inline code is put where CloudFormation puts it,
// index.js or index.py; the module cfn-response is not there.
package local
