package s3

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// content is an object in a list.
type content struct {
	Key          string
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
	Owner        *listOwner `xml:",omitempty"`
}

type listOwner struct{ ID, DisplayName string }

type commonPrefix struct{ Prefix string }

// page is one page of a list.
type page struct {
	contents  []content
	prefixes  []commonPrefix
	truncated bool
	// last is the key or prefix that the next page begins after.
	last string
}

// maxKeys is how many entries a page has at most.
const maxKeys = 1000

// list reads a page of the objects after a key, in the order of keys.
func (s *Service) list(b *bucket, prefix, delimiter, after string, limit int) (*page, error) {
	p := &page{}
	err := s.env.Store.View(func(tx *store.Tx) error {
		start := prefix
		if after > start {
			start = after
		}
		for more := true; more; {
			var err error
			start, more, err = p.fill(tx, b, prefix, delimiter, after, start, limit)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return p, err
}

// fill scans from a key on. Behind an object that goes into a common prefix the
// scan is begun again behind the whole prefix, so that what a prefix holds costs
// nothing.
func (p *page) fill(tx *store.Tx, b *bucket, prefix, delimiter, after, start string, limit int) (next string, more bool, err error) {
	err = tx.ScanFrom(objectTable(b.name), []byte(start), []byte(prefix), func(k, value []byte) error {
		key := string(k)
		if key <= after && after != "" {
			return nil
		}
		common := ""
		if i := strings.Index(key[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			common = key[:len(prefix)+i+len(delimiter)]
		}
		if common != "" && common <= after && strings.HasPrefix(after, common) {
			next, more = successor(common)
			return store.Stop
		}
		if len(p.contents)+len(p.prefixes) == limit {
			p.truncated = limit > 0
			return store.Stop
		}
		if common != "" {
			p.prefixes = append(p.prefixes, commonPrefix{common})
			p.last = common
			next, more = successor(common)
			return store.Stop
		}
		var o object
		if err := json.Unmarshal(value, &o); err != nil {
			return err
		}
		p.contents = append(p.contents, content{Key: key, LastModified: isoTime(o.Modified), ETag: `"` + o.ETag + `"`, Size: o.Size, StorageClass: "STANDARD"})
		p.last = key
		return nil
	})
	return next, more, err
}

// successor is the first key behind all that begin with a prefix.
func successor(prefix string) (string, bool) {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1]), true
		}
	}
	return "", false
}

// encoded writes names as encoding-type asks for.
func (p *page) encoded(kind string) func(string) string {
	if kind != "url" {
		return func(s string) string { return s }
	}
	encode := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") }
	for i := range p.contents {
		p.contents[i].Key = encode(p.contents[i].Key)
	}
	for i := range p.prefixes {
		p.prefixes[i].Prefix = encode(p.prefixes[i].Prefix)
	}
	return encode
}

func (s *Service) listV2(w http.ResponseWriter, r *service.Request, b *bucket, _ string) error {
	q := r.URL.Query()
	limit, err := intParameter(r, "max-keys", maxKeys)
	if err != nil {
		return err
	}
	after := q.Get("start-after")
	token := q.Get("continuation-token")
	if token != "" {
		text, err := base64.URLEncoding.DecodeString(token)
		if err != nil {
			return service.Errorf("InvalidArgument", "The continuation token provided is incorrect")
		}
		after = string(text)
	}
	p, err := s.list(b, q.Get("prefix"), q.Get("delimiter"), after, min(limit, maxKeys))
	if err != nil {
		return err
	}
	if q.Get("fetch-owner") == "true" {
		p.own()
	}
	encode := p.encoded(q.Get("encoding-type"))
	out := struct {
		XMLName               struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
		Name                  string
		Prefix                string
		Delimiter             string `xml:",omitempty"`
		StartAfter            string `xml:",omitempty"`
		MaxKeys               int
		KeyCount              int
		EncodingType          string `xml:",omitempty"`
		IsTruncated           bool
		ContinuationToken     string `xml:",omitempty"`
		NextContinuationToken string `xml:",omitempty"`
		Contents              []content
		CommonPrefixes        []commonPrefix
	}{
		Name: b.name, Prefix: encode(q.Get("prefix")), Delimiter: encode(q.Get("delimiter")), StartAfter: encode(q.Get("start-after")),
		MaxKeys: limit, KeyCount: len(p.contents) + len(p.prefixes), EncodingType: q.Get("encoding-type"), IsTruncated: p.truncated,
		ContinuationToken: token, Contents: p.contents, CommonPrefixes: p.prefixes,
	}
	if p.truncated {
		out.NextContinuationToken = base64.URLEncoding.EncodeToString([]byte(p.last))
	}
	return answerXML(w, out)
}

// own names the owner of each object.
func (p *page) own() {
	for i := range p.contents {
		p.contents[i].Owner = &listOwner{owner, "local"}
	}
}

func (s *Service) listV1(w http.ResponseWriter, r *service.Request, b *bucket, _ string) error {
	q := r.URL.Query()
	limit, err := intParameter(r, "max-keys", maxKeys)
	if err != nil {
		return err
	}
	p, err := s.list(b, q.Get("prefix"), q.Get("delimiter"), q.Get("marker"), min(limit, maxKeys))
	if err != nil {
		return err
	}
	p.own()
	last := p.last
	encode := p.encoded(q.Get("encoding-type"))
	out := struct {
		XMLName        struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
		Name           string
		Prefix         string
		Marker         string
		NextMarker     string `xml:",omitempty"`
		Delimiter      string `xml:",omitempty"`
		MaxKeys        int
		EncodingType   string `xml:",omitempty"`
		IsTruncated    bool
		Contents       []content
		CommonPrefixes []commonPrefix
	}{
		Name: b.name, Prefix: encode(q.Get("prefix")), Marker: encode(q.Get("marker")), Delimiter: encode(q.Get("delimiter")),
		MaxKeys: limit, EncodingType: q.Get("encoding-type"), IsTruncated: p.truncated, Contents: p.contents, CommonPrefixes: p.prefixes,
	}
	if p.truncated && q.Get("delimiter") != "" {
		out.NextMarker = encode(last)
	}
	return answerXML(w, out)
}
