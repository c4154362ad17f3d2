package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/bailey-cdk/bailey/internal/atomicfile"
)

// runningFile says where the plane of a folder is served.
const runningFile = "plane.json"

// running is what the file holds.
type running struct {
	URL string `json:"url"`
	PID int    `json:"pid"`
}

// NotRunningError says that no plane of a folder is running.
type NotRunningError struct{ Dir string }

func (e *NotRunningError) Error() string {
	return fmt.Sprintf("no event plane runs on %s; start bailey dev first", e.Dir)
}

// Find is the URL of the running plane of a folder. The error is a
// [*NotRunningError] where there is none.
func Find(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, runningFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", &NotRunningError{dir}
	}
	if err != nil {
		return "", err
	}
	var r running
	if err := json.Unmarshal(text, &r); err != nil {
		return "", fmt.Errorf("%s cannot be read: %w", filepath.Join(dir, runningFile), err)
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" {
		return "", &NotRunningError{dir}
	}
	// The file of a plane that was killed is still there.
	connection, err := net.DialTimeout("tcp", u.Host, 2*time.Second)
	if err != nil {
		return "", &NotRunningError{dir}
	}
	return r.URL, connection.Close()
}

// announce writes the file, conceal removes it.
func (p *Plane) announce() error {
	if p.options.URL == "" {
		return nil
	}
	text, _ := json.Marshal(running{p.options.URL, os.Getpid()}) // never fails
	return atomicfile.Write(filepath.Join(p.options.Dir, runningFile), append(text, '\n'))
}

func (p *Plane) conceal() error {
	if p.options.URL == "" {
		return nil
	}
	err := os.Remove(filepath.Join(p.options.Dir, runningFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
