package local

import (
	"fmt"
	"strings"
	"time"
)

// Report is what the REPORT line of an invocation says.
type Report struct {
	// Duration is the time from the event's delivery until the process asked
	// for the next one, or ended.
	Duration time.Duration
	// BilledDuration is Duration and InitDuration together, rounded up to a
	// millisecond: Lambda bills the init phase of every runtime since August
	// 2025.
	BilledDuration time.Duration
	// InitDuration is the time from the start of the process until it asked
	// for its first event; 0 for a process that had run before.
	InitDuration time.Duration
	// MemorySize is the function's, in MB.
	MemorySize int
	// MaxMemoryUsed is the most that the process has held in memory so far,
	// in MB, rounded up; 0 where it could not be measured.
	MaxMemoryUsed int
	// Status is "" for an invocation that came to its end, "timeout" for one
	// that was cut off, and "error" for one whose process ended, whose init
	// failed or whose response was refused.
	Status string
	// ErrorType is set with the status "error": "Runtime.ExitError".
	ErrorType string
}

// billed rounds up to a whole millisecond.
func billed(d time.Duration) time.Duration {
	if rest := d % time.Millisecond; rest > 0 {
		d += time.Millisecond - rest
	}
	return d
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func startLine(requestID string) string {
	return "START RequestId: " + requestID + " Version: " + functionVersion
}

func endLine(requestID string) string { return "END RequestId: " + requestID }

// line is the REPORT line in Lambda's form, tabs and all.
func (r Report) line(requestID string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		requestID, milliseconds(r.Duration), r.BilledDuration.Milliseconds(), r.MemorySize, r.MaxMemoryUsed)
	if r.InitDuration > 0 {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", milliseconds(r.InitDuration))
	}
	if r.Status != "" {
		b.WriteString("Status: " + r.Status)
		if r.ErrorType != "" {
			b.WriteString("\tError Type: " + r.ErrorType)
		}
	}
	return b.String()
}

// The phases of an INIT_REPORT line.
const (
	phaseInit   = "init"
	phaseInvoke = "invoke"
)

// initReportLine is what Lambda logs of an init phase that did not succeed.
func initReportLine(d time.Duration, phase, status, errorType string) string {
	line := fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\tStatus: %s", milliseconds(d), phase, status)
	if errorType != "" {
		line += "\tError Type: " + errorType
	}
	return line
}
