package dynamodb

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// process is dynalite, running.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	socket string
	client *http.Client
	exited chan struct{}
	errors lastBytes
}

// startLimit is how long dynalite may take to listen.
const startLimit = 30 * time.Second

// start starts dynalite on the tables in a folder.
func start(ctx context.Context, installed, tables, region, account string) (*process, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, errors.New("the local DynamoDB is a Node.js program, and there is no node on the PATH; install Node.js 20 or newer")
	}
	if err := os.MkdirAll(tables, 0o755); err != nil {
		return nil, err
	}
	// The path of a socket has about a hundred bytes at most: it stands in the
	// folder for temporary files, not in the project.
	dir, err := os.MkdirTemp("", "bailey-dynamodb-")
	if err != nil {
		return nil, err
	}
	p := &process{socket: filepath.Join(dir, "socket"), exited: make(chan struct{})}
	p.cmd = exec.Command(node, filepath.Join(installed, "server.js"), p.socket, tables)
	p.cmd.Env = append(os.Environ(), "AWS_REGION="+region, "AWS_ACCOUNT_ID="+account, "NODE_OPTIONS=")
	p.cmd.Stderr = &p.errors
	ready, err := p.run()
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	select {
	case <-ready:
	case <-p.exited:
		return nil, fmt.Errorf("the local DynamoDB ended at once: %s", p.errors.text())
	case <-ctx.Done():
		p.stop()
		return nil, ctx.Err()
	case <-time.After(startLimit):
		p.stop()
		return nil, fmt.Errorf("the local DynamoDB did not start within %v: %s", startLimit, p.errors.text())
	}
	p.client = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", p.socket)
		},
		MaxIdleConnsPerHost: 64, DisableCompression: true,
	}}
	return p, nil
}

// run starts the process. ready is closed when it listens.
func (p *process) run() (ready chan struct{}, err error) {
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ready = make(chan struct{})
	go func() {
		lines := bufio.NewScanner(out)
		if lines.Scan() && strings.TrimSpace(lines.Text()) == "ready" {
			close(ready)
		}
		for lines.Scan() {
			continue // or it would wait for a reader
		}
		_ = p.cmd.Wait() // its status says no more than its words
		os.RemoveAll(filepath.Dir(p.socket))
		close(p.exited)
	}()
	return ready, nil
}

// stop ends the process and waits for it.
func (p *process) stop() {
	_ = p.stdin.Close() // which it ends by
	select {
	case <-p.exited:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// kill ends a process that broke off a write by an error, and gives the error
// back; nil does nothing. Nobody knows what became of the write: the next
// process finds out, before it serves anyone.
func (p *process) kill(err error) error {
	if err != nil {
		_ = p.cmd.Process.Kill() // or it has ended
		<-p.exited
	}
	return err
}

// ended reports whether the process has ended.
func (p *process) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// authorization satisfies dynalite, which looks at no more than its form.
const authorization = "AWS4-HMAC-SHA256 Credential=local/20060102/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0"

// answer is what dynalite answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call has dynalite do an operation.
func (p *process) call(ctx context.Context, operation string, body []byte) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://dynamodb/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = http.Header{
		"X-Amz-Target": {"DynamoDB_20120810." + operation}, "Content-Type": {"application/x-amz-json-1.0"},
		"Authorization": {authorization}, "X-Amz-Date": {"20060102T150405Z"},
	}
	response, err := p.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("the local DynamoDB does not answer: %w", err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("the local DynamoDB broke off: %w", err)
	}
	return &answer{response.StatusCode, response.Header, data}, nil
}

// lastBytes keeps the end of what is written to it.
type lastBytes struct {
	mu   sync.Mutex
	kept []byte
}

func (l *lastBytes) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, b...)
	if over := len(l.kept) - 2000; over > 0 {
		l.kept = l.kept[over:]
	}
	return len(b), nil
}

func (l *lastBytes) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.TrimSpace(string(l.kept))
}
