package sqs

import (
	"crypto/md5" //nolint:gosec // SQS's checksums are MD5
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// Message is a message as it is received.
type Message struct {
	MessageID     string
	ReceiptHandle string
	Body          []byte
	MD5OfBody     string
	// Attributes are the system attributes, all of them: "SentTimestamp" and
	// so on.
	Attributes             map[string]string
	MessageAttributes      map[string]service.Attribute
	MD5OfMessageAttributes string
}

// record is a message as it is stored.
type record struct {
	id     string
	sent   int64 // ms
	due    int64 // ms; when its delay ends
	first  int64 // ms; when it was first received in another queue, 0 for never
	count  uint32
	group  string
	dedup  string
	origin string // ARN of the queue that it was moved here from
	trace  string
	sender string

	attributes map[string]service.Attribute
	md5Body    [16]byte
	md5Attrs   [16]byte
	body       []byte
}

// headerSize is the length of the fixed part of a record, all that is needed
// to find its place in a queue but the group, which follows.
const headerSize = 1 + 8 + 8 + 8 + 4 + 16 + 16

// recordVersion is the first byte of a record.
const recordVersion = 1

func (r *record) seal() {
	r.md5Body = md5.Sum(r.body) //nolint:gosec // see above
	if len(r.attributes) > 0 {
		r.md5Attrs = md5OfAttributes(r.attributes)
	}
}

func (r *record) encode() []byte {
	b := make([]byte, 0, headerSize+160+len(r.body))
	b = append(b, recordVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(r.sent))  //nolint:gosec // read back the same way
	b = binary.BigEndian.AppendUint64(b, uint64(r.due))   //nolint:gosec // as above
	b = binary.BigEndian.AppendUint64(b, uint64(r.first)) //nolint:gosec // as above
	b = binary.BigEndian.AppendUint32(b, r.count)
	b = append(b, r.md5Body[:]...)
	b = append(b, r.md5Attrs[:]...)
	for _, text := range []string{r.group, r.id, r.dedup, r.origin, r.trace, r.sender} {
		b = appendText(b, text)
	}
	b = binary.AppendUvarint(b, uint64(len(r.attributes)))
	for name, a := range r.attributes {
		b = appendText(appendText(b, name), a.DataType)
		b = append(binary.AppendUvarint(b, uint64(len(a.Value))), a.Value...)
	}
	return append(b, r.body...)
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

var errRecord = errors.New("a stored message cannot be read")

// decodeHeader reads the fixed part and the group.
func decodeHeader(b []byte) (r record, rest []byte, err error) {
	if len(b) < headerSize || b[0] != recordVersion {
		return r, nil, errRecord
	}
	r.sent = int64(binary.BigEndian.Uint64(b[1:]))   //nolint:gosec // see encode
	r.due = int64(binary.BigEndian.Uint64(b[9:]))    //nolint:gosec // see encode
	r.first = int64(binary.BigEndian.Uint64(b[17:])) //nolint:gosec // see encode
	r.count = binary.BigEndian.Uint32(b[25:])
	copy(r.md5Body[:], b[29:])
	copy(r.md5Attrs[:], b[45:])
	var group []byte
	group, rest, err = cutText(b[headerSize:])
	r.group = string(group)
	return r, rest, err
}

// decode reads a record. Nothing of it refers to b afterwards.
func decode(b []byte) (*record, error) {
	r, b, err := decodeHeader(b)
	for _, text := range []*string{&r.id, &r.dedup, &r.origin, &r.trace, &r.sender} {
		var value []byte
		value, b, err = cutText2(b, err)
		*text = string(value)
	}
	if err != nil {
		return nil, err
	}
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)) {
		return nil, errRecord
	}
	b = b[size:]
	if n > 0 {
		r.attributes = make(map[string]service.Attribute, n)
	}
	for range n {
		var name, kind, value []byte
		name, b, err = cutText(b)
		kind, b, err = cutText2(b, err)
		value, b, err = cutText2(b, err)
		if err != nil {
			return nil, err
		}
		r.attributes[string(name)] = service.Attribute{DataType: string(kind), Value: slices.Clone(value)}
	}
	r.body = slices.Clone(b)
	return &r, nil
}

func cutText(b []byte) (text, rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) { //nolint:gosec // size is no more than b has
		return nil, nil, errRecord
	}
	b = b[size:]
	return b[:n], b[n:], nil
}

// cutText2 is cutText unless there was an error before.
func cutText2(b []byte, before error) (text, rest []byte, err error) {
	if before != nil {
		return nil, nil, before
	}
	return cutText(b)
}

// md5OfAttributes is the checksum that SDKs compare, see "Calculating the MD5
// message digest for message attributes" in the SQS Developer Guide.
func md5OfAttributes(attributes map[string]service.Attribute) (sum [16]byte) {
	h := md5.New() //nolint:gosec // see above
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		writeSized(h, []byte(name))
		writeSized(h, []byte(a.DataType))
		kind := byte(1)
		if strings.HasPrefix(a.DataType, "Binary") {
			kind = 2
		}
		_, _ = h.Write([]byte{kind})
		writeSized(h, a.Value)
	}
	h.Sum(sum[:0])
	return sum
}

func writeSized(h hash.Hash, b []byte) {
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], uint32(len(b))) //nolint:gosec // messages are far smaller
	_, _ = h.Write(size[:])
	_, _ = h.Write(b)
}

func hexOf(sum [16]byte) string { return hex.EncodeToString(sum[:]) }

// size is how much a message counts: the body with the names, types and values
// of its attributes.
func size(body []byte, attributes map[string]service.Attribute) int {
	n := len(body)
	for name, a := range attributes {
		n += len(name) + len(a.DataType) + len(a.Value)
	}
	return n
}

func millis(t time.Time) int64 { return t.UnixMilli() }
