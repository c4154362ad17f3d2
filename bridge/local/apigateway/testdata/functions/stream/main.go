// Command stream streams its response: the pieces that the query string asks
// for, each once the file of the same number is there.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func handle(_ context.Context, request events.LambdaFunctionURLRequest) (*events.LambdaFunctionURLStreamingResponse, error) {
	q := request.QueryStringParameters
	pieces, _ := strconv.Atoi(q["pieces"])
	read, write := io.Pipe()
	go func() {
		for n := range pieces {
			awaitFile(filepath.Join(q["dir"], strconv.Itoa(n)))
			_, _ = io.WriteString(write, "piece "+strconv.Itoa(n)+"\n")
		}
		if q["end"] != "" {
			awaitFile(filepath.Join(q["dir"], "end"))
		}
		switch q["end"] {
		case "fail":
			_ = write.CloseWithError(errors.New("the source dried up"))
		case "exit":
			os.Exit(3)
		default:
			_ = write.Close()
		}
	}()
	return &events.LambdaFunctionURLStreamingResponse{
		StatusCode: 201, Headers: map[string]string{"Content-Type": "text/plain", "X-Streamed": "yes"},
		Cookies: []string{"a=1"}, Body: read,
	}, nil
}

// awaitFile waits for a file, so that a test says when a piece comes.
func awaitFile(path string) {
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func main() { lambda.Start(handle) }
