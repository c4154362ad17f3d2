package e2e

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// requirements are the tools; constraints hold everything that they bring to
// one version, and do no harm on a Python that needs something else as well.
var (
	//go:embed requirements.txt
	requirements string
	//go:embed constraints.txt
	constraints string
)

// installSAM is the folder of the virtual environment with the SAM CLI.
func installSAM(progress io.Writer) (string, error) {
	version, err := run("python3", "-c", "import sys; print(sys.version, sys.base_prefix)")
	if err != nil {
		return "", fmt.Errorf("the SAM CLI needs Python 3: %w", err)
	}
	return installOnce("sam-cli", keyOf(requirements, constraints, version), progress, func(dir string) error {
		wanted := filepath.Join(dir, "requirements.txt")
		held := filepath.Join(dir, "constraints.txt")
		if err := os.WriteFile(wanted, []byte(requirements), 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(held, []byte(constraints), 0o644); err != nil {
			return err
		}
		if _, err := run("python3", "-m", "venv", filepath.Join(dir, "venv")); err != nil {
			return err
		}
		pip := filepath.Join(dir, "venv", "bin", "pip")
		_, err := run(pip, "install", "--quiet", "--disable-pip-version-check", "--requirement", wanted, "--constraint", held)
		return err
	})
}

var samOnce = sync.OnceValues(func() (string, error) {
	dir, err := installSAM(os.Stderr)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "venv", "bin", "sam"), nil
})

// SAM is the path of the pinned sam, which is installed where it is missing.
func SAM(t testing.TB) string {
	t.Helper()
	sam, err := samOnce()
	if err != nil {
		t.Fatal(err)
	}
	return sam
}

// Python is the interpreter that has the SAM CLI's packages.
func Python(t testing.TB) string {
	t.Helper()
	return filepath.Join(filepath.Dir(SAM(t)), "python")
}

// Environment is this process's own without AWS's settings, for running the
// SAM CLI or a function: credentials would make the SAM CLI look up whose they
// are, for ten seconds where there is no network, and the variables of its
// shell win over the template's.
func Environment(t testing.TB) []string {
	t.Helper()
	var kept []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "SAM_CLI_") {
			kept = append(kept, variable)
		}
	}
	return append(kept,
		"PATH="+filepath.Dir(SAM(t))+string(os.PathListSeparator)+os.Getenv("PATH"),
		"SAM_CLI_TELEMETRY=0",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	)
}
