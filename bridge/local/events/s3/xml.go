package s3

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// answerXML answers with a document.
func answerXML(w http.ResponseWriter, value any) error {
	body, err := xml.Marshal(value)
	if err != nil {
		return err
	}
	body = append([]byte(xml.Header), body...)
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // else the client is gone
	return nil
}

// maxDocument is the most bytes of a request that is a document.
const maxDocument = 4 << 20

// readXML reads the document of a request.
func readXML(r *service.Request, value any) error {
	d := newDigest(r.Header)
	body, err := io.ReadAll(io.LimitReader(io.TeeReader(bodyOf(r, d), d), maxDocument))
	if err == nil {
		err = d.verify()
	}
	if err != nil {
		return err
	}
	if err := xml.Unmarshal(body, value); err != nil {
		return service.Errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	return nil
}

// tag is an object's tag as XML has it.
type tag struct{ Key, Value string }

type tagging struct {
	TagSet struct{ Tag []tag }
}

// tagsOf reads the header x-amz-tagging.
func tagsOf(header string) map[string]string {
	values, err := url.ParseQuery(header)
	if err != nil || len(values) == 0 {
		return nil
	}
	tags := map[string]string{}
	for name := range values {
		tags[name] = values.Get(name)
	}
	return tags
}
