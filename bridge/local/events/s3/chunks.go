package s3

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
)

// chunks reads an aws-chunked body: lines "SIZE;chunk-signature=..." with so many
// bytes behind each, and trailing headers after the one of size 0. Signatures are
// not verified. See
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
type chunks struct {
	r       *bufio.Reader
	left    int64
	begun   bool
	trailer func(name, value string)
	err     error
}

func newChunks(r io.Reader, trailer func(name, value string)) *chunks {
	return &chunks{r: bufio.NewReaderSize(r, 32<<10), trailer: trailer}
}

var errChunk = errors.New("the aws-chunked body is malformed")

// Read reads the plain body.
func (c *chunks) Read(p []byte) (int, error) {
	for c.left == 0 && c.err == nil {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if err != nil {
		c.err = unexpected(err)
	}
	return n, c.err
}

// next reads the line of the next chunk, and the trailers after the last.
func (c *chunks) next() error {
	if c.begun {
		if line, err := c.line(); err != nil || line != "" {
			return errors.Join(errChunk, err)
		}
	}
	c.begun = true
	line, err := c.line()
	if err != nil {
		return err
	}
	size, _, _ := strings.Cut(line, ";")
	c.left, err = strconv.ParseInt(size, 16, 63)
	switch {
	case err != nil || c.left < 0 || size[0] == '-' || size[0] == '+':
		return errChunk
	case c.left == 0:
		return c.trailers()
	}
	return nil
}

func (c *chunks) trailers() error {
	for {
		line, err := c.line()
		if errors.Is(err, io.ErrUnexpectedEOF) && line == "" || err == nil && line == "" {
			return io.EOF // some clients leave the last line out
		}
		if err != nil {
			return err
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			c.trailer(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
}

func (c *chunks) line() (string, error) {
	line, err := c.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", errChunk
	case err != nil:
		return strings.TrimRight(string(line), "\r\n"), unexpected(err)
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
