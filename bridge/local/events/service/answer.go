package service

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// AnswerJSON answers with value as JSON, nil for {}. version is the one of the
// protocol: "1.0" for SQS, DynamoDB, Firehose and their like, "1.1" for
// EventBridge; "" for REST services, whose type is plain application/json.
func AnswerJSON(w http.ResponseWriter, r *Request, version string, value any) {
	if value == nil {
		value = struct{}{}
	}
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		FailJSON(w, r, version, "", err)
		return
	}
	AnswerBytes(w, r, jsonType(version), bytes.TrimSuffix(body.Bytes(), []byte("\n")))
}

// AnswerBytes answers with a body that is made already.
func AnswerBytes(w http.ResponseWriter, r *Request, contentType string, body []byte) {
	h := w.Header()
	h["X-Amzn-Requestid"] = []string{r.ID}
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	_, _ = w.Write(body) // else the client is gone
}

// buffers hold the longer answers while they are written.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// AnswerAppended is [AnswerBytes] of what appendTo appends, about size bytes.
func AnswerAppended(w http.ResponseWriter, r *Request, contentType string, size int, appendTo func([]byte) []byte) {
	b := buffers.Get().(*[]byte)
	*b = appendTo(slices.Grow((*b)[:0], size))
	AnswerBytes(w, r, contentType, *b)
	if cap(*b) <= 1<<20 {
		buffers.Put(b)
	}
}

// FailJSON answers with an error in JSON. prefix stands before the name in
// __type: "com.amazonaws.sqs#".
func FailJSON(w http.ResponseWriter, r *Request, version, prefix string, err error) {
	e := ErrorOf(err)
	h := w.Header()
	h.Set("X-Amzn-Requestid", r.ID)
	h.Set("X-Amzn-Errortype", e.Code)
	h.Set("Content-Type", jsonType(version))
	if e.QueryCode != "" { // for SDKs that know the names of the query protocol
		h.Set("X-Amzn-Query-Error", e.QueryCode+";"+e.fault())
	}
	body, _ := json.Marshal(map[string]string{"__type": prefix + e.Code, "message": e.Message}) // texts always are
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.status())
	_, _ = w.Write(body)
}

func jsonType(version string) string {
	if version == "" {
		return "application/json"
	}
	return "application/x-amz-json-" + version
}

// AnswerQuery answers in the query protocol's XML. result is what stands
// inside of <ActionResult>, already XML, "" for an operation without one.
func AnswerQuery(w http.ResponseWriter, r *Request, namespace, result string) {
	answerQuery(w, r, namespace, result, result != "")
}

// AnswerEmptyQuery answers with an <ActionResult> that is empty: some SDKs look
// for it.
func AnswerEmptyQuery(w http.ResponseWriter, r *Request, namespace string) {
	answerQuery(w, r, namespace, "", true)
}

func answerQuery(w http.ResponseWriter, r *Request, namespace, result string, hasResult bool) {
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\"?><")
	b.WriteString(r.Operation)
	b.WriteString("Response xmlns=\"")
	b.WriteString(namespace)
	b.WriteString("\">")
	if hasResult {
		b.WriteString("<" + r.Operation + "Result>")
		b.WriteString(result)
		b.WriteString("</" + r.Operation + "Result>")
	}
	b.WriteString("<ResponseMetadata><RequestId>")
	b.WriteString(r.ID)
	b.WriteString("</RequestId></ResponseMetadata></")
	b.WriteString(r.Operation)
	b.WriteString("Response>")
	AnswerBytes(w, r, "text/xml", b.Bytes())
}

// FailQuery answers with an error in the query protocol's XML.
func FailQuery(w http.ResponseWriter, r *Request, namespace string, err error) {
	e := ErrorOf(err)
	fail(w, r, "text/xml", e, "<?xml version=\"1.0\"?><ErrorResponse xmlns=\""+namespace+"\"><Error><Type>"+e.fault()+
		"</Type><Code>"+EscapeXML(e.queryCode())+"</Code><Message>"+EscapeXML(e.Message)+
		"</Message><Detail/></Error><RequestId>"+r.ID+"</RequestId></ErrorResponse>")
}

// FailXML answers with an error as S3's REST API has it.
func FailXML(w http.ResponseWriter, r *Request, err error) {
	e := ErrorOf(err)
	w.Header().Set("X-Amz-Request-Id", r.ID)
	fail(w, r, "application/xml", e, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>"+EscapeXML(e.Code)+
		"</Code><Message>"+EscapeXML(e.Message)+"</Message><Resource>"+EscapeXML(r.URL.Path)+
		"</Resource><RequestId>"+r.ID+"</RequestId></Error>")
}

func fail(w http.ResponseWriter, r *Request, contentType string, e *Error, body string) {
	h := w.Header()
	h.Set("X-Amzn-Requestid", r.ID)
	h.Set("Content-Type", contentType)
	w.WriteHeader(e.status())
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(body))
	}
}

// EscapeXML is a text as XML has it. What XML cannot hold becomes U+FFFD.
func EscapeXML(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return b.String()
}
