package synth

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// AppError says that the app, or the build command before it, failed.
type AppError struct {
	// Command is the command line, What "CDK app" or "build command".
	Command, What string
	// Status is how it ended: "exit status 1", "signal: killed".
	Status string
	// Message is what failed, in one line, and Place the first line of the
	// user's own code in the trace ("main.go:12", relative to the folder of
	// cdk.json). Both are "" where nothing was recognised.
	Message, Place string
	// Trace is the stack trace, "" where there was none.
	Trace string
}

// Error explains in one line. The trace follows it.
func (e *AppError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("the %s failed: %q ended with %s; what it printed says why", e.What, e.Command, e.Status) + e.traceBelow()
	}
	place := ""
	if e.Place != "" {
		place = e.Place + ": "
	}
	return fmt.Sprintf("the %s failed: %s%s", e.What, place, e.Message) + e.traceBelow()
}

func (e *AppError) traceBelow() string {
	if e.Trace == "" {
		return ""
	}
	return "\n\n" + e.Trace
}

func newAppError(dir, what, command, status, trace string) *AppError {
	return &AppError{
		Command: command, What: what, Status: status, Trace: trace,
		Message: message(trace), Place: place(dir, trace),
	}
}

// message finds what a trace says, without its frames, in one line.
func message(trace string) string {
	lines := strings.Split(trace, "\n")
	var found []string
	switch {
	case strings.Contains(trace, "Traceback (most recent call last)"):
		found = pythonMessage(lines)
	case strings.HasPrefix(trace, "panic: "), strings.HasPrefix(trace, "fatal error: "):
		found = goMessage(lines)
	default:
		found = nodeMessage(lines)
	}
	text := strings.Join(strings.Fields(strings.Join(found, " ")), " ")
	if len(text) > lineLimit {
		text = shorten(text)
	}
	return text
}

// goMessage is all until the first goroutine.
func goMessage(lines []string) (found []string) {
	for _, line := range lines {
		if strings.HasPrefix(line, "goroutine ") || strings.HasPrefix(line, "exit status ") {
			break
		}
		found = append(found, line)
	}
	found[0] = strings.TrimPrefix(found[0], "panic: ")
	return found
}

// pythonMessage is what comes after the last frame and the code that it quotes.
func pythonMessage(lines []string) []string {
	start := 0
	for i, line := range lines {
		if strings.HasPrefix(line, "  File ") {
			start = i
		}
	}
	for start < len(lines) && strings.HasPrefix(lines[start], " ") {
		start++
	}
	return lines[start:]
}

// jsFrame is a frame of Node.js, or what the CDK shortens some of them to.
var jsFrame = regexp.MustCompile(`^ {4,}(at |\.\.\.\S)`)

// nodeMessage is the paragraph before the first frame.
func nodeMessage(lines []string) []string {
	for i, line := range lines {
		if !jsFrame.MatchString(line) {
			continue
		}
		start := i
		for start > 0 && strings.TrimSpace(lines[start-1]) != "" {
			start--
		}
		return lines[start:i]
	}
	return nil
}

// frame finds the file and line of a frame of Go, Python or Node.js.
var frame = regexp.MustCompile(`^\t(\S.*\.go):(\d+)(?: \+0x[0-9a-f]+)?$` +
	`|^ +File "([^"]+)", line (\d+)` +
	`|^ {4,}at .*?((?:file://)?(?:/|[A-Za-z]:\\)[^()]*\.[cm]?[jt]sx?):(\d+):\d+\)?$`)

// place is the innermost frame of the user's own code.
func place(dir, trace string) string {
	var places []string
	for line := range strings.Lines(trace) {
		m := frame.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		file, number := strings.TrimPrefix(m[1]+m[3]+m[5], "file://"), m[2]+m[4]+m[6]
		if own := ownFile(dir, file); own != "" {
			places = append(places, own+":"+number)
		}
	}
	switch {
	case len(places) == 0:
		return ""
	case strings.Contains(trace, "Traceback (most recent call last)"):
		return places[len(places)-1] // Python's last frame is the innermost
	}
	return places[0]
}

// foreign are folders inside a project that hold other people's code.
var foreign = []string{"node_modules", "site-packages", ".venv", "venv", "vendor", "pkg/mod"}

// ownFile is file relative to dir where it is the user's, else "".
func ownFile(dir, file string) string {
	if !filepath.IsAbs(file) {
		return trimmedFile(dir, file)
	}
	rel, err := filepath.Rel(dir, file)
	if resolved, e := filepath.EvalSymlinks(dir); e == nil && (err != nil || !filepath.IsLocal(rel)) {
		rel, err = filepath.Rel(resolved, file)
	}
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	for _, f := range foreign {
		if strings.Contains("/"+filepath.ToSlash(rel), "/"+f+"/") {
			return ""
		}
	}
	return rel
}

// trimmedFile finds a file of a Go program that was built with -trimpath: its
// name begins with the path of the module, which is not that of the folder. A
// Python file may simply be relative.
func trimmedFile(dir, file string) string {
	for rest, more := file, true; more; _, rest, more = strings.Cut(rest, "/") {
		if abs := filepath.Join(dir, filepath.FromSlash(rest)); isFile(abs) {
			return ownFile(dir, abs)
		}
	}
	return ""
}
