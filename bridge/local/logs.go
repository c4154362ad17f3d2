//go:build unix

package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// logStream makes one stream of whole lines out of what many processes and
// the engine write at the same time.
type logStream struct {
	mu   sync.Mutex
	w    io.Writer
	each func(fn *model.Function, requestID string, lines []byte) // nil for w
}

// writeFor writes what belongs to a function.
func (l *logStream) writeFor(fn *model.Function, requestID string, lines []byte) {
	if l.each == nil {
		l.write(lines)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.each(fn, requestID, lines)
}

// write writes text that is made of whole lines. A log that cannot be written
// must not fail an invocation, so an error is dropped.
func (l *logStream) write(lines []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.w.Write(lines)
}

func (l *logStream) println(line string) { l.write([]byte(line + "\n")) }

// notef says something about the engine itself, in a form that no function's
// line has.
func (l *logStream) notef(format string, args ...any) {
	l.println("bailey: " + fmt.Sprintf(format, args...))
}

// maxTail is the most bytes of a log tail, as Lambda's API gives them.
const maxTail = 4 << 10

// tailedLog passes lines on to the one stream, and keeps the last of them for
// the invocation that they belong to: a process serves one at a time.
type tailedLog struct {
	to *logStream
	fn *model.Function

	mu      sync.Mutex
	request string // the id of the one that the process serves
	tail    []byte
}

// serve says which request the lines that follow belong to, "" for none.
func (l *tailedLog) serve(requestID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.request = requestID
}

func (l *tailedLog) serves() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.request
}

func (l *tailedLog) write(lines []byte) {
	l.to.writeFor(l.fn, l.serves(), lines)
	l.mu.Lock()
	defer l.mu.Unlock()
	if over := len(l.tail) + len(lines) - maxTail; over > 0 {
		l.tail = append(l.tail[:0], l.tail[min(over, len(l.tail)):]...)
		lines = lines[max(len(lines)-maxTail, 0):]
	}
	l.tail = append(l.tail, lines...)
}

func (l *tailedLog) println(line string) { l.write([]byte(line + "\n")) }

// take gives the tail and begins another.
func (l *tailedLog) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	tail := bytes.Clone(l.tail)
	l.tail = l.tail[:0]
	return tail
}

// maxLine is where a line without an end is broken, so that a process that
// never ends one cannot fill the memory.
const maxLine = 1 << 20

// output is the reading end of the pipe that a process writes both of its
// standard streams to. One pipe keeps the order between the two.
type output struct {
	file *os.File
	conn syscall.RawConn
	to   *tailedLog

	mu   sync.Mutex
	buf  [16 << 10]byte
	rest []byte // the last line, as far as it was written
}

// newOutput makes the pipe and gives its writing end too, which the caller
// closes once the process has it.
func newOutput(to *tailedLog) (*output, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	conn, err := r.SyscallConn()
	if err != nil {
		_, _ = r.Close(), w.Close()
		return nil, nil, err
	}
	return &output{file: r, conn: conn, to: to}, w, nil
}

// follow copies lines until the pipe is closed on either side.
func (o *output) follow() {
	for {
		ended := false
		err := o.conn.Read(func(fd uintptr) bool {
			more, eof := o.readOnce(int(fd))
			ended = eof
			return more || eof
		})
		if err != nil || ended {
			return
		}
	}
}

// drain writes all that is in the pipe at this moment, and ends the last line.
// A process writes its logs before its response, so that after a drain every
// log line of an invocation stands before its END line.
func (o *output) drain() {
	_ = o.conn.Control(func(fd uintptr) {
		for {
			if more, eof := o.readOnce(int(fd)); !more || eof {
				return
			}
		}
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.rest) > 0 {
		o.to.write(append(o.rest, '\n'))
		o.rest = o.rest[:0]
	}
}

func (o *output) close() { _ = o.file.Close() }

// readOnce reads what one read gives. more is false where there is nothing to
// read at the moment.
func (o *output) readOnce(fd int) (more, eof bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		n, err := syscall.Read(fd, o.buf[:])
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			return false, false
		case err != nil || n <= 0:
			return false, true
		}
		o.take(o.buf[:n])
		return true, false
	}
}

// take writes the whole lines among what was read and keeps the rest.
func (o *output) take(read []byte) {
	if end := bytes.LastIndexByte(read, '\n'); end >= 0 {
		if len(o.rest) > 0 {
			o.rest = append(o.rest, read[:end+1]...)
			o.to.write(o.rest)
			o.rest = o.rest[:0]
		} else {
			o.to.write(read[:end+1])
		}
		read = read[end+1:]
	}
	o.rest = append(o.rest, read...)
	if len(o.rest) >= maxLine {
		o.to.write(append(o.rest, '\n'))
		o.rest = nil
	}
	if cap(o.rest) > maxLine/4 && len(o.rest) == 0 {
		o.rest = nil // one long line must not be paid for ever
	}
}
