//go:build e2e

package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// TestDelve: a debugger stops in a function that a request came to, reads a
// variable, and the request is answered when it lets go.
func TestDelve(t *testing.T) {
	delve := e2e.Delve(t)
	t.Setenv("PATH", delve+string(filepath.ListSeparator)+os.Getenv("PATH"))
	project := copyOfRoot(t)
	routeGreeting(t, project, "/quotes")
	greeting(t, project, "hello")
	source := filepath.Join(project, "app", "functions", "quote", "greeting.go")
	replaceIn(t, source, "func(context.Context, events.APIGatewayV2HTTPRequest)", "func(_ context.Context, request events.APIGatewayV2HTTPRequest)",
		`Body: "hello"`, `Body: "hello " + request.QueryStringParameters["name"]`)
	port := freePort(t)
	d := startDev(t, project, "--cold", "--debug-port", port, "--debug-function", "Quote")

	answered := make(chan string, 1)
	go func() { answered <- d.answer("/quotes?name=Ada") }()
	address := net.JoinHostPort("127.0.0.1", port)
	commands := filepath.Join(t.TempDir(), "commands")
	put(t, commands, "break greeting.go:12\ncontinue\nprint request.QueryStringParameters\n")
	said := debug(t, filepath.Join(delve, "dlv"), address, commands)
	for _, want := range []string{"greeting.go:12", `"name": "Ada"`} {
		if !strings.Contains(said, want) {
			t.Errorf("dlv does not say %q:\n%s", want, said)
		}
	}
	if got := <-answered; got != "hello Ada" {
		t.Errorf("answer %q", got)
	}
	if got := d.answer("/quotes?name=Grace"); got != "hello Grace" {
		t.Errorf("next answer %q", got)
	}
}

// debug is what dlv says of some commands, once a function's process waits for
// it; then it lets the function go on.
func debug(t testing.TB, dlv, address, commands string) string {
	t.Helper()
	for range 600 {
		client := exec.Command(dlv, "connect", address, "--init", commands, "--allow-non-terminal-interactive=true")
		client.Stdin = strings.NewReader("clearall\nquit -c\n")
		said, err := client.CombinedOutput()
		if err == nil {
			return string(said)
		}
		if len(said) > 0 { // where nothing listens it says nothing
			t.Fatalf("dlv: %v\n%s", err, said)
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("nothing listens on %s within a minute", address)
	return ""
}
