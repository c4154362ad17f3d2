package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events"
)

// runner is the flags and the start of the embedded engine.
type runner struct {
	selection
	logFile string
	// logs is where the engine logs to, once it has started.
	logs *os.File
	// plane is the event plane that functions find, nil for none. Its
	// credentials win over all others.
	plane *events.Plane
}

func (r *runner) flags(c *cobra.Command) {
	r.selection.flags(c)
	f := c.Flags()
	f.StringVarP(&r.logFile, "log-file", "l", "", "file to add the functions' log to, in place of standard error")
	f.StringVar(&r.profile, "profile", "", "AWS profile whose credentials the functions and --from-stack get")
}

// start makes the engine. The caller ends it.
func (r *runner) start() (*local.Engine, func(), error) {
	logs := os.Stderr
	if r.logFile != "" {
		var err error
		if logs, err = os.OpenFile(r.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
			return nil, nil, err
		}
	}
	r.logs = logs
	end := func() {
		if logs != os.Stderr {
			logs.Close()
		}
	}
	scratch, err := filepath.Abs(filepath.Join(".bailey", "run"))
	if err != nil {
		end()
		return nil, nil, err
	}
	engine, err := local.New(local.Options{Logs: logs, Scratch: scratch, Environ: r.environ()})
	if err != nil {
		end()
		return nil, nil, err
	}
	return engine, func() { engine.Close(); end() }, nil
}

// environ is the environment that the engine takes credentials from. A profile
// that was asked for wins over the shell's keys, which SDKs would prefer.
func (r *runner) environ() []string {
	environ := os.Environ()
	if r.plane != nil {
		return r.plane.EnvironOver(environ)
	}
	if r.profile == "" {
		return environ
	}
	environ = slices.DeleteFunc(environ, func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains([]string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"}, name)
	})
	return append(environ, "AWS_PROFILE="+r.profile)
}
