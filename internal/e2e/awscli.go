package e2e

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// awsCLI is the aws command that is installed: version 1 is on PyPI.
const awsCLI = "awscli==1.45.11"

var awsCLIOnce = sync.OnceValues(func() (string, error) { return installAWSCLI(os.Stderr) })

// installAWSCLI is the path of the aws command, in an environment of its own:
// it wants another botocore than the SAM CLI does.
func installAWSCLI(progress io.Writer) (string, error) {
	version, err := run("python3", "-c", "import sys; print(sys.version, sys.base_prefix)")
	if err != nil {
		return "", fmt.Errorf("the aws command needs Python 3: %w", err)
	}
	dir, err := installOnce("aws-cli", keyOf(awsCLI, version), progress, func(dir string) error {
		if _, err := run("python3", "-m", "venv", filepath.Join(dir, "venv")); err != nil {
			return err
		}
		_, err := run(filepath.Join(dir, "venv", "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", awsCLI)
		return err
	})
	return filepath.Join(dir, "venv", "bin", "aws"), err
}

// AWSCLI is the path of the pinned aws command, which is installed where it is
// missing.
func AWSCLI(t testing.TB) string {
	t.Helper()
	path, err := awsCLIOnce()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
