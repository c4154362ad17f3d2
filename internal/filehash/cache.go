package filehash

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/internal/atomicfile"
)

// settled is how long a file must not have changed for its hash to be remembered.
const settled = 2 * time.Second

// cacheVersion is the first word of a cache's file, raised with its form.
const cacheVersion = "filehash-2"

// identity tells one state of a file from another; see the package documentation.
type identity struct {
	device, inode     uint64
	size              int64
	modified, changed int64 // nanoseconds since 1970
}

func (i identity) String() string { return string(i.append(nil)) }

func (i identity) append(text []byte) []byte {
	for _, n := range []uint64{i.device, i.inode} {
		text = append(strconv.AppendUint(text, n, 16), ' ')
	}
	for _, n := range []int64{i.size, i.modified, i.changed} {
		text = append(strconv.AppendInt(text, n, 16), ' ')
	}
	return text
}

type remembered struct{ identity, hash string }

// Cache remembers the hashes of files. Its methods may be called from many
// goroutines, and several processes may use one file: the last to save wins. A nil
// *Cache remembers nothing.
type Cache struct {
	file string
	read sync.Once

	mu    sync.Mutex
	known map[string]remembered // as read
	used  map[string]remembered // asked for since: what is saved
	fresh bool                  // used has what known has not
}

// OpenCache gives the cache in file, which is read when it is first asked. One that
// is missing, damaged or of another version is empty: then all is read again.
func OpenCache(file string) *Cache {
	return &Cache{file: file, known: map[string]remembered{}, used: map[string]remembered{}}
}

func (c *Cache) load() {
	data, err := os.ReadFile(c.file)
	if err != nil {
		return
	}
	head, body, ok := bytes.Cut(data, []byte("\n"))
	if !ok || string(head) != header(cacheVersion, body) {
		return
	}
	for line := range strings.Lines(string(body)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(parts) == 3 {
			c.known[parts[2]] = remembered{parts[1], parts[0]}
		}
	}
}

// header guards against a file that was cut or changed: a wrong hash in it would
// hide a change.
func header(version string, body []byte) string {
	sum := sha256.Sum256(body)
	return version + " " + hex.EncodeToString(sum[:])
}

// Of is [Of], without reading a file that is known. The path should be absolute.
func (c *Cache) Of(path string) (string, error) {
	if c == nil {
		return Of(path)
	}
	return c.OfFound(Find(path))
}

// Found is a file as it was looked at, once.
type Found struct {
	Path string
	// Size is in bytes, and 0 where it was not told.
	Size int64

	id identity
	ok bool
}

// Find looks at the file of an absolute path.
func Find(path string) Found {
	id, ok := identify(path)
	if !ok {
		if info, err := os.Stat(path); err == nil {
			id.size = info.Size()
		}
	}
	return Found{path, id.size, id, ok}
}

// OfFound is [Cache.Of] of a file that was found.
func (c *Cache) OfFound(f Found) (string, error) {
	if c == nil || !f.ok || strings.ContainsAny(f.Path, "\n") {
		return Of(f.Path)
	}
	c.read.Do(c.load)
	c.mu.Lock()
	r, known := c.used[f.Path]
	if !known {
		r, known = c.known[f.Path]
	}
	c.mu.Unlock()
	if known && r.identity == f.id.String() {
		c.keep(f.Path, r, false)
		return r.hash, nil
	}
	now := time.Now()
	hash, err := Of(f.Path)
	if err != nil {
		return "", err
	}
	after, ok := identify(f.Path)
	if ok && after == f.id && now.Sub(time.Unix(0, f.id.changed)) > settled && now.Sub(time.Unix(0, f.id.modified)) > 0 {
		c.keep(f.Path, remembered{f.id.String(), hash}, true)
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
	return atomicfile.Write(c.file, append([]byte(header(cacheVersion, body.Bytes())+"\n"), body.Bytes()...))
}
