package apigateway

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// lineWriter writes whole lines, one at a time. A log that cannot be written
// must not fail a request, so an error is dropped.
type lineWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lineWriter) println(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.w.Write(line)
}

// notef says something about the gateway itself, in the form that the engine
// has for such lines.
func (l *lineWriter) notef(format string, arguments ...any) {
	l.println([]byte("bailey: " + fmt.Sprintf(format, arguments...) + "\n"))
}

// logAccess writes the line of a request: time, API, method and path, status,
// duration, size, function, and why the gateway answered by itself.
func (x *exchange) logAccess() {
	if x.gateway.options.Logs == io.Discard {
		return
	}
	line := make([]byte, 0, 160)
	line = x.began.AppendFormat(line, "15:04:05.000 ")
	line = append(line, x.api.Name...)
	line = append(line, ' ')
	line = append(line, x.r.Method...)
	line = append(line, ' ')
	line = append(line, printable(x.r.URL.EscapedPath())...)
	line = append(line, ' ')
	line = strconv.AppendInt(line, int64(x.status), 10)
	line = append(line, ' ')
	line = strconv.AppendFloat(line, float64(time.Since(x.began))/float64(time.Millisecond), 'f', 1, 64)
	line = append(line, "ms "...)
	line = strconv.AppendInt(line, x.written, 10)
	line = append(line, 'B')
	if route := x.match.target; route != nil && route.route != nil {
		line = append(line, ' ')
		line = append(line, route.route.Function.Name...)
	}
	if x.remark != "" {
		line = append(line, ": "...)
		line = append(line, printable(x.remark)...)
	}
	x.gateway.logs.println(append(line, '\n'))
}

// printable keeps a client from writing lines of its own into the log.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
