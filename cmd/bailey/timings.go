package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge/synth"
)

// timings are the parts of a command and what each took, for --timings. They go to
// standard error: standard output may be read by a program.
type timings struct {
	wanted bool
	start  time.Time
	parts  []synth.Phase
}

func (t *timings) flags(c *cobra.Command) {
	c.Flags().BoolVar(&t.wanted, "timings", false, "say at the end where the time went")
}

// begin is called before the first part.
func (t *timings) begin() { t.start = time.Now() }

// done ends a part that began at a time.
func (t *timings) done(name string, since time.Time) {
	t.parts = append(t.parts, synth.Phase{Name: name, Took: time.Since(since)})
}

// print prints the parts and the whole, where that was asked for.
func (t *timings) print() {
	if t.wanted {
		t.printTo(os.Stderr)
	}
}

func (t *timings) printTo(w io.Writer) {
	for _, p := range t.parts {
		_, _ = fmt.Fprintf(w, "%8.1f ms  %s\n", milliseconds(p.Took), p.Name)
	}
	_, _ = fmt.Fprintf(w, "%8.1f ms  in all\n", milliseconds(time.Since(t.start)))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
