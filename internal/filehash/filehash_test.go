package filehash

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "abc")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	// the example of FIPS 180-4
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got, err := Of(path); err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := Of(path + "gone"); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}
