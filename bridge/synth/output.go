package synth

import (
	"bytes"
	"io"
	"regexp"
	"strings"
)

// noise is what jsii's Go client may print at the end of any run, because it
// waits for its kernel twice. It has no line end, so it stands before whatever is
// printed next.
var noise = regexp.MustCompile(`Runtime process exited abnormally: wait(id)?: no child processes`)

// traceStart is the first line of a stack trace: of Go, Python, Node.js, .NET,
// Java, and of jsii's error in Python.
var traceStart = regexp.MustCompile(`^(panic: |fatal error: |goroutine \d+ \[|Traceback \(most recent call last\)|jsii\.errors\.|` +
	`(/|[A-Za-z]:\\|file://)\S*\.[cm]?[jt]sx?:\d+$|node:\S+:\d+$|Unhandled exception|Exception in thread )`)

// shorten cuts a line. Of Node's line of spaces with a "^" nothing is left.
func shorten(line string) string {
	line = strings.TrimSpace(strings.ToValidUTF8(line[:lineLimit], ""))
	if line == "" {
		return ""
	}
	return line + " ..."
}

var exitLine = regexp.MustCompile(`\nexit status \d+\n$`)

// traceLimit bounds the memory that a trace takes, and lineLimit a line of it:
// Node.js quotes the failing line, and those of aws-cdk-lib have 20 kB and more.
const (
	traceLimit = 256 << 10
	lineLimit  = 400
)

// output passes on what an app prints, line by line. From the first line of a
// stack trace on it keeps the lines, because what failed should be said first.
type output struct {
	to   io.Writer
	line []byte       // unfinished
	held bytes.Buffer // from traceStart on
}

// Write never fails.
func (o *output) Write(p []byte) (int, error) {
	rest := p
	for {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			o.line = append(o.line, rest...)
			return len(p), nil
		}
		o.emit(append(o.line, rest[:i+1]...))
		o.line = nil
		rest = rest[i+1:]
	}
}

func (o *output) emit(line []byte) {
	if noise.Match(line) {
		if line = noise.ReplaceAll(line, nil); len(bytes.TrimSpace(line)) == 0 {
			return
		}
	}
	if o.held.Len() == 0 && !traceStart.Match(bytes.TrimRight(line, "\r\n")) {
		o.pass(line)
		return
	}
	if o.held.Len() < traceLimit {
		o.held.Write(line)
	}
}

func (o *output) pass(data []byte) {
	_, _ = o.to.Write(data) // an app is not ended because nobody reads it
}

// end takes what is left. Where the app has not failed, a trace that was held was
// one that it dealt with, and is passed on.
func (o *output) end(failed bool) {
	if len(o.line) > 0 {
		o.emit(o.line)
		o.line = nil
	}
	if !failed {
		o.pass(o.held.Bytes())
	}
}

// trace is what was held, fit to be read. The line that "go run" adds about the
// exit status, which is its own and not the app's, is left out.
func (o *output) trace() string {
	var b strings.Builder
	for line := range strings.Lines(o.held.String()) {
		line = strings.TrimRight(line, "\r\n")
		if len(line) > lineLimit {
			line = shorten(line)
		}
		b.WriteString(line + "\n")
	}
	return strings.TrimRight(exitLine.ReplaceAllString(b.String(), ""), "\n")
}
