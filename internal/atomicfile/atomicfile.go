package atomicfile

import (
	"bytes"
	"os"
	"path/filepath"
)

// Write puts data into the file at path, with the folders above it. Another
// process sees the old content or the new, never a part. A file that has the
// content already is left alone, so that what watches it is not woken.
func Write(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err := closeAfter(f, err); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func closeAfter(f *os.File, err error) error {
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
