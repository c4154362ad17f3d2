// Command acts is a function that does what its event says, mostly badly.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Event says what to do.
type Event struct {
	Do   string `json:"do"`
	N    int    `json:"n"`
	Text string `json:"text"`
}

var (
	count int
	held  [][]byte
)

func main() {
	act(os.Getenv("INIT"))
	lambda.Start(handle)
}

// act misbehaves during the init phase.
func act(what string) {
	switch what {
	case "exit":
		os.Exit(3)
	case "panic":
		panic("init went wrong")
	case "hang":
		time.Sleep(time.Hour)
	case "slow once":
		// Slow where the marker is absent: the second time it is there.
		marker := os.Getenv("MARKER")
		if _, err := os.Stat(marker); err != nil {
			_ = os.WriteFile(marker, nil, 0o600)
			time.Sleep(time.Hour)
		}
	}
}

type custom struct{}

func (custom) Error() string { return "a custom error" }

func handle(ctx context.Context, e Event) (any, error) {
	count++
	switch e.Do {
	case "error":
		return nil, errors.New("no such order")
	case "custom error":
		return nil, custom{}
	case "panic":
		panic("it went wrong")
	case "exit":
		os.Exit(e.N)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "sleep":
		time.Sleep(time.Duration(e.N) * time.Millisecond)
	case "exit later":
		go func() {
			time.Sleep(time.Duration(e.N) * time.Millisecond)
			os.Exit(7)
		}()
	case "big":
		return strings.Repeat("x", e.N-2), nil // and two quotation marks
	case "grow":
		return grow(e.N), nil
	case "log":
		logLines(e.N, e.Text)
	case "spawn":
		return spawn(e.N)
	case "environ":
		return os.Environ(), nil
	case "context":
		return describe(ctx)
	}
	return map[string]any{"count": count, "pid": os.Getpid()}, nil
}

// grow holds n more megabytes.
func grow(n int) int {
	block := make([]byte, n<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	held = append(held, block)
	return len(held)
}

func logLines(n int, text string) {
	for i := range n {
		fmt.Printf("out %d\n", i)
		fmt.Fprintf(os.Stderr, "err %d\n", i)
	}
	fmt.Print(text)
}

// spawn starts a child that outlives the invocation, then sleeps.
func spawn(milliseconds int) (any, error) {
	child := exec.Command("sleep", "600")
	if err := child.Start(); err != nil {
		return nil, err
	}
	fmt.Println("child", child.Process.Pid)
	time.Sleep(time.Duration(milliseconds) * time.Millisecond)
	return child.Process.Pid, nil
}

func describe(ctx context.Context) (any, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	dir, err := os.Getwd()
	return map[string]any{
		"context": lc, "remaining": time.Until(deadline).Milliseconds(), "dir": dir,
		"trace": ctx.Value("x-amzn-trace-id"),
		"name":  lambdacontext.FunctionName, "version": lambdacontext.FunctionVersion,
		"memory": lambdacontext.MemoryLimitInMB, "group": lambdacontext.LogGroupName,
		"stream": lambdacontext.LogStreamName,
	}, err
}
