//go:build !unix

package local

import (
	"context"
	"errors"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// Engine runs functions as child processes of this one, where the system has
// process groups: not here.
type Engine struct{}

// New says that there is no embedded engine on this system.
func New(Options) (*Engine, error) {
	return nil, errors.New("the embedded engine does not run on this system; " + wayOut)
}

// Invoke always fails.
func (*Engine) Invoke(context.Context, *model.Function, Invocation) (*Result, error) {
	return nil, ErrClosed
}

// Retire does nothing.
func (*Engine) Retire(*model.Function) {}

// Close does nothing.
func (*Engine) Close() error { return nil }
