package s3

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // it is what S3's ETags are
	"crypto/sha1" //nolint:gosec // one of S3's checksums
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	nvme       = crc64.MakeTable(0x9a6c9329ac4bc9b5)
)

// algorithms are S3's checksums:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
var algorithms = map[string]func() hash.Hash{
	"crc32":     func() hash.Hash { return crc32.NewIEEE() },
	"crc32c":    func() hash.Hash { return crc32.New(castagnoli) },
	"crc64nvme": func() hash.Hash { return crc64.New(nvme) },
	"sha1":      sha1.New,
	"sha256":    sha256.New,
}

const checksumHeader = "x-amz-checksum-"

// digest computes what is needed of a body that is read.
type digest struct {
	size int64
	md5  hash.Hash
	// algorithm is the checksum that the client names, "" for none.
	algorithm string
	checksum  hash.Hash
	// wantMD5 and wantChecksum are what the client says, in base64.
	wantMD5, wantChecksum string
}

// newDigest looks at what a request says of its body.
func newDigest(h http.Header) *digest {
	d := &digest{md5: md5.New(), wantMD5: h.Get("Content-Md5")} //nolint:gosec // see above
	name := h.Get("X-Amz-Sdk-Checksum-Algorithm")
	for algorithm := range algorithms {
		if value := h.Get(checksumHeader + algorithm); value != "" {
			name, d.wantChecksum = algorithm, value
		}
	}
	if trailer, ok := strings.CutPrefix(strings.ToLower(h.Get("X-Amz-Trailer")), checksumHeader); ok {
		name = trailer
	}
	d.use(name)
	return d
}

func (d *digest) use(name string) {
	if makeHash := algorithms[strings.ToLower(name)]; makeHash != nil {
		d.algorithm, d.checksum = strings.ToLower(name), makeHash()
	}
}

// Write takes a part of the body.
func (d *digest) Write(p []byte) (int, error) {
	d.size += int64(len(p))
	_, _ = d.md5.Write(p) // a hash takes everything
	if d.checksum != nil {
		_, _ = d.checksum.Write(p)
	}
	return len(p), nil
}

// trailer takes a trailing header of an aws-chunked body.
func (d *digest) trailer(name, value string) {
	if algorithm, ok := strings.CutPrefix(strings.ToLower(name), checksumHeader); ok && algorithm == d.algorithm {
		d.wantChecksum = value
	}
}

func (d *digest) etag() string { return hex.EncodeToString(d.md5.Sum(nil)) }

// sum is the checksum in base64, "" for none.
func (d *digest) sum() string {
	if d.checksum == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(d.checksum.Sum(nil))
}

// verify compares with what the client said.
func (d *digest) verify() error {
	if d.wantMD5 != "" && d.wantMD5 != base64.StdEncoding.EncodeToString(d.md5.Sum(nil)) {
		return service.Errorf("BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	if d.wantChecksum != "" && d.wantChecksum != d.sum() {
		return service.Errorf("BadDigest", "The %s you specified did not match the calculated checksum.", strings.ToUpper(d.algorithm))
	}
	return nil
}

// bodyOf is the plain body of a request.
func bodyOf(r *service.Request, d *digest) io.Reader {
	var body io.Reader = r.Body
	if r.Payload != nil {
		body = bytes.NewReader(r.Payload)
	}
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") || strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked") {
		return newChunks(body, d.trailer)
	}
	return body
}
