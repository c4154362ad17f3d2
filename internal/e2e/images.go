package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// registry is where AWS publishes the images of the runtimes.
const registry = "public.ecr.aws"

// label marks a stand-in. Its value is a hash of what it was made of.
const label = "bailey.stand-in"

// Image is the name of the image that the SAM CLI runs a runtime's functions
// in, on this machine's architecture.
func Image(runtimeID string) string {
	repository, version := runtimeID, ""
	if i := strings.IndexAny(runtimeID, ".0123456789"); i > 0 {
		repository, version = runtimeID[:i], strings.TrimSuffix(strings.TrimPrefix(runtimeID[i:], "."), ".x")
	}
	return fmt.Sprintf("%s/lambda/%s:%s-%s", registry, repository, version, Architecture())
}

// Architecture is Lambda's name of this machine's.
func Architecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

var images = struct {
	sync.Mutex
	ready map[string]error
}{ready: map[string]error{}}

// BaseImage makes sure that the engine has the image of a runtime
// ("provided.al2023"): AWS's own, or a stand-in, which the test's log tells.
func BaseImage(t testing.TB, runtimeID string) {
	t.Helper()
	Docker(t)
	images.Lock()
	defer images.Unlock()
	err, ok := images.ready[runtimeID]
	if !ok {
		err = provide(t, runtimeID)
		images.ready[runtimeID] = err
	}
	if err != nil {
		t.Fatal(err)
	}
}

func provide(t testing.TB, runtimeID string) error {
	image := Image(runtimeID)
	present := labelOf(image)
	if present == "real" {
		return nil
	}
	if present == "none" && reachable(registry) {
		t.Logf("pulling %s", image)
		if _, err := run("docker", "pull", "--quiet", image); err == nil {
			return nil
		}
	}
	s, err := newStandIn(runtimeID, testWriter{t})
	if err != nil {
		return fmt.Errorf("a stand-in for %s: %w", image, err)
	}
	t.Logf("STAND-IN: %s is not AWS's image, which can't be pulled here, but one made of %s", image, s.origin)
	if present == s.key {
		return nil
	}
	return s.importAs(image)
}

// labelOf is the stand-in label of an image, "real" for an image without, or
// "none".
func labelOf(image string) string {
	out, err := run("docker", "image", "inspect", "--format", `{{index .Config.Labels "`+label+`"}}`, image)
	switch {
	case err != nil:
		return "none"
	case out == "" || out == "<no value>":
		return "real"
	}
	return out
}

// reachable says within five seconds whether a host answers.
func reachable(host string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, "443"))
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// importAs loads the stand-in into the engine, and drops the image that the
// SAM CLI made of the one before, which it would go on to use.
func (s *standIn) importAs(image string) error {
	var archive bytes.Buffer
	if err := s.write(tar.NewWriter(&archive)); err != nil {
		return err
	}
	arguments := []string{"import", "--change", "LABEL " + label + "=" + s.key, "--change", "WORKDIR /var/task"}
	for _, variable := range s.environment {
		arguments = append(arguments, "--change", "ENV "+variable)
	}
	command := exec.Command("docker", append(arguments, "-", image)...)
	command.Stdin = &archive
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("docker import %s: %w: %s", image, err, out)
	}
	derived := regexp.MustCompile(`-([^-]+)$`).ReplaceAllString(image, "-rapid-$1")
	_, _ = run("docker", "image", "rm", "--force", derived) // most often there is none
	return nil
}

// ownSocket is where scripts/with-docker has the engine that it starts.
const ownSocket = "unix:///run/bailey-docker/docker.sock"

// RemoveStandIns removes, at the end of a run, the stand-ins and what the SAM
// CLI made of them from an engine that is not the tests' own: there they would
// be taken for AWS's images.
func RemoveStandIns() {
	if os.Getenv("DOCKER_HOST") == ownSocket || len(images.ready) == 0 {
		return
	}
	found, err := run("docker", "image", "ls", "--quiet", "--filter", "label="+label)
	if err == nil && found != "" {
		_, _ = run("docker", append([]string{"image", "rm", "--force"}, strings.Fields(found)...)...)
	}
}

// Prepare installs ahead what the tests need from outside: the SAM CLI, the aws
// command, the AWS emulator, Delve and the parts of the stand-ins for the runtimes.
func Prepare(progress io.Writer, runtimeIDs ...string) error {
	for _, install := range []func(io.Writer) (string, error){
		installSAM, installAWSCLI, installEmulator, installClients, installNag, installDelve,
	} {
		if _, err := install(progress); err != nil {
			return err
		}
	}
	if err := installBrowser(progress); err != nil {
		_, _ = fmt.Fprintln(progress, "no browser:", err) // the tests that need one skip
	}
	for _, id := range runtimeIDs {
		if _, err := newStandIn(id, progress); err != nil {
			return fmt.Errorf("a stand-in for the image of %s: %w", id, err)
		}
	}
	return nil
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// Hosts are the runtimes of the interpreters that this machine has, as Lambda
// names them: "nodejs20.x", "python3.11". A missing interpreter is an error.
func Hosts() (node, python string, err error) {
	major, err := run("node", "-p", "process.versions.node.split('.')[0]")
	if err != nil {
		return "", "", fmt.Errorf("the tests need Node.js: %w", err)
	}
	version, err := run("python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
	if err != nil {
		return "", "", fmt.Errorf("the tests need Python 3: %w", err)
	}
	return "nodejs" + major + ".x", "python" + version, nil
}

func mustExecutable(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not installed", name)
	}
	return path, nil
}
