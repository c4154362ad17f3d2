package main

import (
	"fmt"
	"os"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

func main() {
	node, python, err := e2e.Hosts()
	if err == nil {
		err = e2e.Prepare(os.Stderr, "provided.al2023", node, python)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tools:", err)
		os.Exit(1)
	}
}
