package synth

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// oldestNode is the major version that the CDK needs; the package documentation
// says why it is this one.
const oldestNode = 18

// nodeUsers are the programs that run a CDK app of any language but Go.
var nodeUsers = []string{
	"node", "npx", "npm", "yarn", "pnpm", "ts-node", "tsx", // JavaScript itself
	"python", "python3", "pipenv", "poetry", "uv", "mvn", "mvnw", "gradle", "gradlew", "java", "dotnet", // jsii
}

// needsNode tells whether an app is known to need Node.js on this machine.
func needsNode(dir, app string, env environment) bool {
	if env["JSII_RUNTIME"] != "" {
		return false // the kernel is elsewhere
	}
	first, _, _ := strings.Cut(strings.TrimSpace(app), " ")
	program := strings.TrimSuffix(filepath.Base(filepath.FromSlash(first)), ".exe")
	return slices.Contains(nodeUsers, program) || usesJSII(dir)
}

// usesJSII tells whether the Go module that dir lies in requires jsii.
func usesJSII(dir string) bool {
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil {
			return bytes.Contains(data, []byte("github.com/aws/jsii-runtime-go"))
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}

// checkNode finds the Node.js that jsii would run and refuses one that is too
// old. It silences jsii's banner about a version that is merely out of support.
func checkNode(env environment) error {
	path := env["JSII_NODE"]
	if path == "" {
		path = "node"
	}
	found, err := lookPath(path, env["PATH"])
	if err != nil {
		return errNoNode(env["JSII_NODE"])
	}
	out, err := exec.Command(found, "--version").Output()
	if err != nil {
		return fmt.Errorf("cannot tell the version of Node.js, which the CDK needs: %s --version: %w", found, err)
	}
	version := strings.TrimPrefix(strings.TrimSpace(string(out)), "v")
	major, err := strconv.Atoi(strings.SplitN(version, ".", 2)[0])
	if err != nil {
		return fmt.Errorf("cannot tell the version of Node.js, which the CDK needs: %s --version says %q", found, version)
	}
	if major < oldestNode {
		return fmt.Errorf("the Node.js of this machine is too old: %s is version %s, and the CDK needs %d or newer: install a newer one (https://nodejs.org), or name one with JSII_NODE", found, version, oldestNode)
	}
	const silence = "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"
	if env[silence] == "" {
		env[silence] = strconv.Itoa(major)
	} else {
		env[silence] += "," + strconv.Itoa(major)
	}
	return nil
}

func errNoNode(named string) error {
	if named != "" {
		return fmt.Errorf("JSII_NODE names %s, which is no program: name a Node.js, which the CDK needs (%d or newer), or unset it", named, oldestNode)
	}
	return fmt.Errorf("there is no Node.js on the PATH, and the CDK needs one (%d or newer), also for apps in Go: install it (https://nodejs.org), or name one with JSII_NODE", oldestNode)
}

// lookPath finds a program on a PATH that need not be this process's own.
func lookPath(name, path string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) || strings.Contains(name, "/") {
		return exec.LookPath(name)
	}
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", exec.ErrNotFound
}
