package dev

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

func (s *session) report(e Event) {
	e.Time = time.Now()
	s.reporting.Lock()
	defer s.reporting.Unlock()
	s.o.Report(e)
}

func (s *session) note(text string) {
	if text = strings.TrimSpace(text); text != "" {
		s.report(Event{Kind: Note, Message: text})
	}
}

// notes is a log whose own lines become notes. A line for each request, which the
// servers write too, does not: [session.requested] tells more.
func (s *session) notes() io.Writer {
	return &lines{each: func(line string) {
		if text, own := strings.CutPrefix(line, "bailey: "); own {
			s.note(text)
		}
	}}
}

// logged is told of the lines that belong to a function.
func (s *session) logged(fn *model.Function, requestID string, text []byte) {
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		s.report(Event{Kind: Log, Function: fn.Name, RequestID: requestID, Message: string(line)})
	}
}

// requested tells of the requests that a handler answers.
func (s *session) requested(api string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		seen := &answered{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			s.report(Event{
				Kind: Request, API: api, Method: r.Method, Path: r.URL.Path, Status: seen.status, Milliseconds: milliseconds(time.Since(start)),
			})
		}()
		h.ServeHTTP(seen, r)
	})
}

// answered remembers the status of an answer.
type answered struct {
	http.ResponseWriter
	status int
}

func (a *answered) WriteHeader(status int) {
	if status >= 200 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Flush passes on what was written so far.
func (a *answered) Flush() { _ = http.NewResponseController(a.ResponseWriter).Flush() }

// Unwrap is for http.ResponseController.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }
