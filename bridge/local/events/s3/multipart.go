package s3

import (
	"crypto/md5" //nolint:gosec // it is what S3's ETags are
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// upload is a multipart upload under way.
type upload struct {
	Bucket, Key string
	Initiated   time.Time
	Headers     map[string][]string
}

// part is an uploaded part. Its file lies with those that are being written.
type part struct {
	File     string
	Size     int64
	ETag     string
	Modified time.Time
}

const (
	uploadTable = "s3/uploads"
	partTable   = "s3/parts"
	maxParts    = 10000
	// minPart is the least bytes of a part but the last.
	minPart = 5 << 20
)

func partKey(id string, number int) []byte { return fmt.Appendf(nil, "%s/%05d", id, number) }

func (s *Service) createUpload(w http.ResponseWriter, r *service.Request, b *bucket, key string) error {
	id := strings.ReplaceAll(service.NewID(), "-", "")
	text, err := json.Marshal(upload{b.name, key, s.env.Now(), r.Header})
	if err != nil {
		return err
	}
	err = s.env.Store.Update(func(tx *store.Tx) error {
		tx.Put(uploadTable, []byte(id), text)
		return nil
	})
	if err != nil {
		return err
	}
	return answerXML(w, struct {
		XMLName               struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
		Bucket, Key, UploadId string   //nolint:revive // the name in S3's XML
	}{Bucket: b.name, Key: key, UploadId: id})
}

// upload finds the upload of a request.
func (s *Service) upload(tx *store.Tx, r *service.Request, b *bucket, key string) (string, *upload, error) {
	id := r.URL.Query().Get("uploadId")
	u := &upload{}
	text := tx.Get(uploadTable, []byte(id))
	if id == "" || text == nil {
		return "", nil, noSuchUpload()
	}
	if err := json.Unmarshal(text, u); err != nil {
		return "", nil, err
	}
	if u.Bucket != b.name || u.Key != key {
		return "", nil, noSuchUpload()
	}
	return id, u, nil
}

func noSuchUpload() error {
	return &service.Error{Code: "NoSuchUpload", Message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.", Status: http.StatusNotFound}
}

func (s *Service) uploadPart(w http.ResponseWriter, r *service.Request, b *bucket, key string) error {
	number, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
	if err != nil || number < 1 || number > maxParts {
		return service.Errorf("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	d := newDigest(r.Header)
	body := bodyOf(r, d)
	copied := r.Header.Get("X-Amz-Copy-Source") != ""
	if copied {
		o, file, at, err := s.source(r)
		if err != nil {
			return err
		}
		defer file.Close()
		start, length, err := rangeOf(r.Header.Get("X-Amz-Copy-Source-Range"), o.Size)
		if err != nil {
			return err
		}
		body = io.NewSectionReader(at, start, length)
	}
	staged, err := s.stage(b, key, body, r.Header, d)
	if err != nil {
		return err
	}
	p := part{File: strings.Replace(staged.temporary, "writing-", "part-", 1), Size: d.size, ETag: d.etag(), Modified: s.env.Now()}
	err = s.env.Store.Update(func(tx *store.Tx) error { return s.keepPart(tx, r, b, key, number, staged, &p) })
	if err != nil {
		staged.Discard()
		return err
	}
	if copied {
		return answerXML(w, struct {
			XMLName            struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyPartResult"`
			ETag, LastModified string
		}{ETag: `"` + p.ETag + `"`, LastModified: isoTime(p.Modified)})
	}
	w.Header().Set("ETag", `"`+p.ETag+`"`)
	if sum := d.sum(); sum != "" {
		w.Header().Set(checksumHeader+d.algorithm, sum)
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// keepPart takes over a part, in place of an older one of its number.
func (s *Service) keepPart(tx *store.Tx, r *service.Request, b *bucket, key string, number int, staged *Staged, p *part) error {
	id, _, err := s.upload(tx, r, b, key)
	if err != nil {
		return err
	}
	if old := tx.Get(partTable, partKey(id, number)); old != nil {
		var before part
		if json.Unmarshal(old, &before) == nil && before.File != p.File {
			b.folder.remove(before.File)
		}
	}
	if !staged.placed {
		if err := b.folder.rename(staged.temporary, p.File); err != nil {
			return err
		}
		staged.placed = true
	}
	text, err := json.Marshal(p)
	if err == nil {
		tx.Put(partTable, partKey(id, number), text)
	}
	return err
}

// parts are the parts of an upload, by number.
func parts(tx *store.Tx, id string) (map[int]part, []int, error) {
	all := map[int]part{}
	var numbers []int
	prefix := id + "/"
	err := tx.Scan(partTable, []byte(prefix), func(key, value []byte) error {
		number, err := strconv.Atoi(string(key[len(prefix):]))
		var p part
		err = errors.Join(err, json.Unmarshal(value, &p))
		all[number] = p
		numbers = append(numbers, number)
		return err
	})
	return all, numbers, err
}

// finish removes an upload with its parts.
func (s *Service) finish(tx *store.Tx, b *bucket, id string) error {
	all, numbers, err := parts(tx, id)
	for _, number := range numbers {
		tx.Delete(partTable, partKey(id, number))
		b.folder.remove(all[number].File)
	}
	tx.Delete(uploadTable, []byte(id))
	return err
}

func (s *Service) abortUpload(w http.ResponseWriter, r *service.Request, b *bucket, key string) error {
	err := s.env.Store.Update(func(tx *store.Tx) error {
		id, _, err := s.upload(tx, r, b, key)
		if err != nil {
			return err
		}
		return s.finish(tx, b, id)
	})
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (s *Service) completeUpload(w http.ResponseWriter, r *service.Request, b *bucket, key string) error {
	var in struct{ Part []completed }
	if err := readXML(r, &in); err != nil {
		return err
	}
	var (
		id  string
		u   *upload
		all map[int]part
	)
	err := s.env.Store.View(func(tx *store.Tx) (err error) {
		if id, u, err = s.upload(tx, r, b, key); err == nil {
			all, _, err = parts(tx, id)
		}
		return err
	})
	if err != nil {
		return err
	}
	chosen, err := chooseParts(all, in.Part)
	if err != nil {
		return err
	}
	staged, err := s.assemble(b, key, u, chosen)
	if err != nil {
		return err
	}
	staged.condition = putCondition(r.Header)
	err = s.env.Store.Update(func(tx *store.Tx) error {
		if _, _, err := s.upload(tx, r, b, key); err != nil {
			return err
		}
		if err := staged.Commit(tx); err != nil {
			return err
		}
		return s.finish(tx, b, id)
	})
	if err != nil {
		staged.Discard()
		return err
	}
	return answerXML(w, struct {
		XMLName                     struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
		Location, Bucket, Key, ETag string
	}{Location: s.env.URL + "/" + b.name + "/" + key, Bucket: b.name, Key: key, ETag: `"` + staged.object.ETag + `"`})
}

// completed is a part as CompleteMultipartUpload names it.
type completed struct {
	PartNumber int
	ETag       string
}

// chooseParts finds the parts that an object is made of.
func chooseParts(all map[int]part, wanted []completed) ([]part, error) {
	if len(wanted) == 0 {
		return nil, service.Errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	for i := 1; i < len(wanted); i++ {
		if wanted[i].PartNumber <= wanted[i-1].PartNumber {
			return nil, service.Errorf("InvalidPartOrder", "The list of parts was not in ascending order. The parts list must be specified in order by part number.")
		}
	}
	var chosen []part
	for i, w := range wanted {
		p, ok := all[w.PartNumber]
		if !ok || strings.Trim(w.ETag, `"`) != p.ETag {
			return nil, service.Errorf("InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
		}
		if i < len(wanted)-1 && p.Size < minPart {
			return nil, service.Errorf("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		chosen = append(chosen, p)
	}
	return chosen, nil
}

// assemble writes the parts into one file.
func (s *Service) assemble(b *bucket, key string, u *upload, chosen []part) (*Staged, error) {
	var readers []io.Reader
	sums := md5.New() //nolint:gosec // see above
	for _, p := range chosen {
		file, _, err := b.folder.open(p.File)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		readers = append(readers, file)
		sum, err := hex.DecodeString(p.ETag)
		if err != nil {
			return nil, err
		}
		_, _ = sums.Write(sum) // a hash takes everything
	}
	headers := http.Header(u.Headers)
	staged, err := s.stage(b, key, io.MultiReader(readers...), headers, newDigest(http.Header{}))
	if err != nil {
		return nil, err
	}
	staged.cause = causeComplete
	staged.object.ETag = fmt.Sprintf("%x-%d", sums.Sum(nil), len(chosen))
	return staged, nil
}

func (s *Service) listParts(w http.ResponseWriter, r *service.Request, b *bucket, key string) error {
	type entry struct {
		PartNumber         int
		LastModified, ETag string
		Size               int64
	}
	out := struct {
		XMLName               struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
		Bucket, Key, UploadId string   //nolint:revive // the name in S3's XML
		MaxParts              int
		IsTruncated           bool
		Part                  []entry
	}{Bucket: b.name, Key: key, MaxParts: maxParts}
	err := s.env.Store.View(func(tx *store.Tx) error {
		id, _, err := s.upload(tx, r, b, key)
		if err != nil {
			return err
		}
		out.UploadId = id
		all, numbers, err := parts(tx, id)
		for _, n := range numbers {
			out.Part = append(out.Part, entry{n, isoTime(all[n].Modified), `"` + all[n].ETag + `"`, all[n].Size})
		}
		return err
	})
	if err != nil {
		return err
	}
	return answerXML(w, out)
}

func (s *Service) listUploads(w http.ResponseWriter, r *service.Request, b *bucket, _ string) error {
	type entry struct{ Key, UploadId, Initiated string } //nolint:revive // the names in S3's XML
	out := struct {
		XMLName     struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
		Bucket      string
		MaxUploads  int
		IsTruncated bool
		Upload      []entry
	}{Bucket: b.name, MaxUploads: maxKeys}
	err := s.env.Store.View(func(tx *store.Tx) error {
		return tx.Scan(uploadTable, nil, func(id, value []byte) error {
			var u upload
			if err := json.Unmarshal(value, &u); err != nil {
				return err
			}
			if u.Bucket == b.name && strings.HasPrefix(u.Key, r.URL.Query().Get("prefix")) {
				out.Upload = append(out.Upload, entry{u.Key, string(id), isoTime(u.Initiated)})
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return answerXML(w, out)
}
