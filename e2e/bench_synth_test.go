//go:build e2e && bench

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestBenchSynth: whole commands on a copy of the storefront, with the other
// things that a synth can cost less than: a cold kernel, and the cdk command.
func TestBenchSynth(t *testing.T) {
	project := copyOfRoot(t)
	keepKernel(t)
	run := func(name string, arguments ...string) func() {
		return func() { succeed(t, project, name, arguments...) }
	}
	synth := func(more ...string) func() { return run(bailey(t), append([]string{"synth"}, more...)...) }
	synth()() // builds the functions and starts what keeps kernels
	readyKernel(t, project)
	var colds, warms, unchanged, soon []time.Duration
	for range 7 {
		colds = append(colds, timeOf(synth("--force", "--cold")))
		readyKernel(t, project)
		time.Sleep(time.Second) // Node.js is still busy with what it has loaded
		warms = append(warms, timeOf(synth("--force")))
		soon = append(soon, timeOf(synth()))
	}
	time.Sleep(3 * time.Second) // what has just been written is read again
	synth()()
	for range 7 {
		unchanged = append(unchanged, timeOf(synth()))
	}
	cold, warm, skipped := median(colds), median(warms), median(unchanged)
	report(t, "synth-warm", cold.Seconds()/warm.Seconds(), 4,
		"bailey synth --force of the storefront %.0f ms with a warm kernel, %.0f ms with a cold one that uses jsii's index: medians of 7 whole commands, in turn", ms(warm), ms(cold))

	// The command itself: npx would add 0.4 s of its own.
	path := succeed(t, project, "npm", "exec", "--yes", "--package=aws-cdk@2.1148.1", "--", "sh", "-c", "command -v cdk")
	cdk := run(strings.TrimSpace(path), "synth", "--quiet", "--output", filepath.Join(t.TempDir(), "cdk.out"))
	cdk()
	// Each sees edits of its own, of the same kind: what the other one has compiled
	// is of no use to it.
	changed := func(file string) (b, c time.Duration) {
		var bs, cs []time.Duration
		for i := range 5 {
			time.Sleep(time.Second) // as above
			touch(t, filepath.Join(project, filepath.FromSlash(file)), 2*i)
			bs = append(bs, timeOf(synth()))
			touch(t, filepath.Join(project, filepath.FromSlash(file)), 2*i+1)
			cs = append(cs, timeOf(cdk))
			synth()()
			readyKernel(t, project)
		}
		return median(bs), median(cs)
	}
	var cdks []time.Duration
	for range 5 {
		cdks = append(cdks, timeOf(cdk))
	}
	figure := func(name, what string, reach float64, b, c time.Duration) {
		report(t, name, c.Seconds()/b.Seconds(), reach,
			"the storefront with %s: bailey synth %.0f ms, cdk synth %.0f ms; medians of whole commands", what, ms(b), ms(c))
	}
	figure("synth-unchanged", "nothing changed", 100, skipped, median(cdks))
	figure("synth-unchanged-soon", "nothing changed, at once after a synth", 100, median(soon), median(cdks))
	b, c := changed("app/functions/quote/main.go")
	figure("synth-handler-changed", "a handler changed", 10, b, c)
	b, c = changed("app/storefront.go")
	figure("synth-infrastructure-changed", "the infrastructure changed", 4, b, c)
	s := readyKernel(t, project)
	rss := resident(t, s.PID) + resident(t, s.KernelPID)
	report(t, "kernel-memory", 256/rss, 1, "what waits for the next synth holds %.0f MB, both processes; the ratio is to 256 MB", rss)
}

func touch(t *testing.T, file string, i int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, fmt.Sprintf("\nvar changed%d = %d\n\nfunc init() { println(changed%d) }\n", i, i, i)...)
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// resident is the memory of a process, in MB.
func resident(t *testing.T, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return float64(kb) / 1024
}
