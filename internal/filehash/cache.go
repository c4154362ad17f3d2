package filehash

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/internal/atomicfile"
)

// settled is how long a file must not have changed for its hash to be remembered.
const settled = 2 * time.Second

// cacheVersion is the first word of a cache's file, raised with its form.
const cacheVersion = "filehash-1"

// identity tells one state of a file from another; see the package documentation.
type identity struct {
	device, inode     uint64
	size              int64
	modified, changed int64 // nanoseconds since 1970
}

func (i identity) String() string {
	return fmt.Sprintf("%x %x %x %x %x", i.device, i.inode, i.size, i.modified, i.changed)
}

type remembered struct{ identity, hash string }

// Cache remembers the hashes of files. Its methods may be called from many
// goroutines, and several processes may use one file: the last to save wins. A nil
// *Cache remembers nothing.
type Cache struct {
	file string

	mu    sync.Mutex
	known map[string]remembered // as read
	used  map[string]remembered // asked for since: what is saved
	fresh bool                  // used has what known has not
}

// OpenCache reads the cache in file. One that is missing, damaged or of another
// version is empty: then all is read again.
func OpenCache(file string) *Cache {
	c := &Cache{file: file, known: map[string]remembered{}, used: map[string]remembered{}}
	data, err := os.ReadFile(file)
	if err != nil {
		return c
	}
	head, body, ok := bytes.Cut(data, []byte("\n"))
	if !ok || string(head) != header(body) {
		return c
	}
	for line := range strings.Lines(string(body)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(parts) == 3 {
			c.known[parts[2]] = remembered{parts[1], parts[0]}
		}
	}
	return c
}

// header guards against a file that was cut or changed: a wrong hash in it would
// hide a change.
func header(body []byte) string {
	sum := sha256.Sum256(body)
	return cacheVersion + " " + hex.EncodeToString(sum[:])
}

// Of is [Of], without reading a file that is known. The path should be absolute.
func (c *Cache) Of(path string) (string, error) {
	if c == nil || strings.ContainsAny(path, "\n") {
		return Of(path)
	}
	id, ok := identify(path)
	if !ok {
		return Of(path)
	}
	c.mu.Lock()
	r, known := c.used[path]
	if !known {
		r, known = c.known[path]
	}
	c.mu.Unlock()
	if known && r.identity == id.String() {
		c.keep(path, r, false)
		return r.hash, nil
	}
	now := time.Now()
	hash, err := Of(path)
	if err != nil {
		return "", err
	}
	after, ok := identify(path)
	if ok && after == id && now.Sub(time.Unix(0, id.changed)) > settled && now.Sub(time.Unix(0, id.modified)) > 0 {
		c.keep(path, remembered{id.String(), hash}, true)
	}
	return hash, nil
}

func (c *Cache) keep(path string, r remembered, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used[path] = r
	c.fresh = c.fresh || fresh
}

// Save writes what was asked for since the cache was opened, and forgets the rest.
// It writes nothing where nothing new was learnt.
func (c *Cache) Save() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.fresh {
		return nil
	}
	var body bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(c.used)) {
		r := c.used[path]
		body.WriteString(r.hash + "\t" + r.identity + "\t" + path + "\n")
	}
	c.fresh = false
	return atomicfile.Write(c.file, append([]byte(header(body.Bytes())+"\n"), body.Bytes()...))
}
