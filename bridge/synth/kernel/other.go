//go:build !unix

package kernel

import (
	"context"
	"errors"
	"time"
)

// Supported tells whether this system can keep kernels.
const Supported = false

// ErrNone says that no background process runs.
var ErrNone = errors.New("no kernel is kept")

var errUnsupported = errors.New("kernels are not kept on this system")

// Status says how the background process is.
type Status struct {
	PID, KernelPID int
	Key, State     string
	Error          string `json:",omitempty"`
	Served         int
	Started, Idle  time.Time
	Packages       []Package
	Runtime, Node  string
	Index          bool
}

// Ask finds none.
func Ask() (*Status, error) { return nil, ErrNone }

// Stop finds none.
func Stop() error { return ErrNone }

// Find finds none.
func Find(string, App) ([]string, error) { return nil, errUnsupported }

// Start does nothing.
func Start(string, App, error) error { return nil }

// Serve does nothing.
func Serve(context.Context, App) error { return errUnsupported }

// Connect does nothing.
func Connect(string) error { return errUnsupported }

// Identify fails.
func Identify(string) (FileID, error) { return FileID{}, errUnsupported }
