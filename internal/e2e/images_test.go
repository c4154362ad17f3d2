//go:build e2e

package e2e

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(m.Run()) }

func TestBaseImages(t *testing.T) {
	node, python, err := Hosts()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"provided.al2023", node, python} {
		t.Run(id, func(t *testing.T) { BaseImage(t, id) })
	}
}
