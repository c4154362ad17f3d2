package firehose

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/internal/lazyregexp"
)

// operations are the requests that are answered, by their names.
var operations = map[string]func(s *Service, payload []byte) (any, error){
	"PutRecord":                 service.Operation((*Service).putRecord),
	"PutRecordBatch":            service.Operation((*Service).putRecordBatch),
	"DescribeDeliveryStream":    service.Operation((*Service).describe),
	"ListDeliveryStreams":       service.Operation((*Service).list),
	"CreateDeliveryStream":      service.Operation((*Service).create),
	"DeleteDeliveryStream":      service.Operation((*Service).delete),
	"ListTagsForDeliveryStream": service.Operation((*Service).noTags),
}

// The quotas of PutRecordBatch:
// https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
const (
	maxRecord  = 1000 * 1024
	maxRecords = 500
	maxRequest = 4 << 20
)

// blob is a record in a request.
type blob struct{ Data []byte }

func (s *Service) putRecord(in *struct {
	DeliveryStreamName string
	Record             blob
},
) (any, error) {
	ids, err := s.put(in.DeliveryStreamName, []blob{in.Record})
	if err != nil {
		return nil, err
	}
	return map[string]any{"RecordId": ids[0], "Encrypted": false}, nil
}

func (s *Service) putRecordBatch(in *struct {
	DeliveryStreamName string
	Records            []blob
},
) (any, error) {
	if len(in.Records) == 0 || len(in.Records) > maxRecords {
		return nil, service.Errorf("ValidationException", "1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length between 1 and %d", maxRecords)
	}
	ids, err := s.put(in.DeliveryStreamName, in.Records)
	if err != nil {
		return nil, err
	}
	responses := make([]map[string]string, len(ids))
	for i, id := range ids {
		responses[i] = map[string]string{"RecordId": id}
	}
	return map[string]any{"FailedPutCount": 0, "Encrypted": false, "RequestResponses": responses}, nil
}

func (s *Service) put(name string, records []blob) (ids []string, err error) {
	st, err := s.stream(name)
	if err != nil {
		return nil, err
	}
	size := 0
	data := make([][]byte, len(records))
	for i, r := range records {
		if len(r.Data) > maxRecord {
			return nil, service.Errorf("ValidationException", "1 validation error detected: Value at 'record.data' failed to satisfy constraint: Member must have length less than or equal to %d", maxRecord)
		}
		size += len(r.Data)
		data[i] = r.Data
	}
	if size > maxRequest {
		return nil, service.Errorf("InvalidArgumentException", "Records size exceeds 4 MB limit")
	}
	err = s.env.Store.Update(func(tx *store.Tx) error {
		ids = st.put(tx, "", data)
		return nil
	})
	return ids, err
}

func (s *Service) describe(in *struct{ DeliveryStreamName string }) (any, error) {
	st, err := s.stream(in.DeliveryStreamName)
	if err != nil {
		return nil, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	destination := map[string]any{"DestinationId": "destinationId-000000000001"}
	for from, to := range map[string]string{
		"S3DestinationConfiguration": "S3DestinationDescription", "ExtendedS3DestinationConfiguration": "ExtendedS3DestinationDescription",
		"AmazonopensearchserviceDestinationConfiguration": "AmazonopensearchserviceDestinationDescription",
		"ElasticsearchDestinationConfiguration":           "ElasticsearchDestinationDescription",
	} {
		if d := st.made.Properties.child(from); d != nil {
			described := maps.Clone(d)
			delete(described, "S3BackupConfiguration")
			destination[to] = described
		}
	}
	return map[string]any{"DeliveryStreamDescription": map[string]any{
		"DeliveryStreamName": st.name, "DeliveryStreamARN": st.arn, "DeliveryStreamStatus": "ACTIVE", "DeliveryStreamType": st.made.Type,
		"VersionId": "1", "CreateTimestamp": st.made.Created.Unix(), "HasMoreDestinations": false, "Destinations": []any{destination},
	}}, nil
}

func (s *Service) list(in *struct {
	Limit                            int
	ExclusiveStartDeliveryStreamName string
},
) (any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := []string{}
	more := false
	for _, name := range slices.Sorted(maps.Keys(s.streams)) {
		if name <= in.ExclusiveStartDeliveryStreamName {
			continue
		}
		if in.Limit > 0 && len(names) == in.Limit {
			more = true
			break
		}
		names = append(names, name)
	}
	return map[string]any{"DeliveryStreamNames": names, "HasMoreDeliveryStreams": more}, nil
}

// validName is what delivery streams are called.
var validName = lazyregexp.New(`^[a-zA-Z0-9_.-]{1,64}$`)

func (s *Service) create(in *node) (any, error) {
	name := in.text("DeliveryStreamName")
	if !validName.MatchString(name) {
		return nil, service.Errorf("ValidationException", "1 validation error detected: Value '%s' at 'deliveryStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+", name)
	}
	if _, err := s.stream(name); err == nil {
		return nil, service.Errorf("ResourceInUseException", "Firehose %s under accountId %s already exists", name, s.env.AccountID)
	}
	if _, err := readConfig(*in); err != nil {
		return nil, service.Errorf("InvalidArgumentException", "the delivery stream cannot be made: %v", err)
	}
	m := &made{Type: in.text("DeliveryStreamType"), Created: s.env.Now(), Properties: *in}
	if m.Type == "" {
		m.Type = "DirectPut"
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	err = s.env.Store.Update(func(tx *store.Tx) error {
		tx.Put(streamTable, []byte(name), text)
		return nil
	})
	if err == nil {
		err = s.Swap(s.application())
	}
	return map[string]string{"DeliveryStreamARN": "arn:aws:firehose:" + s.env.Region + ":" + s.env.AccountID + ":deliverystream/" + name}, err
}

func (s *Service) delete(in *struct{ DeliveryStreamName string }) (any, error) {
	st, err := s.stream(in.DeliveryStreamName)
	if err != nil {
		return nil, err
	}
	err = s.env.Store.Update(func(tx *store.Tx) error {
		if tx.Get(streamTable, []byte(st.name)) == nil {
			return service.Errorf("InvalidArgumentException", "the delivery stream %s is the application's, and cannot be deleted locally", st.name)
		}
		tx.Delete(streamTable, []byte(st.name))
		tx.Drop(st.table)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return nil, s.Swap(s.application())
}

func (s *Service) noTags(*struct{}) (any, error) {
	return map[string]any{"Tags": []any{}, "HasMoreTags": false}, nil
}
