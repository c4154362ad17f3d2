//go:build unix

package local

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// FuzzHandler gives our runtimes handler strings. Whatever they are, there is
// an answer, and where it is an error it has the form of the runtime's errors.
func FuzzHandler(f *testing.F) {
	for _, handler := range []string{
		"index.handler", "", ".", "...", "index.", ".handler", "/index.handler", "a/../index.handler", "index.handler.deeper",
		"index.__proto__", "fs.readFileSync", "sys.exit", "ünïcode.hândler", "package.json.x", "\n",
	} {
		f.Add(handler)
	}
	e, _ := newEngine(f, Options{})
	dir := writeFiles(f, map[string]string{
		"index.js":     "exports.handler = async () => 'js'",
		"index.py":     "def handler(event, context):\n    return 'py'",
		"package.json": "{}",
	})
	runtimes := []string{nodeHere(f), pythonHere(f)}
	f.Fuzz(func(t *testing.T, handler string) {
		if strings.Contains(handler, "\x00") {
			t.Skip("no environment variable can hold it")
		}
		for _, runtime := range runtimes {
			fn := function("Fuzzed")
			fn.Runtime, fn.Handler, fn.Code.Path, fn.Timeout = runtime, handler, dir, 2*time.Second
			r := invoke(t, e, fn, `{}`)
			e.Retire(fn)
			if handler == "index.handler" && r.FunctionError != "" {
				t.Errorf("%s: %s", runtime, r.Payload)
			}
			if r.FunctionError == "" {
				continue // such as one that names a function of the language
			}
			var body struct{ ErrorType, ErrorMessage *string }
			if err := json.Unmarshal(r.Payload, &body); err != nil || body.ErrorType == nil || body.ErrorMessage == nil {
				t.Errorf("%s, handler %q: %s", runtime, handler, r.Payload)
			}
			if body.ErrorType != nil && *body.ErrorType == "Sandbox.Timedout" {
				t.Errorf("%s, handler %q: no answer in time", runtime, handler)
			}
		}
	})
}
