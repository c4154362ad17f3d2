package dynamodb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed server/package.json server/package-lock.json server/server.js
var serverFiles embed.FS

// install is the folder with dynalite and the program that serves it, made on
// first use. It is whole or it is not there: it is made under another name.
func install(ctx context.Context, logf func(format string, args ...any)) (string, error) {
	files, digest, err := embedded()
	if err != nil {
		return "", err
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "dynamodb", digest)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	making, err := os.MkdirTemp(filepath.Dir(dir), ".installing-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(making)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(making, name), content, 0o644); err != nil {
			return "", err
		}
	}
	logf("installing dynalite, the local DynamoDB, in %s (once)", dir)
	if err := npm(ctx, making); err != nil {
		return "", err
	}
	err = os.Rename(making, dir)
	if _, exists := os.Stat(dir); exists == nil {
		return dir, nil // another process was as fast
	}
	return dir, err
}

// embedded are the server's files by name, and a digest of them all.
func embedded() (files map[string][]byte, digest string, err error) {
	entries, err := serverFiles.ReadDir("server")
	if err != nil {
		return nil, "", err
	}
	files = map[string][]byte{}
	h := sha256.New()
	for _, e := range entries {
		content, err := serverFiles.ReadFile("server/" + e.Name())
		if err != nil {
			return nil, "", err
		}
		files[e.Name()] = content
		h.Write(content)
	}
	return files, hex.EncodeToString(h.Sum(nil))[:16], nil
}

// npm installs what the lock file says. No script of a package runs: the one
// package with native code brings it built.
func npm(ctx context.Context, dir string) error {
	path, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("the local DynamoDB is a Node.js program, and there is no npm on the PATH to install it; install Node.js 20 or newer")
	}
	c := exec.CommandContext(ctx, path, "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error")
	c.Dir = dir
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		return fmt.Errorf("cannot install the local DynamoDB: npm ci: %w: %s", err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

// cacheDir is $BAILEY_CACHE, else bailey in the user's cache folder.
func cacheDir() (string, error) {
	if dir := os.Getenv("BAILEY_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "bailey"), nil
}
