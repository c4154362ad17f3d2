package s3

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// object is what the store knows of an object.
type object struct {
	// File is where it lies in the bucket's folder.
	File string
	Size int64
	ETag string
	// ModTime is the file's, by which a change by the user is seen, and Modified
	// is Last-Modified.
	ModTime  time.Time
	Modified time.Time
	// Headers are those of the object: its type, metadata and so on.
	Headers map[string]string `json:",omitempty"`
	// Algorithm and Checksum are the one that the client sent.
	Algorithm string            `json:",omitempty"`
	Checksum  string            `json:",omitempty"`
	Tags      map[string]string `json:",omitempty"`
}

// keptHeaders are headers of a request that the object has from then on.
var keptHeaders = []string{"Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires"}

const metadataHeader = "X-Amz-Meta-"

// headersOf are the headers that an object keeps.
func headersOf(h http.Header) map[string]string {
	kept := map[string]string{}
	for _, name := range keptHeaders {
		value := h.Get(name)
		if name == "Content-Encoding" {
			value = withoutChunked(value)
		}
		if value != "" {
			kept[name] = value
		}
	}
	for name, values := range h {
		if strings.HasPrefix(name, metadataHeader) {
			kept[name] = strings.Join(values, ",")
		}
	}
	if kept["Content-Type"] == "" {
		kept["Content-Type"] = "binary/octet-stream"
	}
	return kept
}

func withoutChunked(encoding string) string {
	var kept []string
	for part := range strings.SplitSeq(encoding, ",") {
		if part = strings.TrimSpace(part); part != "aws-chunked" && part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ",")
}

func objectTable(bucket string) string { return "s3/objects/" + bucket }

func readObject(tx *store.Tx, bucket, key string) (*object, error) {
	text := tx.Get(objectTable(bucket), []byte(key))
	if text == nil {
		return nil, noSuchKey()
	}
	o := &object{}
	return o, json.Unmarshal(text, o)
}

func noSuchKey() error {
	return &service.Error{Code: "NoSuchKey", Message: "The specified key does not exist.", Status: http.StatusNotFound}
}

func writeObject(tx *store.Tx, bucket, key string, o *object) error {
	text, err := json.Marshal(o)
	if err == nil {
		tx.Put(objectTable(bucket), []byte(key), text)
	}
	return err
}

// open finds an object with its file. Where the user changed the file, the
// object is what it is now.
func (s *Service) open(b *bucket, key string) (*object, *os.File, error) {
	var err error
	for range 3 { // the object may be replaced in between
		var o *object
		err = s.env.Store.View(func(tx *store.Tx) error {
			var err error
			o, err = readObject(tx, b.name, key)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		file, info, failed := b.folder.open(o.File)
		if failed == nil && info.Size() == o.Size && info.ModTime().Equal(o.ModTime) {
			return o, file, nil
		}
		if failed == nil {
			file.Close()
		}
		if err = s.adoptChange(b, key, o.File); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, err
}

// adoptChange takes over what the user did to an object's file.
func (s *Service) adoptChange(b *bucket, key, name string) error {
	return s.env.Store.Update(func(tx *store.Tx) error {
		o, err := readObject(tx, b.name, key)
		if err != nil || o.File != name {
			return err
		}
		file, info, err := b.folder.open(name)
		if errors.Is(err, fs.ErrNotExist) {
			tx.Delete(objectTable(b.name), []byte(key))
			return nil
		}
		if err != nil {
			return err
		}
		defer file.Close()
		if info.Size() == o.Size && info.ModTime().Equal(o.ModTime) {
			return nil
		}
		d := newDigest(http.Header{})
		if err := copyAll(d, file); err != nil {
			return err
		}
		o.Size, o.ETag, o.ModTime, o.Modified = d.size, d.etag(), info.ModTime(), info.ModTime()
		o.Algorithm, o.Checksum = "", ""
		return writeObject(tx, b.name, key, o)
	})
}

// adopt makes objects of the files that the user put into a bucket's folder.
func (s *Service) adopt(b *bucket) error {
	known := map[string]bool{}
	err := s.env.Store.View(func(tx *store.Tx) error {
		return tx.Scan(objectTable(b.name), nil, func(_, value []byte) error {
			o := &object{}
			err := json.Unmarshal(value, o)
			known[o.File] = true
			return err
		})
	})
	if err != nil {
		return err
	}
	fresh := map[string]*object{}
	err = b.folder.walk(func(name string, info fs.FileInfo) {
		key, ok := keyOf(name)
		if !ok || known[name] || strings.HasPrefix(name, ".DS_Store") {
			return
		}
		file, _, err := b.folder.open(name)
		if err != nil {
			return
		}
		defer file.Close()
		d := newDigest(http.Header{})
		if err := copyAll(d, file); err != nil {
			return
		}
		fresh[key] = &object{
			File: name, Size: d.size, ETag: d.etag(), ModTime: info.ModTime(), Modified: info.ModTime(),
			Headers: headersOf(http.Header{"Content-Type": {typeOf(name)}}),
		}
	})
	if err != nil || len(fresh) == 0 {
		return err
	}
	return s.env.Store.Update(func(tx *store.Tx) error {
		for key, o := range fresh {
			if tx.Get(objectTable(b.name), []byte(key)) != nil {
				continue
			}
			if err := writeObject(tx, b.name, key, o); err != nil {
				return err
			}
		}
		return nil
	})
}
