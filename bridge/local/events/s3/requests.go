package s3

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

func (s *Service) putObject(w http.ResponseWriter, r *service.Request, b *bucket, key string) error {
	if r.Header.Get("X-Amz-Copy-Source") != "" {
		return s.copyObject(w, r, b, key)
	}
	d := newDigest(r.Header)
	staged, err := s.stage(b, key, bodyOf(r, d), r.Header, d)
	if err != nil {
		return err
	}
	staged.condition = putCondition(r.Header)
	if err := staged.commit(); err != nil {
		return err
	}
	w.Header().Set("ETag", `"`+staged.object.ETag+`"`)
	setChecksum(w.Header(), &staged.object)
	w.WriteHeader(http.StatusOK)
	return nil
}

func setChecksum(h http.Header, o *object) {
	if o.Checksum != "" {
		h.Set(checksumHeader+o.Algorithm, o.Checksum)
		h.Set("X-Amz-Checksum-Type", "FULL_OBJECT")
	}
}

// putCondition is what If-Match and If-None-Match of a PutObject demand.
func putCondition(h http.Header) func(*object) error {
	match, none := h.Get("If-Match"), h.Get("If-None-Match")
	if match == "" && none == "" {
		return nil
	}
	return func(old *object) error {
		switch {
		case match != "" && old == nil:
			return noSuchKey()
		case match != "" && !matches(match, old), none != "" && old != nil && (none == "*" || matches(none, old)):
			return &service.Error{Code: "PreconditionFailed", Message: "At least one of the pre-conditions you specified did not hold", Status: http.StatusPreconditionFailed}
		}
		return nil
	}
}

// matches says whether a list of ETags has the object's.
func matches(header string, o *object) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.Trim(strings.TrimPrefix(strings.TrimSpace(part), "W/"), `"`)
		if part == "*" || part == o.ETag {
			return true
		}
	}
	return false
}

// getObject answers GET and HEAD.
func (s *Service) getObject(w http.ResponseWriter, r *service.Request, b *bucket, key string) error {
	o, file, err := s.open(b, key)
	if err != nil {
		return err
	}
	defer file.Close()
	h := w.Header()
	describe(h, o)
	if status := conditional(r.Header, o); status != 0 {
		if status == http.StatusPreconditionFailed {
			return &service.Error{Code: "PreconditionFailed", Message: "At least one of the pre-conditions you specified did not hold", Status: status}
		}
		w.WriteHeader(status)
		return nil
	}
	for name, value := range r.URL.Query() {
		if header, ok := strings.CutPrefix(name, "response-"); ok {
			h.Set(header, value[0])
		}
	}
	start, length, err := rangeOf(r.Header.Get("Range"), o.Size)
	if err != nil {
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", o.Size))
		return err
	}
	h.Set("Content-Length", strconv.FormatInt(length, 10))
	status := http.StatusOK
	if length != o.Size || r.Header.Get("Range") != "" && o.Size > 0 {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, start+length-1, o.Size))
		status = http.StatusPartialContent
	} else if strings.EqualFold(r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		setChecksum(h, o)
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	_, _ = io.Copy(w, io.NewSectionReader(file, start, length)) // else the client is gone
	return nil
}

// describe sets what a response says of an object.
func describe(h http.Header, o *object) {
	for name, value := range o.Headers {
		if strings.HasPrefix(name, metadataHeader) {
			h[strings.ToLower(name)] = []string{value} // boto3 keeps the case
			continue
		}
		h.Set(name, value)
	}
	h.Set("ETag", `"`+o.ETag+`"`)
	h.Set("Last-Modified", httpTime(o.Modified))
	h.Set("Accept-Ranges", "bytes")
	if n := len(o.Tags); n > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(n))
	}
}

// conditional is the status by which the conditions of a GET end it, 0 where
// they hold.
func conditional(h http.Header, o *object) int {
	modified := o.Modified.Truncate(time.Second)
	if match := h.Get("If-Match"); match != "" {
		if !matches(match, o) {
			return http.StatusPreconditionFailed
		}
	} else if since, err := http.ParseTime(h.Get("If-Unmodified-Since")); err == nil && modified.After(since) {
		return http.StatusPreconditionFailed
	}
	if none := h.Get("If-None-Match"); none != "" {
		if matches(none, o) {
			return http.StatusNotModified
		}
	} else if since, err := http.ParseTime(h.Get("If-Modified-Since")); err == nil && !modified.After(since) {
		return http.StatusNotModified
	}
	return 0
}

// rangeOf reads a Range with one range, as S3 takes it. What is no range gives
// the whole object.
func rangeOf(header string, size int64) (start, length int64, err error) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	from, to, dashed := strings.Cut(spec, "-")
	if !ok || !dashed || strings.Contains(spec, ",") {
		return 0, size, nil
	}
	first, err1 := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	switch {
	case from == "" && err2 == nil: // the last bytes
		start, last = max(0, size-last), size-1
		if to == "0" {
			start = size
		}
	case err1 != nil || to != "" && (err2 != nil || last < first):
		return 0, size, nil
	case to == "":
		start, last = first, size-1
	default:
		start, last = first, min(last, size-1)
	}
	if start >= size {
		return 0, 0, &service.Error{Code: "InvalidRange", Message: "The requested range is not satisfiable", Status: http.StatusRequestedRangeNotSatisfiable}
	}
	return start, last - start + 1, nil
}

// source finds the object of X-Amz-Copy-Source.
func (s *Service) source(r *service.Request) (*object, io.ReadCloser, io.ReaderAt, error) {
	text, err := url.PathUnescape(r.Header.Get("X-Amz-Copy-Source"))
	if err != nil {
		return nil, nil, nil, service.Errorf("InvalidArgument", "the copy source cannot be read: %v", err)
	}
	text, _, _ = strings.Cut(text, "?versionId=")
	name, key, _ := strings.Cut(strings.TrimPrefix(text, "/"), "/")
	b, err := s.bucket(name)
	if err != nil {
		return nil, nil, nil, err
	}
	o, file, err := s.open(b, key)
	if err != nil {
		return nil, nil, nil, err
	}
	h := http.Header{}
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		h.Set(name, r.Header.Get("X-Amz-Copy-Source-"+name))
	}
	if conditional(h, o) != 0 {
		file.Close()
		return nil, nil, nil, &service.Error{Code: "PreconditionFailed", Message: "At least one of the pre-conditions you specified did not hold", Status: http.StatusPreconditionFailed}
	}
	return o, file, file, nil
}

func (s *Service) copyObject(w http.ResponseWriter, r *service.Request, b *bucket, key string) error {
	o, file, _, err := s.source(r)
	if err != nil {
		return err
	}
	defer file.Close()
	d := newDigest(r.Header)
	if d.algorithm == "" {
		d.use(o.Algorithm)
	}
	staged, err := s.stage(b, key, file, r.Header, d)
	if err != nil {
		return err
	}
	staged.cause = causeCopy
	if !strings.EqualFold(r.Header.Get("X-Amz-Metadata-Directive"), "REPLACE") {
		staged.object.Headers = o.Headers
	}
	if !strings.EqualFold(r.Header.Get("X-Amz-Tagging-Directive"), "REPLACE") {
		staged.object.Tags = o.Tags
	}
	if err := staged.commit(); err != nil {
		return err
	}
	return answerXML(w, struct {
		XMLName      struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyObjectResult"`
		ETag         string
		LastModified string
	}{ETag: `"` + staged.object.ETag + `"`, LastModified: isoTime(staged.object.Modified)})
}

func (s *Service) deleteObject(w http.ResponseWriter, _ *service.Request, b *bucket, key string) error {
	err := s.env.Store.Update(func(tx *store.Tx) error {
		s.remove(tx, b, key)
		return nil
	})
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// maxDeletes is how many objects one DeleteObjects may name.
const maxDeletes = 1000

func (s *Service) deleteObjects(w http.ResponseWriter, r *service.Request, b *bucket, _ string) error {
	var in struct {
		Quiet  bool
		Object []struct{ Key string }
	}
	if err := readXML(r, &in); err != nil {
		return err
	}
	if len(in.Object) > maxDeletes || len(in.Object) == 0 {
		return service.Errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	err := s.env.Store.Update(func(tx *store.Tx) error {
		for _, o := range in.Object {
			s.remove(tx, b, o.Key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	out := struct {
		XMLName struct{}               `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
		Deleted []struct{ Key string } `xml:",omitempty"`
	}{}
	if !in.Quiet {
		out.Deleted = in.Object
	}
	return answerXML(w, out)
}

func (s *Service) getTagging(w http.ResponseWriter, _ *service.Request, b *bucket, key string) error {
	out := struct {
		XMLName struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Tagging"`
		tagging
	}{}
	err := s.env.Store.View(func(tx *store.Tx) error {
		o, err := readObject(tx, b.name, key)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(o.Tags)) {
			out.TagSet.Tag = append(out.TagSet.Tag, tag{name, o.Tags[name]})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return answerXML(w, out)
}

func (s *Service) putTagging(w http.ResponseWriter, r *service.Request, b *bucket, key string) error {
	var in tagging
	if err := readXML(r, &in); err != nil {
		return err
	}
	tags := map[string]string{}
	for _, t := range in.TagSet.Tag {
		tags[t.Key] = t.Value
	}
	if len(tags) > 10 {
		return service.Errorf("BadRequest", "Object tags cannot be greater than 10")
	}
	return s.setTags(w, b, key, tags, http.StatusOK)
}

func (s *Service) deleteTagging(w http.ResponseWriter, _ *service.Request, b *bucket, key string) error {
	return s.setTags(w, b, key, nil, http.StatusNoContent)
}

func (s *Service) setTags(w http.ResponseWriter, b *bucket, key string, tags map[string]string, status int) error {
	err := s.env.Store.Update(func(tx *store.Tx) error {
		o, err := readObject(tx, b.name, key)
		if err != nil {
			return err
		}
		o.Tags = tags
		return writeObject(tx, b.name, key, o)
	})
	if err == nil {
		w.WriteHeader(status)
	}
	return err
}

// intParameter is a number in the query.
func intParameter(r *service.Request, name string, fallback int) (int, error) {
	text := cmp.Or(r.URL.Query().Get(name), strconv.Itoa(fallback))
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, service.Errorf("InvalidArgument", "Provided %s not an integer or within integer range", name)
	}
	return n, nil
}
