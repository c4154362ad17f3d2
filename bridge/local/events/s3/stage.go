package s3

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"path"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// Staged is an object that is written, but not yet in its place.
type Staged struct {
	service   *Service
	bucket    *bucket
	key       string
	temporary string
	object    object
	// placed says that the file was renamed, in a transaction that may run more
	// than once.
	placed bool
	// condition refuses the object where the one so far is not as the client
	// wants it. nil for none.
	condition func(old *object) error
	cause     cause
}

// typeOf is the content type of a file by its ending.
func typeOf(name string) string { return mime.TypeByExtension(path.Ext(name)) }

// Stage writes a body for an object of a bucket. headers are those of a
// PutObject request. [Staged.Commit] puts it in its place, [Staged.Discard]
// removes it.
func (s *Service) Stage(bucketName, key string, body io.Reader, headers http.Header) (*Staged, error) {
	b, err := s.bucket(bucketName)
	if err != nil {
		return nil, err
	}
	return s.stage(b, key, body, headers, newDigest(headers))
}

// maxKey is the most bytes of a key.
const maxKey = 1024

func (s *Service) stage(b *bucket, key string, body io.Reader, headers http.Header, d *digest) (*Staged, error) {
	if len(key) > maxKey {
		return nil, service.Errorf("KeyTooLongError", "Your key is too long")
	}
	file, name, err := b.folder.temporary()
	if err != nil {
		return nil, err
	}
	staged := &Staged{service: s, bucket: b, key: key, temporary: name, cause: causePut}
	err = copyAll(io.MultiWriter(file, d), body)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = service.Errorf("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	} else if errors.Is(err, errChunk) {
		err = service.Errorf("InvalidRequest", "%v", errChunk)
	}
	if err == nil {
		err = d.verify()
	}
	info, statErr := file.Stat()
	if err = errors.Join(err, statErr, file.Close()); err != nil {
		staged.Discard()
		return nil, err
	}
	staged.object = object{
		Size: d.size, ETag: d.etag(), ModTime: info.ModTime(), Modified: s.env.Now(),
		Headers: headersOf(headers), Algorithm: d.algorithm, Checksum: d.sum(), Tags: tagsOf(headers.Get("X-Amz-Tagging")),
	}
	return staged, nil
}

// Discard removes what was written.
func (t *Staged) Discard() { _ = t.bucket.folder.root.Remove(t.temporary) } // it may be in its place

// Commit puts the object in its place, and tells of it, in a transaction.
func (t *Staged) Commit(tx *store.Tx) error {
	old, err := readObject(tx, t.bucket.name, t.key)
	if err != nil {
		old = nil
	}
	if t.condition != nil && !t.placed {
		if err := t.condition(old); err != nil {
			return err
		}
	}
	if !t.placed {
		file := ""
		if old != nil {
			file = old.File
		}
		if t.object.File, err = t.bucket.folder.place(t.temporary, t.key, file); err != nil {
			return err
		}
		t.placed = true
	}
	if err := writeObject(tx, t.bucket.name, t.key, &t.object); err != nil {
		return err
	}
	t.service.tell(tx, t.bucket, t.key, &t.object, t.cause)
	return nil
}

// commit is Commit in a transaction of its own.
func (t *Staged) commit() error {
	err := t.service.env.Store.Update(t.Commit)
	if err != nil {
		t.Discard()
	}
	return err
}

// remove deletes an object, if it is there.
func (s *Service) remove(tx *store.Tx, b *bucket, key string) {
	o, err := readObject(tx, b.name, key)
	if err != nil {
		return
	}
	tx.Delete(objectTable(b.name), []byte(key))
	b.folder.remove(o.File)
	s.tell(tx, b, key, o, causeDelete)
}

// httpTime is a time as HTTP headers have it.
func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// isoTime is a time as S3's XML has it.
func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
