package apigateway

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
)

// staticFiles serves the files of a folder where no route matches, as the SAM
// CLI's --static-dir does.
type staticFiles struct {
	root *os.Root
	fs   fs.FS
}

// newStaticFiles opens a folder; nothing outside it can be read, by a symbolic
// link neither.
func newStaticFiles(dir string) (*staticFiles, error) {
	if dir == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("the folder of static files: %w", err)
	}
	return &staticFiles{root: root, fs: root.FS()}, nil
}

// serve answers with a file, and reports false where there is none.
func (s *staticFiles) serve(x *exchange) bool {
	if s == nil || x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		return false
	}
	path, ok := decodePath(x.rawPath)
	name := strings.TrimPrefix(path, "/")
	if !ok || name == "" || !fs.ValidPath(name) {
		return false
	}
	if info, err := fs.Stat(s.fs, name); err != nil || !info.Mode().IsRegular() {
		return false
	}
	counted := &countingWriter{ResponseWriter: x.w}
	http.ServeFileFS(counted, x.r, s.fs, name)
	x.status, x.written, x.remark = counted.status, counted.written, "static file"
	return true
}

// countingWriter notes what another handler answers.
type countingWriter struct {
	http.ResponseWriter
	status  int
	written int64
}

func (w *countingWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.written += int64(n)
	return n, err
}
