//go:build unix

package local

import (
	"slices"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// BenchmarkWarmInvoke is an event through a process that waits for it. Its
// handler does nothing, so that this is what the engine and the Runtime API
// add. p50-us and p99-us are percentiles in microseconds.
func BenchmarkWarmInvoke(b *testing.B) {
	b.Run("go", func(b *testing.B) { benchmarkWarm(b, goFunction("echo")) })
	b.Run("nodejs", func(b *testing.B) { benchmarkWarm(b, inNode(b, `exports.handler = async (event) => event`)) })
	b.Run("python", func(b *testing.B) { benchmarkWarm(b, inPython(b, "def handler(event, context):\n    return event")) })
}

func benchmarkWarm(b *testing.B, fn *model.Function) {
	e, _ := newEngine(b, Options{})
	const event = `{"Records": [{"messageId": "1", "body": "{\"order\": 17}"}]}`
	invoke(b, e, fn, event)
	measure(b, func() { invoke(b, e, fn, event) })
}

// BenchmarkColdInvoke starts a process for each event.
func BenchmarkColdInvoke(b *testing.B) {
	b.Run("go", func(b *testing.B) { benchmarkCold(b, goFunction("echo")) })
	b.Run("nodejs", func(b *testing.B) { benchmarkCold(b, inNode(b, `exports.handler = async (event) => event`)) })
	b.Run("python", func(b *testing.B) { benchmarkCold(b, inPython(b, "def handler(event, context):\n    return event")) })
}

func benchmarkCold(b *testing.B, fn *model.Function) {
	e, _ := newEngine(b, Options{})
	measure(b, func() {
		cold := *fn
		invoke(b, e, &cold, `{}`)
		b.StopTimer()
		e.Retire(&cold)
		b.StartTimer()
	})
}

// measure reports percentiles beside the mean.
func measure(b *testing.B, once func()) {
	b.Helper()
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		once()
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
}
