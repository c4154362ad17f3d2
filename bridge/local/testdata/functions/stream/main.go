// Command stream answers piece by piece, and may fail on the way.
package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
)

// Event says whether to fail after the first piece.
type Event struct {
	Fail bool `json:"fail"`
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the source dried up") }

func main() {
	lambda.Start(func(_ context.Context, e Event) (io.Reader, error) {
		first := strings.NewReader("first piece, ")
		if e.Fail {
			return io.MultiReader(first, broken{}), nil
		}
		return io.MultiReader(first, strings.NewReader("second piece")), nil
	})
}
