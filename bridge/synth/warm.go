package synth

import (
	"github.com/bailey-cdk/bailey/bridge/synth/kernel"
)

// useKernel gives a Go app the kernel that waits for it. What it returns is called
// after the run and has a kernel kept for the next one, unless that is so already:
// not before, for loading the CDK twice at a time would slow this run down.
//
// An app without a kernel is only slower, so that there are no errors.
func useKernel(o Options, conf *config, env environment) (keep func()) {
	nothing := func() {}
	program, _, isGo := goProgram(conf.App)
	if !kernel.Supported || o.Bailey == "" || env["BAILEY_KERNEL"] == "off" || !isGo ||
		env["JSII_RUNTIME"] != "" || !usesJSII(o.Dir) {
		return nothing
	}
	name := env["JSII_NODE"]
	if name == "" {
		name = "node"
	}
	node, err := lookPath(name, env["PATH"])
	if err != nil {
		return nothing // checkNode says it
	}
	app := kernel.App{Dir: o.Dir, Program: program, Env: env.list(), Node: node}
	vars, err := kernel.Find(o.Bailey, app)
	if err == nil {
		for name, value := range newEnvironment(vars) {
			env[name] = value
		}
		return nothing
	}
	return func() {
		// The app's folders and files go away with it.
		delete(env, "CDK_OUTDIR")
		delete(env, "CONTEXT_OVERFLOW_LOCATION_ENV")
		app.Env = env.list()
		_ = kernel.Start(o.Bailey, app, err) // the next synth is as slow as this one
	}
}
