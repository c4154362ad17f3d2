package local

import (
	"io"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// Options are the settings of an engine.
type Options struct {
	// Logs gets what the functions write to their standard output and error,
	// and Lambda's START, END and REPORT lines: one stream, in whole lines,
	// written to by one goroutine at a time. Nil drops them.
	Logs io.Writer
	// LogLines, unless nil, gets in place of Logs what belongs to a function:
	// one call at a time, with the function and the id of the request that its
	// process serves, "" for none. The lines are whole, and must not be kept.
	// Lines of the engine itself still go to Logs.
	LogLines func(fn *model.Function, requestID string, lines []byte)
	// Scratch is the absolute path of the folder for unpacked .zip files and
	// inline code, made when needed: ".bailey/run" in the project. What is in
	// it is used again. "" stands for a temporary folder that Close removes.
	Scratch string
	// Environ is the host's environment ("NAME=value"), in which interpreters
	// are looked up and from which AWS credentials are taken. Nil stands for
	// os.Environ().
	Environ []string
	// InitTimeout is how long the init phase may take, before it is begun
	// again within the function's own timeout: 10 s where it is 0, as on
	// Lambda.
	InitTimeout time.Duration
}
