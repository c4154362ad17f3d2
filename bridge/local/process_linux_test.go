package local

import (
	"os"
	"testing"
)

func TestPeakMemory(t *testing.T) {
	if got := peakMemory(os.Getpid()); got < 1<<20 || got > 8<<30 {
		t.Errorf("this process has had %d bytes", got)
	}
	if got := peakMemory(1 << 30); got != 0 {
		t.Errorf("no process has had %d bytes", got)
	}
	for status, want := range map[string]int64{
		"Name:\tbootstrap\nVmPeak:\t 99 kB\nVmHWM:\t   12345 kB\nVmRSS:\t 1 kB\n": 12345 * 1024,
		"Name:\tVmHWM:\nState:\tZ (zombie)\n":                                     0,
		"x\nVmHWM:\t\n":                                                           0,
		"x\nVmHWM:\tmany kB\n":                                                    0,
		"":                                                                        0,
	} {
		if got := highWaterMark([]byte(status)); got != want {
			t.Errorf("%q: %d, want %d", status, got, want)
		}
	}
}
