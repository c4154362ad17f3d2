package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

func main() {
	apps := filepath.Join("bridge", "testdata", "apps")
	if err := e2e.SynthApps(os.Stderr, apps, apps, os.Args[1:]...); err != nil {
		fmt.Fprintln(os.Stderr, "synthapps:", err)
		os.Exit(1)
	}
}
