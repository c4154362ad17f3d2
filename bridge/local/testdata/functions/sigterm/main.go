// Command sigterm writes a file when it is told to end.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.StartWithOptions(
		func(context.Context) (int, error) { return os.Getpid(), nil },
		lambda.WithEnableSIGTERM(func() {
			_ = os.WriteFile(os.Getenv("MARKER"), []byte("ended in order"), 0o600)
			os.Exit(0)
		}),
	)
}
