package e2e

import (
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// emulator is MiniStack with all that it brings, each at one version. It comes
// from PyPI, needs no container, starts in a second, and takes the storefront's
// template as it is. In moto's server, the other that does the first three, a
// deployment by the CDK CLI ended with "The specified bucket does not exist".
//
//go:embed emulator.txt
var emulator string

// Account and Region are where the emulated account is.
const (
	Account = "123456789012"
	Region  = "us-east-1"
)

var emulatorOnce = sync.OnceValues(func() (string, error) { return installEmulator(os.Stderr) })

// installEmulator is the path of the emulator's command.
func installEmulator(progress io.Writer) (string, error) {
	version, err := run("python3", "-c", "import sys; print(sys.version, sys.base_prefix)")
	if err != nil {
		return "", fmt.Errorf("the AWS emulator needs Python 3: %w", err)
	}
	dir, err := installOnce("aws-emulator", keyOf(emulator, version), progress, func(dir string) error {
		wanted := filepath.Join(dir, "emulator.txt")
		if err := os.WriteFile(wanted, []byte(emulator), 0o644); err != nil {
			return err
		}
		if _, err := run("python3", "-m", "venv", filepath.Join(dir, "venv")); err != nil {
			return err
		}
		_, err := run(filepath.Join(dir, "venv", "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "--requirement", wanted)
		return err
	})
	return filepath.Join(dir, "venv", "bin", "ministack"), err
}

// AWS starts an empty AWS account on this machine for one test, on a port of
// the loopback interface, and gives the variables that lead the CDK CLI, the
// AWS SDKs and Bailey to it: the endpoint, credentials and the region. It is
// gone when the test ends.
func AWS(t testing.TB) []string {
	t.Helper()
	command, err := emulatorOnce()
	if err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "emulator.log"))
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(command)
	server.Dir, server.Stdout, server.Stderr = dir, log, log
	server.Env = append(withoutAWS(os.Environ()),
		"BIND_HOST=127.0.0.1", "MINISTACK_HOST=127.0.0.1", "GATEWAY_PORT="+strconv.Itoa(port),
		"MINISTACK_ACCOUNT_ID="+Account, "MINISTACK_REGION="+Region,
		"TMPDIR="+dir, "S3_DATA_DIR="+filepath.Join(dir, "s3"),
	)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() {
		_ = server.Process.Kill()
		<-ended //nolint:errcheck // it was killed
		_ = log.Close()
	})
	endpoint := "http://127.0.0.1:" + strconv.Itoa(port)
	if err := awaitAnswer(endpoint, ended); err != nil {
		said, _ := os.ReadFile(log.Name())
		t.Fatalf("the AWS emulator: %v\n%s", err, said)
	}
	return []string{
		"AWS_ENDPOINT_URL=" + endpoint,
		"AWS_ACCESS_KEY_ID=" + Account, "AWS_SECRET_ACCESS_KEY=test",
		"AWS_REGION=" + Region, "AWS_DEFAULT_REGION=" + Region,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
	}
}

// freePort is a port that nothing listens at, for a server that must be told.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// awaitAnswer waits until a server answers, or ends.
func awaitAnswer(url string, ended chan error) error {
	client := http.Client{Timeout: time.Second}
	deadline := time.After(time.Minute)
	for {
		if answer, err := client.Get(url); err == nil {
			return answer.Body.Close()
		}
		select {
		case err := <-ended:
			ended <- err // for the cleaning up
			return fmt.Errorf("it ended: %w", err)
		case <-deadline:
			return fmt.Errorf("%s does not answer after a minute", url)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// withoutAWS leaves out AWS's own variables.
func withoutAWS(environ []string) []string {
	var kept []string
	for _, variable := range environ {
		if !strings.HasPrefix(variable, "AWS_") {
			kept = append(kept, variable)
		}
	}
	return kept
}
