package e2e

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestImage(t *testing.T) {
	for id, want := range map[string]string{
		"provided.al2023": "provided:al2023",
		"provided.al2":    "provided:al2",
		"nodejs20.x":      "nodejs:20",
		"nodejs24.x":      "nodejs:24",
		"python3.11":      "python:3.11",
		"python3.14":      "python:3.14",
	} {
		if got, want := Image(id), "public.ecr.aws/lambda/"+want+"-"+Architecture(); got != want {
			t.Errorf("%s runs in %s, want %s", id, got, want)
		}
	}
}

// TestStandIn follows the links of a stand-in's tools to programs in it, and
// wants the loader that starts them.
func TestStandIn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIP: a stand-in is made of Linux's own programs")
	}
	s, err := newStandIn("provided.al2023", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := s.write(tar.NewWriter(&archive)); err != nil {
		t.Fatal(err)
	}
	entries := map[string]*tar.Header{}
	for r := tar.NewReader(&archive); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		entries[h.Name] = h
	}
	for _, tool := range tools {
		link := entries["bin/"+tool]
		if link == nil {
			t.Errorf("bin/%s is missing", tool)
			continue
		}
		if program := entries[strings.TrimPrefix(link.Linkname, "/")]; program == nil || program.Mode&0o111 == 0 {
			t.Errorf("bin/%s leads to %s, which is %+v", tool, link.Linkname, program)
		}
	}
	loaders := 0
	for name := range entries {
		if strings.HasPrefix(filepath.Base(name), "ld-") {
			loaders++
		}
	}
	if loaders == 0 {
		t.Error("it has no loader")
	}
}

func TestStandInOfAnUnknownRuntime(t *testing.T) {
	if _, err := newStandIn("java21", io.Discard); err == nil || !strings.Contains(err.Error(), "java21") {
		t.Errorf("error %v", err)
	}
}

// TestInstallOnce fills a folder once, and once more where that failed.
func TestInstallOnce(t *testing.T) {
	t.Setenv("BAILEY_CACHE", t.TempDir())
	calls := 0
	fill := func(dir string) error {
		calls++
		if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil || calls == 1 {
			return errors.New("cut off")
		}
		return nil
	}
	if _, err := installOnce("tool", "1", io.Discard, fill); err == nil {
		t.Error("the failure of the first is lost")
	}
	for range 2 {
		dir, err := installOnce("tool", "1", io.Discard, fill)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "file")); err != nil {
			t.Error(err)
		}
	}
	if calls != 2 {
		t.Errorf("filled %d times, want 2", calls)
	}
}
