package e2e

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// NoDocker is the variable by which scripts/with-docker says why there is no
// container engine.
const NoDocker = "BAILEY_NO_DOCKER"

var dockerOnce = sync.OnceValue(func() string {
	if reason := os.Getenv(NoDocker); reason != "" {
		return reason
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}").CombinedOutput(); err != nil {
		return "no Docker engine answers (run the tests by scripts/with-docker): " + string(out)
	}
	return ""
})

// Docker skips the test, with the reason, where there is no container engine.
func Docker(t testing.TB) {
	t.Helper()
	if reason := dockerOnce(); reason != "" {
		t.Skip("SKIP: " + reason)
	}
}
