package firehose

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// output is all that one buffer becomes.
type output struct {
	stream *stream
	// at is when the oldest record arrived.
	at    time.Time
	taken int
	// objects are written, and documents wait for the transaction.
	objects   []Staged
	documents []document
	notes     []service.Note
}

func (o *output) discard() {
	for _, object := range o.objects {
		object.Discard()
	}
}

// make writes everything but what belongs into the transaction.
func (o *output) make(ctx context.Context, all, good, bad []*record) error {
	c := o.stream.config
	if c.backup != nil {
		if err := o.write(c.backup, "", nil, raw(all)); err != nil {
			return err
		}
	}
	o.dropped(all, good, bad)
	if c.search != nil {
		failed, err := o.search(ctx, good)
		if err != nil {
			return err
		}
		if c.search.allDocuments {
			if err := o.write(c.s3, "", nil, raw(all)); err != nil {
				return err
			}
		}
		bad = append(bad, failed...)
	} else {
		good, unconverted := o.convertible(good)
		failed, err := o.partitions(good)
		if err != nil {
			return err
		}
		bad = append(append(bad, unconverted...), failed...)
	}
	return o.failures(bad)
}

// convertible tells apart the records that a conversion could read: JSON
// objects, one or several in a record. Without a conversion all are good.
func (o *output) convertible(records []*record) (good, failed []*record) {
	if !o.stream.config.converts {
		return records, nil
	}
	for _, r := range records {
		d := json.NewDecoder(bytes.NewReader(r.data))
		var err error
		for err == nil {
			var document map[string]json.RawMessage
			if err = d.Decode(&document); err == nil && document == nil {
				err = errors.New("null is no JSON object")
			}
		}
		if errors.Is(err, io.EOF) {
			good = append(good, r)
			continue
		}
		r.fail(o.stream.now(), conversionFailed, "DataFormatConversion.ParseError", "the record is no JSON object: "+err.Error(), 1)
		failed = append(failed, r)
	}
	return good, failed
}

// raw is what was put, one behind the other.
func raw(records []*record) []byte {
	var b bytes.Buffer
	for _, r := range records {
		b.Write(r.raw)
	}
	return b.Bytes()
}

// dropped notes the records that a function left out.
func (o *output) dropped(all, good, bad []*record) {
	left := map[string]bool{}
	for _, r := range slices.Concat(good, bad) {
		left[r.id] = true
	}
	for _, r := range all {
		if !left[r.id] {
			o.note(r, service.Filtered, "", "dropped by the function")
		}
	}
}

func (o *output) note(r *record, what, target, detail string) {
	o.notes = append(o.notes, service.Note{What: what, Source: o.stream.arn, Target: target, MessageID: r.id, Detail: detail, Body: r.data})
}

// partitions writes an object for each set of partition keys.
func (o *output) partitions(good []*record) (failed []*record, err error) {
	c := o.stream.config
	groups := map[string][]*record{}
	var order []string
	for _, r := range good {
		if c.partitions {
			if _, err := c.s3.prefixAt(o.at, "", nonNil(r.keys)); err != nil {
				r.fail(o.stream.now(), processingFailed, "DynamicPartitioning.PartitionKeyMissing", err.Error(), 1)
				failed = append(failed, r)
				continue
			}
		}
		key := ""
		if c.partitions {
			key = partition(c.s3.prefix, r.keys)
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], r)
	}
	for _, key := range order {
		group := groups[key]
		var b bytes.Buffer
		for _, r := range group {
			b.Write(r.data)
		}
		if err := o.write(c.s3, "", group[0].keys, b.Bytes()); err != nil {
			return nil, err
		}
		for _, r := range group {
			o.note(r, service.Delivered, "arn:aws:s3:::"+c.s3.bucket, "")
		}
	}
	return failed, nil
}

// partition tells apart what the prefix does: the keys that it names.
func partition(prefix string, keys map[string]string) string {
	key := ""
	for _, m := range expression.FindAllStringSubmatch(prefix, -1) {
		if source, ok := strings.CutPrefix(m[1], "partitionKeyFrom"); ok {
			key += keys[strings.ToLower(source)+":"+m[2]] + "\x00"
		}
	}
	return key
}

func nonNil(keys map[string]string) map[string]string {
	if keys == nil {
		return map[string]string{}
	}
	return keys
}

// failures writes the records that failed, one object for each kind.
func (o *output) failures(bad []*record) error {
	kinds := map[string][]*record{}
	for _, r := range bad {
		kinds[r.failure.kind] = append(kinds[r.failure.kind], r)
	}
	c := o.stream.config.s3
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		for _, r := range kinds[kind] {
			if err := e.Encode(r.failure); err != nil {
				return err
			}
			o.note(r, service.DeadLettered, "arn:aws:s3:::"+c.bucket, r.failure.ErrorCode+": "+r.failure.ErrorMessage)
		}
		if err := o.write(c, kind, nil, b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// write stages one object. Its name is Firehose's:
// https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html
func (o *output) write(c *s3Config, failure string, keys map[string]string, content []byte) error {
	if len(content) == 0 {
		return nil
	}
	prefix, err := c.prefixAt(o.at, failure, keys)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s-1-%s-%s", o.stream.name, o.at.In(c.zone).Format("2006-01-02-15-04-05"), service.NewID())
	content, err = c.compress(name, content)
	if err != nil {
		return err
	}
	extension := compressions[c.compression].extension
	if c.extension != "" {
		extension = c.extension
	}
	staged, err := o.stream.service.o.Stage(c.bucket, prefix+name+extension, content, "application/octet-stream")
	if err == nil {
		o.objects = append(o.objects, staged)
	}
	return err
}

// commit is the transaction: the objects and documents are there, and the
// records are not.
func (o *output) commit(tx *store.Tx, last uint64) error {
	for _, object := range o.objects {
		if err := object.Commit(tx); err != nil {
			return err
		}
	}
	if err := o.stream.service.indexes.add(tx, o.documents); err != nil {
		return err
	}
	var keys [][]byte
	end := store.Key(last)
	err := tx.Scan(o.stream.table, nil, func(key, _ []byte) error {
		if bytes.Compare(key, end) > 0 {
			return store.Stop
		}
		keys = append(keys, bytes.Clone(key))
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		tx.Delete(o.stream.table, key)
	}
	for _, n := range o.notes {
		o.stream.service.env.Note(tx, n)
	}
	return nil
}

// search takes the documents to their index, and gives those that it refuses.
func (o *output) search(ctx context.Context, good []*record) (failed []*record, err error) {
	c := o.stream.config.search
	var documents []document
	byID := map[string]*record{}
	for i, r := range good {
		text := bytes.TrimSpace(r.data)
		d := document{domain: c.domain, index: c.indexAt(r.arrived), id: r.id, source: text}
		if byID[r.id] != nil {
			d.id = fmt.Sprintf("%s-%d", r.id, i) // parts of one record
		}
		if len(text) == 0 || text[0] != '{' || !json.Valid(text) {
			o.refuse(r, &d, "400", "the document is not a JSON object")
			failed = append(failed, r)
			continue
		}
		byID[d.id] = r
		documents = append(documents, d)
	}
	if url := o.stream.service.o.OpenSearch; url != "" {
		refused, err := bulk(ctx, strings.TrimSuffix(url, "/"), documents)
		if err != nil {
			return nil, err
		}
		for id, why := range refused {
			o.refuse(byID[id], &document{id: id, index: c.indexAt(byID[id].arrived)}, "400", why)
			failed = append(failed, byID[id])
			delete(byID, id)
		}
	} else {
		o.documents = documents
	}
	for _, d := range documents {
		if r := byID[d.id]; r != nil {
			o.note(r, service.Delivered, "arn:aws:es:"+o.stream.service.env.Region+":"+o.stream.service.env.AccountID+":domain/"+c.domain, d.index)
		}
	}
	return failed, nil
}

func (o *output) refuse(r *record, d *document, code, why string) {
	r.fail(o.stream.now(), o.stream.config.search.failed, code, why, 1)
	r.failure.EsDocumentID, r.failure.EsIndexName = d.id, d.index
}

// indexAt is the name of the index for a time:
// https://docs.aws.amazon.com/firehose/latest/dev/es-index-rotation.html
func (c *searchConfig) indexAt(at time.Time) string {
	at = at.UTC()
	switch c.rotation {
	case "OneHour":
		return c.index + at.Format("-2006-01-02-15")
	case "", "OneDay":
		return c.index + at.Format("-2006-01-02")
	case "OneWeek":
		year, week := at.ISOWeek()
		return fmt.Sprintf("%s-%d-w%02d", c.index, year, week)
	case "OneMonth":
		return c.index + at.Format("-2006-01")
	}
	return c.index
}
