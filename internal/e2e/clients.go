package e2e

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// The libraries that the tests call APIs with, in Node.js.
var (
	//go:embed clients/package.json
	clientPackages string
	//go:embed clients/package-lock.json
	clientLock string
)

func installClients(progress io.Writer) (string, error) {
	return installOnce("api-clients", keyOf(clientPackages, clientLock), progress, func(dir string) error {
		for name, text := range map[string]string{"package.json": clientPackages, "package-lock.json": clientLock} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				return err
			}
		}
		_, err := run("npm", "ci", "--prefix", dir, "--no-audit", "--no-fund", "--prefer-offline")
		return err
	})
}

var clientsOnce = sync.OnceValues(func() (string, error) { return installClients(os.Stderr) })

// Clients is the folder whose node_modules has the libraries that the tests
// call APIs with: ws, axios, openapi-client-axios, and the AWS SDK for SQS and SNS.
func Clients(t testing.TB) string {
	t.Helper()
	dir, err := clientsOnce()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// browsers are the names of Chromium and its kin.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

func findBrowser() (string, bool) {
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}

// installBrowser installs Chromium where there is none, as root on Debian. It
// fails otherwise, on which the tests that need one skip.
func installBrowser(progress io.Writer) error {
	if _, ok := findBrowser(); ok {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return errors.New("there is no Chromium, and only root on Debian can install it")
	}
	_, _ = fmt.Fprintln(progress, "installing chromium")
	install := []string{"DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"}
	if _, err := run("env", append(install, "install", "-y", "--no-install-recommends", "chromium")...); err == nil {
		return nil
	}
	if _, err := run("env", append(install, "update")...); err != nil {
		return err
	}
	_, err := run("env", append(install, "install", "-y", "--no-install-recommends", "chromium")...)
	return err
}

// Browser is the path of Chromium. It skips the test where there is none.
func Browser(t testing.TB) string {
	t.Helper()
	path, ok := findBrowser()
	if !ok {
		t.Skip("SKIP: there is no Chromium on this machine (go run ./internal/e2e/tools installs it, as root on Debian)")
	}
	return path
}
