package e2e

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bailey-cdk/bailey/internal/filehash"
)

// SynthApps synthesises the CDK apps below the folder apps, which is
// bridge/testdata/apps, into target/APP/cdk.out: all of them, or those named.
// What the apps are made of is pinned by package-lock.json, requirements.txt
// and go.mod, and installed where the cache folder does not have it.
func SynthApps(progress io.Writer, apps, target string, only ...string) error {
	modules, err := installNodeModules(progress, apps)
	if err != nil {
		return err
	}
	python, err := installPythonCDK(progress, apps)
	if err != nil {
		return err
	}
	program, err := buildGoApps(apps)
	if err != nil {
		return err
	}
	// In a copy, so that a node_modules of the cache can lie beside the apps.
	work, err := os.MkdirTemp("", "bailey-apps-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := copyApps(apps, work); err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join(modules, "node_modules"), filepath.Join(work, "node_modules")); err != nil {
		return err
	}
	target, err = filepath.Abs(target)
	if err != nil {
		return err
	}
	_, err = run("env", append([]string{
		"BAILEY_PYTHON=" + python, "BAILEY_GO_APPS=" + program,
		"node", filepath.Join(work, "synth.js"), target,
	}, only...)...)
	return err
}

// SynthesisedApps is a folder with the assemblies of all CDK apps below the
// folder apps, as SynthApps makes them. They are kept in the cache for as long
// as nothing that they are made of changes, since they take minutes.
func SynthesisedApps(progress io.Writer, apps string) (string, error) {
	program, err := buildGoApps(apps)
	if err != nil {
		return "", err
	}
	version, err := run("python3", "--version")
	if err != nil {
		return "", fmt.Errorf("the CDK apps in Python need Python 3: %w", err)
	}
	node, err := run("node", "--version")
	if err != nil {
		return "", fmt.Errorf("the CDK apps need Node.js: %w", err)
	}
	hash, err := filehash.Of(program)
	if err != nil {
		return "", err
	}
	parts := []string{version, node, hash}
	err = filepath.WalkDir(apps, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "cdk.out" || entry.Name() == "node_modules"):
			return fs.SkipDir
		case entry.Type().IsRegular():
			hash, err := filehash.Of(path)
			parts = append(parts, path, hash)
			return err
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return installOnce("cdk-apps-out", keyOf(parts...), progress, func(dir string) error {
		return SynthApps(progress, apps, dir)
	})
}

// copyApps copies everything but what synthesis and installations left.
func copyApps(apps, work string) error {
	entries, err := os.ReadDir(apps)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == "node_modules" {
			continue // a developer's own
		}
		if _, err := run("cp", "-R", filepath.Join(apps, entry.Name()), work); err != nil {
			return err
		}
	}
	return nil
}

func installNodeModules(progress io.Writer, apps string) (string, error) {
	names := []string{"package.json", "package-lock.json"}
	texts, err := readAll(apps, names)
	if err != nil {
		return "", err
	}
	return installOnce("cdk-apps-node", keyOf(texts...), progress, func(dir string) error {
		for i, name := range names {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(texts[i]), 0o644); err != nil {
				return err
			}
		}
		_, err := run("npm", "ci", "--prefix", dir, "--no-audit", "--no-fund", "--prefer-offline")
		return err
	})
}

// installPythonCDK is the path of a Python that has the CDK.
func installPythonCDK(progress io.Writer, apps string) (string, error) {
	version, err := run("python3", "-c", "import sys; print(sys.version, sys.base_prefix)")
	if err != nil {
		return "", fmt.Errorf("the CDK apps in Python need Python 3: %w", err)
	}
	file, err := filepath.Abs(filepath.Join(apps, "requirements.txt"))
	if err != nil {
		return "", err
	}
	texts, err := readAll(apps, []string{"requirements.txt"})
	if err != nil {
		return "", err
	}
	dir, err := installOnce("cdk-apps-python", keyOf(texts[0], version), progress, func(dir string) error {
		if _, err := run("python3", "-m", "venv", filepath.Join(dir, "venv")); err != nil {
			return err
		}
		_, err := run(filepath.Join(dir, "venv", "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "--requirement", file)
		return err
	})
	return filepath.Join(dir, "venv", "bin", "python"), err
}

// buildGoApps builds the apps in Go, where go build finds that it must.
func buildGoApps(apps string) (string, error) {
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	program := filepath.Join(cache, "cdk-apps-go", "apps")
	_, err = run("go", "build", "-C", filepath.Join(apps, "..", "apps-go"), "-trimpath", "-buildvcs=false", "-o", program, ".")
	return program, err
}

func readAll(dir string, names []string) ([]string, error) {
	var texts []string
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		texts = append(texts, strings.TrimSpace(string(text)))
	}
	return texts, nil
}
