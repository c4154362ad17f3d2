package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

func open(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), "made", "state.db") }

// contents are a table as text, in the order of its keys.
func contents(t testing.TB, s *store.Store, table string) string {
	t.Helper()
	var b strings.Builder
	err := s.View(func(tx *store.Tx) error {
		return tx.Scan(table, nil, func(key, value []byte) error {
			fmt.Fprintf(&b, "%s=%s ", key, value)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

func put(t testing.TB, s *store.Store, table, key, value string) {
	t.Helper()
	if err := s.Update(func(tx *store.Tx) error { tx.Put(table, []byte(key), []byte(value)); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsStoredIsThereAgain(t *testing.T) {
	path := file(t)
	s := open(t, path)
	put(t, s, "a", "2", "two")
	put(t, s, "a", "1", "one")
	s.Later(func(tx *store.Tx) error { tx.Put("a", []byte("3"), []byte("three")); return nil })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	if got := contents(t, s, "a"); got != "1=one 2=two 3=three" {
		t.Errorf("the table holds %s", got)
	}
	if got := contents(t, s, "b"); got != "" {
		t.Errorf("a table that was never made holds %s", got)
	}
}

func TestFailedUpdateLeavesNothingAndSparesOthers(t *testing.T) {
	s := open(t, file(t))
	refused := errors.New("refused")
	var committed atomic.Int64
	var group sync.WaitGroup
	for i := range 200 {
		group.Go(func() {
			err := s.Update(func(tx *store.Tx) error {
				tx.Add("sums", []byte("all"), 1)
				tx.Put("a", store.Key(uint64(i)), []byte("x"))
				tx.AfterCommit(func() { committed.Add(1) })
				if i%5 == 0 {
					return refused
				}
				return nil
			})
			if (i%5 == 0) != errors.Is(err, refused) || i%5 != 0 && err != nil {
				t.Errorf("update %d: %v", i, err)
			}
		})
	}
	group.Wait()
	err := s.View(func(tx *store.Tx) error {
		n := int64(0)
		err := tx.Scan("a", nil, func(key, _ []byte) error {
			if store.Uint(key)%5 == 0 {
				t.Errorf("%d was refused, and is there", store.Uint(key))
			}
			n++
			return nil
		})
		if n != 160 || tx.Sum("sums", "all") != 160 || committed.Load() != 160 {
			t.Errorf("%d keys, a sum of %d and %d hooks, want 160", n, tx.Sum("sums", "all"), committed.Load())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestPanicIsTheCallersOwn(t *testing.T) {
	s := open(t, file(t))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		_ = s.Update(func(tx *store.Tx) error {
			tx.Put("a", []byte("1"), nil)
			panic("oh")
		})
	}()
	put(t, s, "a", "2", "two")
	if got := contents(t, s, "a"); got != "2=two" {
		t.Errorf("the table holds %s", got)
	}
}

func TestWrongKeyFailsTheUpdate(t *testing.T) {
	s := open(t, file(t))
	err := s.Update(func(tx *store.Tx) error { tx.Put("a", nil, []byte("x")); return nil })
	if err == nil || !strings.Contains(err.Error(), "table a") {
		t.Errorf("error %v, want one about the table", err)
	}
	put(t, s, "a", "1", "one")
}

func TestScans(t *testing.T) {
	s := open(t, file(t))
	for _, key := range []string{"a1", "a2", "a3", "b1"} {
		put(t, s, "t/x", key, "")
	}
	put(t, s, "t/y", "k", "v")
	err := s.Update(func(tx *store.Tx) error {
		var got bytes.Buffer
		collect := func(key, _ []byte) error {
			got.Write(key)
			if string(key) == "a3" {
				return store.Stop
			}
			return nil
		}
		if err := tx.ScanFrom("t/x", []byte("a2"), nil, collect); err != nil || got.String() != "a2a3" {
			t.Errorf("scanned %s, %v", got.String(), err)
		}
		if tables := tx.Tables("t/"); len(tables) != 2 {
			t.Errorf("tables %v", tables)
		}
		tx.Drop("t/x")
		if tx.Get("t/x", []byte("a1")) != nil {
			t.Error("a dropped table has its keys")
		}
		tx.Put("t/x", []byte("new"), []byte("1"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := contents(t, s, "t/x"); got != "new=1" {
		t.Errorf("the table holds %s", got)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	path := file(t)
	open(t, path)
	_, err := store.Open(path)
	var inUse *store.InUseError
	if !errors.As(err, &inUse) || inUse.Path != path {
		t.Errorf("error %v, want that it is in use", err)
	}
}

func TestClosedStore(t *testing.T) {
	s := open(t, file(t))
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	nothing := func(*store.Tx) error { return nil }
	if err := s.Update(nothing); !errors.Is(err, store.ErrClosed) {
		t.Errorf("error %v", err)
	}
	if err := s.View(nothing); !errors.Is(err, store.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

func TestDamagedFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("nonsense"), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(path); err == nil || !strings.Contains(err.Error(), "bailey local reset") {
		t.Errorf("error %v, want what mends it", err)
	}
}

func BenchmarkPutAndDelete(b *testing.B) {
	s := open(b, file(b))
	value := make([]byte, 500)
	var n atomic.Uint64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			key := store.Key(n.Add(1))
			if err := s.Update(func(tx *store.Tx) error { tx.Put("a", key, value); return nil }); err != nil {
				b.Error(err)
			}
			if err := s.Update(func(tx *store.Tx) error { tx.Delete("a", key); return nil }); err != nil {
				b.Error(err)
			}
		}
	})
}
