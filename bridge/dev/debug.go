package dev

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/internal/atomicfile"
)

// Debug runs one Go function under Delve, which waits for a client (an IDE) when
// the function is first invoked.
type Debug struct {
	// Port is the one that Delve listens on, on [Options.Host].
	Port int
	// Function is the function's name, "" for the first Go function.
	Function string
}

// forever stands for no timeout: nobody debugs for longer.
const forever = 24 * time.Hour

// debugger is nil where nothing is debugged; its methods then do nothing.
type debugger struct {
	Debug
	dlv     string
	dir     string // gets the program that starts Delve
	address string
	slot    chan struct{} // one process at a time has the port
	path    string        // of the function
}

func newDebugger(d *Debug, dir, host string) (*debugger, error) {
	if d == nil {
		return nil, nil
	}
	dlv, err := exec.LookPath("dlv")
	if err != nil {
		return nil, errors.New("--debug-port needs Delve, and there is no dlv on the PATH: install it with: go install github.com/go-delve/delve/cmd/dlv@latest")
	}
	return &debugger{
		Debug: *d, dlv: dlv, dir: filepath.Join(dir, ".bailey", "debug"),
		address: net.JoinHostPort(host, strconv.Itoa(d.Port)), slot: make(chan struct{}, 1),
	}, nil
}

// name is the function that is debugged.
func (d *debugger) name() string {
	if d == nil {
		return ""
	}
	return d.Function
}

func (d *debugger) initTimeout() time.Duration {
	if d == nil {
		return 0
	}
	return forever
}

// choose finds the function where none was named.
func (d *debugger) choose(app *model.Application) error {
	if d == nil {
		return nil
	}
	var names []string
	for _, f := range app.Functions {
		if f.Code.Go == nil || f.Helper {
			continue
		}
		if d.Function == "" || d.Function == f.Name || d.Function == f.Path || d.Function == f.LogicalID {
			d.Function, d.path = f.Name, f.Path
			return nil
		}
		names = append(names, f.Name)
	}
	if len(names) == 0 {
		return errors.New("there is no Go function to debug: Delve debugs Go functions whose source is in the project")
	}
	return fmt.Errorf("there is no Go function %q to debug; there are: %s", d.Function, strings.Join(names, ", "))
}

// wrap has the function's program started by Delve.
func (d *debugger) wrap(functions []*model.Function) error {
	if d == nil {
		return nil
	}
	for _, f := range functions {
		if f.Name != d.Function {
			continue
		}
		script := "#!/bin/sh\nexec " + quoted(d.dlv) + " exec --headless --api-version=2 --accept-multiclient --check-go-version=false --log-dest=2 --listen=" +
			d.address + " " + quoted(filepath.Join(f.Code.Path, "bootstrap")) + "\n"
		folder := filepath.Join(d.dir, f.Name)
		file := filepath.Join(folder, "bootstrap")
		if err := atomicfile.Write(file, []byte(script)); err != nil {
			return err
		}
		if err := os.Chmod(file, 0o755); err != nil {
			return err
		}
		f.Code.Path = folder
	}
	return nil
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// adapt lets a person take the time that a debugger's stops take.
func (d *debugger) adapt(app *model.Application) {
	if d == nil {
		return
	}
	for _, f := range app.Functions {
		if f.Name == d.Function {
			f.Timeout = forever
		}
	}
	for _, api := range app.APIs {
		for _, route := range api.Routes {
			if route.Function != nil && route.Function.Name == d.Function {
				route.TimeoutMillis = int(forever.Milliseconds())
			}
		}
	}
}

// enter waits until no other process of the function is under the debugger. Done,
// unless nil, must be called after the invocation.
func (d *debugger) enter(ctx context.Context, fn *model.Function) (done func(), err error) {
	if d == nil || fn.Path != d.path {
		return nil, nil
	}
	select {
	case d.slot <- struct{}{}:
		return func() { <-d.slot }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// released waits until Delve has let go of its port, after its process was ended.
func (d *debugger) released() {
	for range 100 {
		l, err := net.Listen("tcp", d.address)
		if err == nil {
			_ = l.Close() // nothing was accepted
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
