package firehose

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/snappy"
)

// compression writes the content of an object, and names its ending.
type compression struct {
	extension string
	write     func(w io.Writer, name string, content []byte) error
}

// compressions are the values of CompressionFormat.
var compressions = map[string]*compression{
	"":             {"", plain},
	"UNCOMPRESSED": {"", plain},
	"GZIP": {".gz", func(w io.Writer, _ string, content []byte) error {
		z := gzip.NewWriter(w)
		return closing(z, content)
	}},
	"Snappy": {".snappy", func(w io.Writer, _ string, content []byte) error {
		return closing(snappy.NewBufferedWriter(w), content)
	}},
	"ZIP": {".zip", func(w io.Writer, name string, content []byte) error {
		z := zip.NewWriter(w)
		file, err := z.Create(name)
		if err == nil {
			_, err = file.Write(content)
		}
		if closed := z.Close(); err == nil {
			err = closed
		}
		return err
	}},
	"HADOOP_SNAPPY": {".hsnappy", hadoop},
}

func plain(w io.Writer, _ string, content []byte) error {
	_, err := w.Write(content)
	return err
}

func closing(w io.WriteCloser, content []byte) error {
	_, err := w.Write(content)
	if closed := w.Close(); err == nil {
		err = closed
	}
	return err
}

// hadoopBlock is how much Hadoop's codec puts into a block.
const hadoopBlock = 256 << 10

// hadoop writes the form of Hadoop's SnappyCodec: blocks with the length of
// their content, and in each one chunk with its own length.
func hadoop(w io.Writer, _ string, content []byte) error {
	for len(content) > 0 {
		block := content[:min(hadoopBlock, len(content))]
		content = content[len(block):]
		packed := snappy.Encode(nil, block)
		var head [8]byte
		binary.BigEndian.PutUint32(head[:4], uint32(len(block)))  //nolint:gosec // at most 256 KiB
		binary.BigEndian.PutUint32(head[4:], uint32(len(packed))) //nolint:gosec // and little more
		if _, err := w.Write(append(head[:], packed...)); err != nil {
			return err
		}
	}
	return nil
}

// compress makes the content of an object.
func (c *s3Config) compress(name string, content []byte) ([]byte, error) {
	if len(c.compression) == 0 || c.compression == "UNCOMPRESSED" {
		return content, nil
	}
	var b bytes.Buffer
	err := compressions[c.compression].write(&b, name, content)
	return b.Bytes(), err
}
