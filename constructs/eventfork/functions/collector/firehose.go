package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/snappy"

	"github.com/bailey-cdk/bailey/constructs/eventfork/internal/failure"
	"github.com/bailey-cdk/bailey/internal/fork"
)

// line is what Firehose writes of an event that it gave up. A failed conversion
// has been described with the codes of both names. Sources: "Handle failure in
// data transformation", "Handling errors for data format conversion" and "Handle
// data delivery failures", of https://docs.aws.amazon.com/firehose/latest/dev/
type line struct {
	AttemptsMade           int
	ArrivalTimestamp       int64 // in milliseconds, as the next
	AttemptEndingTimestamp int64
	ErrorCode              string
	ErrorMessage           string
	LastErrorCode          string
	LastErrorMessage       string
	RawData                []byte // the event as it was put, in base64
}

// recordOf is the failure record of a line of the object.
func recordOf(from fork.Undelivered, number int, text []byte) (failure.Record, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return failure.Record{}, fmt.Errorf("line %d is not of Firehose's form: %w", number, err)
	}
	at := cmp.Or(l.AttemptEndingTimestamp, l.ArrivalTimestamp)
	switch {
	case len(l.RawData) == 0 || at == 0:
		return failure.Record{}, fmt.Errorf("line %d is not of Firehose's form: it has no rawData, or no time", number)
	case !utf8.Valid(l.RawData):
		return failure.Record{}, fmt.Errorf("the event of line %d is no text", number)
	}
	return failure.Record{
		Branch: from.Branch, From: failure.Stream, MessageID: id(from, number), Time: time.UnixMilli(at).UTC(), Body: string(l.RawData),
		Reason: failure.Reason{
			Code:     cmp.Or(l.ErrorCode, l.LastErrorCode),
			Message:  cmp.Or(l.ErrorMessage, l.LastErrorMessage, l.ErrorCode, l.LastErrorCode, "Firehose gave no reason: its log may have one"),
			Receives: l.AttemptsMade,
		},
	}, nil
}

// id is the same for the same line of an object, and another for each other.
func id(from fork.Undelivered, number int) string {
	sum := sha256.Sum256([]byte(from.Bucket + "/" + from.Key))
	return fmt.Sprintf("%x-%d", sum[:8], number)
}

// unpacked is the text of an object. Firehose compresses it as the others of the
// stream, and the key need not say so.
func unpacked(object io.Reader) (io.Reader, error) {
	b := bufio.NewReader(object)
	head, err := b.Peek(10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch text := string(head); {
	case strings.HasPrefix(text, "\x1f\x8b"):
		return gzip.NewReader(b)
	case strings.HasPrefix(text, "PK\x03\x04"):
		return unzipped(b)
	case strings.HasPrefix(text, "\xff\x06\x00\x00sNaPpY"):
		return snappy.NewReader(b), nil
	}
	return b, nil
}

// unzipped is all files of an archive, one behind the other. Their list is at
// the end, so that the archive is read whole.
func unzipped(archive io.Reader) (io.Reader, error) {
	content, err := io.ReadAll(archive)
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	var files []io.Reader
	for _, f := range z.File {
		file, err := f.Open() // Of bytes in memory, nothing is to be closed.
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return io.MultiReader(files...), nil
}
