//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// soakLength is how long the soak takes: $BAILEY_SOAK_API ("10m"), else some
// seconds.
func soakLength(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("BAILEY_SOAK_API")
	if text == "" {
		return 3 * time.Second
	}
	length, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("BAILEY_SOAK_API: %v", err)
	}
	return length
}

// TestAPISoak keeps 64 connections busy, each request with an id of its own,
// and holds every answer to its request: none is lost, doubled or another's.
// The server's memory does not grow with the requests.
func TestAPISoak(t *testing.T) {
	length := soakLength(t)
	g := startGateway(t, mixed(t))
	soaked := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxConnsPerHost: 64, MaxIdleConnsPerHost: 64}}
	defer soaked.CloseIdleConnections()
	var asked, answered, wrong atomic.Int64
	begun := time.Now()
	middle := sync.OnceValue(func() int { return residentMemory(t, g.process.Process.Pid) })
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for time.Since(begun) < length && wrong.Load() < 10 {
				id := strconv.FormatInt(asked.Add(1), 10)
				if complaint := askFor(soaked, g.urls["Api"], id); complaint != "" {
					wrong.Add(1)
					t.Errorf("request %s: %s", id, complaint)
					continue
				}
				answered.Add(1)
				if time.Since(begun) > length/4 {
					middle()
				}
			}
		})
	}
	all.Wait()
	if asked.Load() != answered.Load() {
		t.Errorf("%d of %d requests were lost\n%s", asked.Load()-answered.Load(), asked.Load(), g.tail())
	}
	before, after := middle(), residentMemory(t, g.process.Process.Pid)
	if after > 2*before+64<<10 {
		t.Errorf("the server's memory grew from %d to %d KB", before, after)
	}
	t.Logf("%d requests in %v, each answered with what it asked for; the server has %d KB, after a quarter it had %d", answered.Load(), length, after, before)
}

// askFor asks the Go function for an id.
func askFor(c *http.Client, address, id string) (complaint string) {
	response, err := c.Get(address + "/go/" + id)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	var got seen
	if err := json.Unmarshal(body, &got); err != nil || response.StatusCode != 201 || got.Parameters["id"] != id {
		return fmt.Sprintf("answered %s: %.300s", response.Status, body)
	}
	return ""
}

// residentMemory is what a process occupies, in KB, 0 where the system does
// not tell.
func residentMemory(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			if err != nil {
				t.Error(err)
			}
			return kb
		}
	}
	return 0
}
