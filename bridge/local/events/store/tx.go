package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// Tx is a transaction. It must not be used outside the function that it was
// given to.
type Tx struct {
	bolt   *bolt.Tx
	tables map[string]*bolt.Bucket
	sums   map[string]map[string]*int64
	after  []func()
	writes int
	err    error // the first one of a Put or Delete
}

func newTx(b *bolt.Tx) *Tx { return &Tx{bolt: b, tables: map[string]*bolt.Bucket{}} }

// Put stores a value. A key has 1 to 32,768 bytes. Neither key nor value may
// be changed before the transaction ends. An error, of the file for one, makes
// the transaction fail.
func (t *Tx) Put(table string, key, value []byte) {
	t.writes++
	b := t.table(table)
	if b == nil {
		var err error
		if b, err = t.bolt.CreateBucketIfNotExists([]byte(table)); err != nil {
			t.fail(table, err)
			return
		}
		b.FillPercent = fill
		t.tables[table] = b
	}
	if err := b.Put(key, value); err != nil {
		t.fail(table, err)
	}
}

// Get is the value of a key, nil where there is none. It must not be changed,
// nor used when the transaction has ended: copy it.
func (t *Tx) Get(table string, key []byte) []byte {
	if b := t.table(table); b != nil {
		return b.Get(key)
	}
	return nil
}

// Delete removes a key, if it is there.
func (t *Tx) Delete(table string, key []byte) {
	if b := t.table(table); b != nil {
		t.writes++
		if err := b.Delete(key); err != nil {
			t.fail(table, err)
		}
	}
}

// Drop removes a table with all that it holds.
func (t *Tx) Drop(table string) {
	if t.table(table) == nil {
		return
	}
	t.writes++
	delete(t.tables, table)
	if err := t.bolt.DeleteBucket([]byte(table)); err != nil {
		t.fail(table, err)
	}
}

// Scan calls fn with each key that begins with prefix, in order, until fn
// returns an error, which it returns. [Stop] ends it without one. Keys and
// values are as with [Tx.Get]. fn must not write to the table.
func (t *Tx) Scan(table string, prefix []byte, fn func(key, value []byte) error) error {
	return t.ScanFrom(table, prefix, prefix, fn)
}

// ScanFrom is Scan from the key start on.
func (t *Tx) ScanFrom(table string, start, prefix []byte, fn func(key, value []byte) error) error {
	b := t.table(table)
	if b == nil {
		return nil
	}
	c := b.Cursor()
	for key, value := c.Seek(start); key != nil && bytes.HasPrefix(key, prefix); key, value = c.Next() {
		if err := fn(key, value); errors.Is(err, Stop) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Tables are the names of all tables that begin with prefix.
func (t *Tx) Tables(prefix string) []string {
	var all []string
	c := t.bolt.Cursor()
	for name, _ := c.Seek([]byte(prefix)); name != nil && bytes.HasPrefix(name, []byte(prefix)); name, _ = c.Next() {
		all = append(all, string(name))
	}
	return all
}

// Add adds to a counter, which [Tx.Sum] reads. All additions of a group are
// written as one. The key may be changed afterwards.
func (t *Tx) Add(table string, key []byte, n int64) {
	t.writes++
	if sum := t.sums[table][string(key)]; sum != nil {
		*sum += n
		return
	}
	if t.sums == nil {
		t.sums = map[string]map[string]*int64{}
	}
	if t.sums[table] == nil {
		t.sums[table] = map[string]*int64{}
	}
	first := n
	t.sums[table][string(key)] = &first
}

// Sum is a counter, 0 where nothing was added yet.
func (t *Tx) Sum(table, key string) int64 {
	sum := Uint(t.Get(table, []byte(key)))
	if added := t.sums[table][key]; added != nil {
		sum += *added
	}
	return sum
}

// AfterCommit has fn run when the transaction is durable, in the goroutine
// that writes: it must be quick. Where the transaction is undone it never runs.
func (t *Tx) AfterCommit(fn func()) { t.after = append(t.after, fn) }

// Stop is the error that ends a scan early and quietly.
var Stop = errors.New("stop") //nolint:staticcheck // it is no failure, as io.EOF

// Key is a number as a key: keys sort as their numbers do.
func Key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// Uint is the number of a key or counter, 0 where b is none.
func Uint(b []byte) int64 {
	if len(b) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b)) //nolint:gosec // it is the reverse of Key
}

func (t *Tx) flush() {
	for table, sums := range t.sums {
		for key, n := range sums {
			t.Put(table, []byte(key), Key(uint64(Uint(t.Get(table, []byte(key)))+*n))) //nolint:gosec // counters do not reach 2^63
		}
	}
}

func (t *Tx) table(name string) *bolt.Bucket {
	if b, ok := t.tables[name]; ok {
		return b
	}
	b := t.bolt.Bucket([]byte(name))
	if b != nil {
		b.FillPercent = fill
		t.tables[name] = b
	}
	return b
}

func (t *Tx) fail(table string, err error) {
	if t.err == nil {
		t.err = fmt.Errorf("table %s: %w", table, err)
	}
}
