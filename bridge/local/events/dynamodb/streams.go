package dynamodb

import (
	"context"
	"crypto/md5" //nolint:gosec // an id, no secret
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const (
	streamsTable = "dynamodb/streams"
	// recordsTable, with the table's name after it, holds a stream's records by
	// their number.
	recordsTable = "dynamodb/records/"
	// countersTable holds the number of each stream's latest record.
	countersTable = "dynamodb/counters"
	// retention is how long a stream keeps its records.
	retention = 24 * time.Hour
)

// streamInfo is a table's stream.
type streamInfo struct {
	Table    string
	ARN      string
	Label    string
	ViewType string
	Created  float64 // seconds since 1970
	Enabled  bool
}

// streamInfo reads a table's stream from the store, nil where there is none.
func (s *Service) streamInfo(table string) (*streamInfo, error) {
	var info *streamInfo
	err := s.env.Store.View(func(tx *store.Tx) error {
		value := tx.Get(streamsTable, []byte(table))
		if value == nil {
			return nil
		}
		info = &streamInfo{}
		return json.Unmarshal(value, info)
	})
	return info, err
}

func (s *Service) putStream(info *streamInfo) error {
	err := s.env.Store.Update(func(tx *store.Tx) error {
		tx.Put(streamsTable, []byte(info.Table), encode(info))
		return nil
	})
	s.tablesMu.Lock()
	if t := s.tables[info.Table]; t != nil {
		t.info.Store(info)
	}
	s.tablesMu.Unlock()
	s.wake(info.Table) // who waits for the stream to be there
	return err
}

// enableStream gives a table a stream. arn is "" for a new one, whose label is
// the time.
func (s *Service) enableStream(table, arn, viewType string) error {
	switch viewType {
	case "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES":
	default:
		return service.Errorf("ValidationException", "One or more parameter values were invalid: StreamViewType %q must be one of NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY", viewType)
	}
	now := s.env.Now().UTC()
	label := now.Format("2006-01-02T15:04:05.000")
	if arn == "" {
		arn = service.ARN{Partition: "aws", Service: "dynamodb", Region: s.env.Region, AccountID: s.env.AccountID, Resource: "table/" + table + "/stream/" + label}.String()
	} else if _, rest, ok := strings.Cut(arn, "/stream/"); ok {
		label = rest
	}
	return s.putStream(&streamInfo{Table: table, ARN: arn, Label: label, ViewType: viewType, Created: seconds(now), Enabled: true})
}

func (s *Service) disableStream(table string) error {
	info, err := s.streamInfo(table)
	if err != nil || info == nil {
		return err
	}
	info.Enabled = false
	return s.putStream(info)
}

// dropStream forgets a table's stream with its records.
func (s *Service) dropStream(table string) error {
	return s.env.Store.Update(func(tx *store.Tx) error {
		tx.Delete(streamsTable, []byte(table))
		tx.Delete(countersTable, []byte(table))
		tx.Drop(recordsTable + table)
		return nil
	})
}

// defineStream makes a table's stream what the template says.
func (s *Service) defineStream(t *model.Table, wanted *template) error {
	if wanted.StreamSpecification == nil || t.StreamARN == "" {
		return s.disableStream(t.TableName)
	}
	info, err := s.streamInfo(t.TableName)
	if err != nil {
		return err
	}
	if info != nil && info.Enabled && info.ARN == t.StreamARN && info.ViewType == wanted.StreamSpecification.StreamViewType {
		return nil
	}
	return s.enableStream(t.TableName, t.StreamARN, wanted.StreamSpecification.StreamViewType)
}

// seconds is a time as DynamoDB's JSON has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// streamRecord is a record as GetRecords gives it. A function's event has
// eventSourceARN too.
type streamRecord struct {
	EventID      string        `json:"eventID"`
	EventName    string        `json:"eventName"`
	EventVersion string        `json:"eventVersion"`
	EventSource  string        `json:"eventSource"`
	AWSRegion    string        `json:"awsRegion"`
	DynamoDB     recordBody    `json:"dynamodb"`
	UserIdentity *userIdentity `json:"userIdentity,omitempty"`
	SourceARN    string        `json:"eventSourceARN,omitempty"`
}

type recordBody struct {
	Created        float64 `json:"ApproximateCreationDateTime"`
	Keys           item    `json:"Keys"`
	NewImage       item    `json:"NewImage,omitempty"`
	OldImage       item    `json:"OldImage,omitempty"`
	SequenceNumber string  `json:"SequenceNumber"`
	SizeBytes      int     `json:"SizeBytes"`
	StreamViewType string  `json:"StreamViewType"`
}

// userIdentity is in the record of an item whose time to live was over. See
// "DynamoDB Streams and Time to Live" in the Amazon DynamoDB Developer Guide.
type userIdentity struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
}

// sequenceNumber is a record's number as 21 digits, which sort as it does.
func sequenceNumber(n uint64) string { return fmt.Sprintf("1%020d", n) }

// numberOf reads a sequence number, 0 for "".
func numberOf(sequence string) uint64 {
	n, _ := strconv.ParseUint(strings.TrimPrefix(sequence, "1"), 10, 64)
	return n
}

// emit writes the record of a change, if it is one.
func (s *Service) emit(tx *store.Tx, c *change) {
	info := c.table.stream()
	if info == nil || c.old.same(c.new) {
		return
	}
	n := uint64(store.Uint(tx.Get(countersTable, []byte(info.Table)))) + 1 //nolint:gosec // counters are not negative
	tx.Put(countersTable, []byte(info.Table), store.Key(n))
	r := s.newRecord(info, c, n)
	text := encode(r)
	tx.Put(recordsTable+info.Table, store.Key(n), text)
	s.env.Note(tx, service.Note{What: service.Published, Target: info.ARN, MessageID: r.DynamoDB.SequenceNumber, Detail: r.EventName, Body: text})
	tx.AfterCommit(func() { s.wake(info.Table) })
}

func (s *Service) newRecord(info *streamInfo, c *change, n uint64) *streamRecord {
	name := "MODIFY"
	switch {
	case c.old == nil:
		name = "INSERT"
	case c.new == nil:
		name = "REMOVE"
	}
	digest := md5.Sum([]byte(info.ARN + sequenceNumber(n))) //nolint:gosec // as above
	r := &streamRecord{
		EventID: hex.EncodeToString(digest[:]), EventName: name, EventVersion: "1.1", EventSource: "aws:dynamodb", AWSRegion: s.env.Region,
		DynamoDB: recordBody{
			Created: float64(s.env.Now().Unix()), Keys: c.key, SequenceNumber: sequenceNumber(n), StreamViewType: info.ViewType,
		},
	}
	if strings.Contains(info.ViewType, "NEW") {
		r.DynamoDB.NewImage = c.new
	}
	if strings.Contains(info.ViewType, "OLD") {
		r.DynamoDB.OldImage = c.old
	}
	r.DynamoDB.SizeBytes = size(r.DynamoDB.Keys) + size(r.DynamoDB.NewImage) + size(r.DynamoDB.OldImage)
	if c.expired {
		r.UserIdentity = &userIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
	}
	return r
}

// wake wakes those that wait for a record of a table.
func (s *Service) wake(table string) {
	s.tablesMu.Lock()
	defer s.tablesMu.Unlock()
	if c := s.fresh[table]; c != nil {
		close(c)
		delete(s.fresh, table)
	}
}

// waiter is closed with the next record of a table.
func (s *Service) waiter(table string) <-chan struct{} {
	s.tablesMu.Lock()
	defer s.tablesMu.Unlock()
	if s.fresh[table] == nil {
		s.fresh[table] = make(chan struct{})
	}
	return s.fresh[table]
}

// trimStreams removes the records that are too old.
func (s *Service) trimStreams() {
	const most = 10_000 // in one transaction
	oldest := float64(s.env.Now().Add(-retention).Unix())
	err := s.env.Store.Update(func(tx *store.Tx) error {
		for _, name := range tx.Tables(recordsTable) {
			var old [][]byte
			err := tx.Scan(name, nil, func(key, value []byte) error {
				var r streamRecord
				if err := json.Unmarshal(value, &r); err != nil {
					return err
				}
				if r.DynamoDB.Created >= oldest || len(old) == most {
					return store.Stop
				}
				old = append(old, append([]byte(nil), key...))
				return nil
			})
			if err != nil {
				return err
			}
			for _, key := range old {
				tx.Delete(name, key)
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrClosed) {
		s.env.Logf("cannot remove old records of DynamoDB streams: %v", err)
	}
}

// read reads records after a number.
func (s *Service) read(table string, after uint64, limit int) (records []*streamRecord, err error) {
	err = s.env.Store.View(func(tx *store.Tx) error {
		return tx.ScanFrom(recordsTable+table, store.Key(after+1), nil, func(_, value []byte) error {
			if len(records) == limit {
				return store.Stop
			}
			r := &streamRecord{}
			records = append(records, r)
			return json.Unmarshal(value, r)
		})
	})
	return records, err
}

// newest is the number of a table's latest record.
func (s *Service) newest(table string) (n uint64, err error) {
	err = s.env.Store.View(func(tx *store.Tx) error {
		if b := tx.Get(countersTable, []byte(table)); len(b) == 8 {
			n = binary.BigEndian.Uint64(b)
		}
		return nil
	})
	return n, err
}

// streamOf is the stream with an ARN.
func (s *Service) streamOf(arn string) (*streamInfo, error) {
	table, _, _ := strings.Cut(tableName(arn), "/stream/")
	info, err := s.streamInfo(table)
	if err != nil {
		return nil, err
	}
	if info == nil || info.ARN != arn {
		return nil, service.Errorf("ResourceNotFoundException", "Requested resource not found: Stream: %s not found", arn)
	}
	return info, nil
}

// shardID is that of a stream's only shard.
func (i *streamInfo) shardID() string {
	return fmt.Sprintf("shardId-%020d-%08x", int64(i.Created*1000), 1)
}

// Record is a record as a function gets it.
type Record struct {
	SequenceNumber string
	// Key is the key of the item, as JSON.
	Key string
	// At is when the item changed.
	At time.Time
	// Event is the record as a function's event has it, a JSON object.
	Event []byte
}

// Shards are the ids of the shards of the stream with an ARN: one. It waits for
// tables that are being made.
func (s *Service) Shards(ctx context.Context, arn string) ([]string, error) {
	if _, err := s.process(ctx); err != nil {
		return nil, err
	}
	info, err := s.streamOf(arn)
	if err != nil {
		return nil, err
	}
	return []string{info.shardID()}, nil
}

// Newest is the sequence number of the stream's newest record, "" where it has
// never had one.
func (s *Service) Newest(_ context.Context, arn, _ string) (string, error) {
	info, err := s.streamOf(arn)
	if err != nil {
		return "", err
	}
	n, err := s.newest(info.Table)
	if n == 0 {
		return "", err
	}
	return sequenceNumber(n), err
}

// Read returns at most limit records after a sequence number, from the oldest
// kept where that is "". It waits for the first for as long as wait, and returns
// none where none came.
func (s *Service) Read(ctx context.Context, arn, _, after string, limit int, wait time.Duration) ([]Record, error) {
	info, err := s.streamOf(arn)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		fresh := s.waiter(info.Table) // before the look: what comes after it closes this
		records, err := s.read(info.Table, numberOf(after), limit)
		if err != nil || len(records) > 0 {
			return events(arn, records), err
		}
		select {
		case <-fresh:
		case <-timer.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// events are records as a function's event has them.
func events(arn string, records []*streamRecord) []Record {
	all := make([]Record, len(records))
	for i, r := range records {
		r.SourceARN = arn
		all[i] = Record{
			SequenceNumber: r.DynamoDB.SequenceNumber, Key: string(encode(r.DynamoDB.Keys)),
			At: time.Unix(int64(r.DynamoDB.Created), 0), Event: encode(r),
		}
	}
	return all
}
