package dynamodb

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// maxRecords is the most records that GetRecords gives.
const maxRecords = 1000

// streamsRequest is what the operations of DynamoDB Streams take.
type streamsRequest struct {
	StreamArn         string
	TableName         string
	ShardId           string //nolint:revive // AWS's name
	ShardIteratorType string
	SequenceNumber    string
	ShardIterator     string
	Limit             int
}

// serveStreams answers a request of DynamoDB Streams. See the Amazon DynamoDB
// Streams section of the Amazon DynamoDB API Reference.
func (s *Service) serveStreams(w http.ResponseWriter, r *service.Request) {
	var q streamsRequest
	if err := json.Unmarshal(r.Payload, &q); err != nil {
		service.FailJSON(w, r, jsonVersion, errorPrefix, service.Errorf("SerializationException", "the request cannot be read: %v", err))
		return
	}
	if _, err := s.process(r.Context()); err != nil { // the application's streams come with it
		service.FailJSON(w, r, jsonVersion, errorPrefix, &service.Error{Code: "InternalServerError", Message: err.Error(), Status: http.StatusInternalServerError})
		return
	}
	var result any
	var err error
	switch r.Operation {
	case "ListStreams":
		result, err = s.listStreams(&q)
	case "DescribeStream":
		result, err = s.describeStream(r, &q)
	case "GetShardIterator":
		result, err = s.shardIterator(&q)
	case "GetRecords":
		result, err = s.getRecords(&q)
	default:
		err = service.Errorf("UnknownOperationException", "DynamoDB Streams has no operation %q", r.Operation)
	}
	if err != nil {
		service.FailJSON(w, r, jsonVersion, errorPrefix, err)
		return
	}
	service.AnswerJSON(w, r, jsonVersion, result)
}

func (s *Service) listStreams(q *streamsRequest) (any, error) {
	streams := []map[string]string{}
	err := s.env.Store.View(func(tx *store.Tx) error {
		return tx.Scan(streamsTable, nil, func(_, value []byte) error {
			var info streamInfo
			if err := json.Unmarshal(value, &info); err != nil {
				return err
			}
			if q.TableName == "" || info.Table == tableName(q.TableName) {
				streams = append(streams, map[string]string{"StreamArn": info.ARN, "StreamLabel": info.Label, "TableName": info.Table})
			}
			return nil
		})
	})
	return map[string]any{"Streams": streams}, err
}

func (s *Service) describeStream(r *service.Request, q *streamsRequest) (any, error) {
	info, err := s.streamOf(q.StreamArn)
	if err != nil {
		return nil, err
	}
	p, err := s.process(r.Context())
	if err != nil {
		return nil, err
	}
	t, err := s.table(r.Context(), p, info.Table)
	if err != nil {
		return nil, err
	}
	status := "DISABLED"
	if info.Enabled {
		status = "ENABLED"
	}
	description := map[string]any{
		"StreamArn": info.ARN, "StreamLabel": info.Label, "StreamStatus": status, "StreamViewType": info.ViewType,
		"CreationRequestDateTime": info.Created, "TableName": info.Table,
		"Shards": []any{map[string]any{
			"ShardId": info.shardID(), "SequenceNumberRange": map[string]string{"StartingSequenceNumber": sequenceNumber(1)},
		}},
	}
	if t != nil {
		description["KeySchema"] = t.schema
	}
	return map[string]any{"StreamDescription": description}, nil
}

// iterator is a place in a shard: what is after a number.
type iterator struct {
	ARN   string `json:"a"`
	After uint64 `json:"n"`
}

func (i iterator) String() string {
	return i.ARN + "|1|" + base64.RawURLEncoding.EncodeToString(encode(i))
}

func parseIterator(text string) (i iterator, ok bool) {
	at := strings.LastIndexByte(text, '|')
	data, err := base64.RawURLEncoding.DecodeString(text[at+1:])
	if at < 0 || err != nil {
		return i, false
	}
	return i, json.Unmarshal(data, &i) == nil && i.ARN != ""
}

func (s *Service) shardIterator(q *streamsRequest) (any, error) {
	info, err := s.streamOf(q.StreamArn)
	if err != nil {
		return nil, err
	}
	if q.ShardId != info.shardID() {
		return nil, service.Errorf("ResourceNotFoundException", "Requested resource not found: Shard does not exist")
	}
	i := iterator{ARN: info.ARN}
	switch q.ShardIteratorType {
	case "TRIM_HORIZON":
	case "LATEST":
		if i.After, err = s.newest(info.Table); err != nil {
			return nil, err
		}
	case "AT_SEQUENCE_NUMBER":
		i.After = max(numberOf(q.SequenceNumber), 1) - 1
	case "AFTER_SEQUENCE_NUMBER":
		i.After = numberOf(q.SequenceNumber)
	default:
		return nil, service.Errorf("ValidationException", "1 validation error detected: Value '%s' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON]", q.ShardIteratorType)
	}
	return map[string]string{"ShardIterator": i.String()}, nil
}

func (s *Service) getRecords(q *streamsRequest) (any, error) {
	i, ok := parseIterator(q.ShardIterator)
	if !ok {
		return nil, service.Errorf("ValidationException", "Invalid ShardIterator")
	}
	info, err := s.streamOf(i.ARN)
	if err != nil {
		return nil, err
	}
	limit := maxRecords
	if q.Limit > 0 {
		limit = min(limit, q.Limit)
	}
	records, err := s.read(info.Table, i.After, limit)
	if err != nil {
		return nil, err
	}
	if len(records) > 0 {
		i.After = numberOf(records[len(records)-1].DynamoDB.SequenceNumber)
	} else {
		records = []*streamRecord{}
	}
	return map[string]any{"Records": records, "NextShardIterator": i.String()}, nil
}
