package synth

import (
	"time"
)

// Phase is a part of a synth, and the time it took.
type Phase struct {
	Name string
	Took time.Duration
}

// The phases of a synth, in their order; see [Result.Phases].
const (
	phaseLook    = "looking for changes"
	phaseCompile = "compiling the CDK app"
	phaseRun     = "running the CDK app"
	phaseRecord  = "keeping the assembly"
)

// clock divides the time of a synth into phases.
type clock struct {
	begun  time.Time
	phases []Phase
	tell   func(phase string) // nil for nobody
}

// begin ends the phase that goes on and begins another.
func (c *clock) begin(name string) {
	c.end()
	c.phases = append(c.phases, Phase{Name: name})
	c.begun = time.Now()
	if c.tell != nil {
		c.tell(name)
	}
}

// end ends the phase that goes on.
func (c *clock) end() {
	if n := len(c.phases); n > 0 && c.phases[n-1].Took == 0 {
		c.phases[n-1].Took = time.Since(c.begun)
	}
}
