package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// table is what has to be known of a table to write to it.
type table struct {
	name string
	// keys are the names of the key's attributes: one or two.
	keys   []string
	schema json.RawMessage
	info   atomic.Pointer[streamInfo]
}

// stream is the table's stream, nil where it has none or it is disabled.
func (t *table) stream() *streamInfo {
	if info := t.info.Load(); info != nil && info.Enabled {
		return info
	}
	return nil
}

// keyOf is the key of the item that a request is about.
func (t *table) keyOf(r writeRequest) (key item, ok bool) {
	from := r.Key
	if from == nil {
		from = r.Item
	}
	key = item{}
	for _, name := range t.keys {
		if key[name], ok = from[name]; !ok {
			return nil, false
		}
	}
	return key, true
}

// lockName names an item: encoding/json sorts the attributes.
func (t *table) lockName(key item) string { return t.name + "\x00" + string(encode(key)) }

// table looks a table up, nil where there is none.
func (s *Service) table(ctx context.Context, p *process, name string) (*table, error) {
	s.tablesMu.Lock()
	t := s.tables[name]
	s.tablesMu.Unlock()
	if t != nil {
		return t, nil
	}
	d, err := describe(ctx, p, name)
	if err != nil || d == nil {
		return nil, err
	}
	t = &table{name: name, schema: encode(d.KeySchema)}
	for _, k := range d.KeySchema {
		t.keys = append(t.keys, k.AttributeName)
	}
	info, err := s.streamInfo(name)
	if err != nil {
		return nil, err
	}
	t.info.Store(info)
	s.tablesMu.Lock()
	defer s.tablesMu.Unlock()
	if known := s.tables[name]; known != nil {
		return known, nil
	}
	s.tables[name] = t
	return t, nil
}

// forget forgets what is known of tables: of one, or of all.
func (s *Service) forget(names ...string) {
	s.tablesMu.Lock()
	defer s.tablesMu.Unlock()
	if len(names) == 0 {
		clear(s.tables)
	}
	for _, name := range names {
		delete(s.tables, name)
	}
}

// definition is a table as CreateTable takes it and DescribeTable tells it.
type definition struct {
	TableName              string
	AttributeDefinitions   []attributeDefinition
	KeySchema              []keyElement
	GlobalSecondaryIndexes []index `json:",omitempty"`
	LocalSecondaryIndexes  []index `json:",omitempty"`
	BillingMode            string  `json:",omitempty"`
	TableStatus            string  `json:",omitempty"`
}

type attributeDefinition struct{ AttributeName, AttributeType string }

type keyElement struct{ AttributeName, KeyType string }

type index struct {
	IndexName  string
	KeySchema  []keyElement
	Projection projection
}

type projection struct {
	ProjectionType   string
	NonKeyAttributes []string `json:",omitempty"`
}

// describe is a table's definition, nil where there is none.
func describe(ctx context.Context, p *process, name string) (*definition, error) {
	a, err := p.call(ctx, "DescribeTable", encode(map[string]string{"TableName": name}))
	if err != nil {
		return nil, err
	}
	if a.isCode("ResourceNotFoundException") || a.isCode("ValidationException") {
		return nil, nil
	}
	if err := a.failure(); err != nil {
		return nil, err
	}
	var d struct{ Table definition }
	return &d.Table, json.Unmarshal(a.body, &d)
}

// template is what a table of the application has beside its definition.
type template struct {
	definition
	StreamSpecification     *struct{ StreamViewType string }
	TimeToLiveSpecification *struct {
		AttributeName string
		Enabled       any
	}
}

// templateOf reads the properties of AWS::DynamoDB::Table and GlobalTable:
// what both have in common is what CreateTable takes.
func templateOf(t *model.Table) (*template, error) {
	var d template
	text, err := json.Marshal(t.Properties)
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		return nil, fmt.Errorf("the table %s cannot be made: %w", t.Path, err)
	}
	d.TableName, d.BillingMode = t.TableName, "PAY_PER_REQUEST"
	return &d, nil
}

// define makes the tables of the application. One that cannot be made is
// reported, and no reason to have none.
func (s *Service) define(p *process, app *model.Application) error {
	for _, t := range app.Tables {
		if err := s.defineTable(p, t); err != nil {
			if s.ctx.Err() != nil || p.ended() {
				return err
			}
			s.env.Logf("%s: %v", t.Path, err)
		}
	}
	return nil
}

func (s *Service) defineTable(p *process, t *model.Table) error {
	wanted, err := templateOf(t)
	if err != nil {
		return err
	}
	found, err := describe(s.ctx, p, t.TableName)
	if err != nil {
		return err
	}
	if err := s.shape(p, found, &wanted.definition); err != nil {
		return err
	}
	s.forget(t.TableName)
	if err := s.defineStream(t, wanted); err != nil {
		return err
	}
	attribute := ""
	if ttl := wanted.TimeToLiveSpecification; ttl != nil && fmt.Sprint(ttl.Enabled) != "false" {
		attribute = ttl.AttributeName
	}
	return s.setTTL(t.TableName, attribute)
}

// shape makes a table that is not there, and makes one anew that is there with
// other indexes or another key.
func (s *Service) shape(p *process, found, wanted *definition) error {
	switch {
	case found == nil:
		if err := create(s.ctx, p, wanted); err != nil {
			return err
		}
	case !sameKey(found, wanted):
		file, err := s.export(p, wanted.TableName, "replaced-"+time.Now().UTC().Format("20060102T150405.000"))
		if err != nil {
			return err
		}
		s.env.Logf("the table %s has another key than before and begins empty, as in a deployment; its items are in %s", wanted.TableName, file)
		return s.replace(p, wanted)
	case !sameIndexes(found, wanted):
		if _, err := s.export(p, wanted.TableName, importSuffix); err != nil {
			return err
		}
		if err := s.replace(p, wanted); err != nil {
			return err
		}
	}
	return s.imports(p, wanted.TableName)
}

func (s *Service) replace(p *process, wanted *definition) error {
	s.transaction.Lock()
	defer s.transaction.Unlock()
	a, err := p.call(s.ctx, "DeleteTable", encode(map[string]string{"TableName": wanted.TableName}))
	if err == nil {
		err = a.failure()
	}
	if err != nil {
		return err
	}
	return create(s.ctx, p, wanted)
}

// create makes a table and waits until it can be used.
func create(ctx context.Context, p *process, wanted *definition) error {
	for range 200 {
		a, err := p.call(ctx, "CreateTable", encode(wanted))
		if err != nil {
			return err
		}
		if !a.isCode("ResourceInUseException") { // it is still being deleted
			if err := a.failure(); err != nil {
				return err
			}
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	for range 200 {
		d, err := describe(ctx, p, wanted.TableName)
		if err != nil || d != nil && d.TableStatus == "ACTIVE" {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("the table did not become active")
}

// sameKey compares the keys of tables and of their local indexes, with their
// types: what cannot be changed.
func sameKey(a, b *definition) bool {
	if !reflect.DeepEqual(a.KeySchema, b.KeySchema) || !reflect.DeepEqual(sorted(a.LocalSecondaryIndexes), sorted(b.LocalSecondaryIndexes)) {
		return false
	}
	return slices.EqualFunc(a.KeySchema, b.KeySchema, func(x, _ keyElement) bool {
		return typeOf(a, x.AttributeName) == typeOf(b, x.AttributeName)
	})
}

func sameIndexes(a, b *definition) bool {
	for _, i := range b.GlobalSecondaryIndexes {
		for _, k := range i.KeySchema {
			if typeOf(a, k.AttributeName) != typeOf(b, k.AttributeName) {
				return false
			}
		}
	}
	return reflect.DeepEqual(sorted(a.GlobalSecondaryIndexes), sorted(b.GlobalSecondaryIndexes))
}

func typeOf(d *definition, attribute string) string {
	for _, a := range d.AttributeDefinitions {
		if a.AttributeName == attribute {
			return a.AttributeType
		}
	}
	return ""
}

// sorted are indexes in the order of their names.
func sorted(indexes []index) []index {
	all := make([]index, 0, len(indexes))
	for _, i := range indexes {
		i.Projection.NonKeyAttributes = slices.Sorted(slices.Values(i.Projection.NonKeyAttributes))
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b index) int { return strings.Compare(a.IndexName, b.IndexName) })
	return all
}

// tableRequest is what matters here of the operations on tables.
type tableRequest struct {
	TableName           string
	StreamSpecification *struct {
		StreamEnabled  bool
		StreamViewType string
	}
	GlobalSecondaryIndexUpdates []struct {
		Create *index
		Delete *struct{ IndexName string }
	}
	AttributeDefinitions []attributeDefinition
}

// tableOperation does an operation on a table as a whole.
func (s *Service) tableOperation(ctx context.Context, p *process, operation string, body []byte) (*answer, error) {
	var r tableRequest
	if json.Unmarshal(body, &r) != nil {
		return p.call(ctx, operation, body) // it says what is wrong
	}
	if operation == "DescribeTable" {
		s.transaction.RLock()
		defer s.transaction.RUnlock()
		a, err := p.call(ctx, operation, body)
		return s.withStream(a, err, r.TableName)
	}
	if operation == "UpdateTable" {
		return s.updateTable(ctx, p, &r, body)
	}
	s.transaction.Lock()
	defer s.transaction.Unlock()
	defer s.forget(r.TableName)
	a, err := p.call(ctx, operation, body)
	if err != nil || a.status != http.StatusOK {
		return a, err
	}
	if operation == "DeleteTable" {
		a, err = s.withStream(a, nil, r.TableName)
		return a, errors.Join(err, s.dropStream(r.TableName), s.setTTL(r.TableName, ""))
	}
	if spec := r.StreamSpecification; spec != nil && spec.StreamEnabled {
		if err := s.enableStream(r.TableName, "", spec.StreamViewType); err != nil {
			return nil, err
		}
	}
	return s.withStream(a, nil, r.TableName)
}

// updateTable does what dynalite cannot: streams and indexes. The rest of an
// UpdateTable is a matter of throughput.
func (s *Service) updateTable(ctx context.Context, p *process, r *tableRequest, body []byte) (*answer, error) {
	defer s.forget(r.TableName)
	d, err := describe(ctx, p, r.TableName)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return p.call(ctx, "UpdateTable", body)
	}
	switch {
	case r.StreamSpecification != nil && r.StreamSpecification.StreamEnabled:
		err = s.enableStream(r.TableName, "", r.StreamSpecification.StreamViewType)
	case r.StreamSpecification != nil:
		err = s.disableStream(r.TableName)
	case len(r.GlobalSecondaryIndexUpdates) > 0:
		err = s.updateIndexes(p, d, r)
	default:
		s.transaction.RLock()
		defer s.transaction.RUnlock()
		a, err := p.call(ctx, "UpdateTable", body)
		return s.withStream(a, err, r.TableName)
	}
	if err != nil {
		return nil, err
	}
	a, err := p.call(ctx, "DescribeTable", encode(map[string]string{"TableName": r.TableName}))
	if a, err = s.withStream(a, err, r.TableName); err == nil && a.status == http.StatusOK {
		a.body = []byte(strings.Replace(string(a.body), `"Table":`, `"TableDescription":`, 1))
	}
	return a, err
}

func (s *Service) updateIndexes(p *process, found *definition, r *tableRequest) error {
	wanted := *found
	wanted.TableStatus, wanted.BillingMode = "", "PAY_PER_REQUEST"
	wanted.GlobalSecondaryIndexes = slices.Clone(found.GlobalSecondaryIndexes)
	for _, update := range r.GlobalSecondaryIndexUpdates {
		if update.Create != nil {
			wanted.GlobalSecondaryIndexes = append(wanted.GlobalSecondaryIndexes, *update.Create)
		}
		if update.Delete != nil {
			wanted.GlobalSecondaryIndexes = slices.DeleteFunc(wanted.GlobalSecondaryIndexes, func(i index) bool { return i.IndexName == update.Delete.IndexName })
		}
	}
	for _, a := range r.AttributeDefinitions {
		if typeOf(&wanted, a.AttributeName) == "" {
			wanted.AttributeDefinitions = append(wanted.AttributeDefinitions, a)
		}
	}
	wanted.AttributeDefinitions = used(&wanted)
	return s.shape(p, found, &wanted)
}

// used are the definitions of attributes that a key has: others are refused.
func used(d *definition) []attributeDefinition {
	keys := slices.Clone(d.KeySchema)
	for _, i := range slices.Concat(d.GlobalSecondaryIndexes, d.LocalSecondaryIndexes) {
		keys = append(keys, i.KeySchema...)
	}
	var kept []attributeDefinition
	for _, a := range d.AttributeDefinitions {
		if slices.ContainsFunc(keys, func(k keyElement) bool { return k.AttributeName == a.AttributeName }) {
			kept = append(kept, a)
		}
	}
	return kept
}

// withStream adds a table's stream to its description.
func (s *Service) withStream(a *answer, err error, name string) (*answer, error) {
	if err != nil || a.status != http.StatusOK {
		return a, err
	}
	info, err := s.streamInfo(name)
	if err != nil || info == nil {
		return a, err
	}
	var fields map[string]map[string]json.RawMessage
	if err := json.Unmarshal(a.body, &fields); err != nil {
		return nil, err
	}
	for _, description := range fields {
		description["LatestStreamArn"], description["LatestStreamLabel"] = encode(info.ARN), encode(info.Label)
		if info.Enabled {
			description["StreamSpecification"] = encode(map[string]any{"StreamEnabled": true, "StreamViewType": info.ViewType})
		}
	}
	a.body = encode(fields)
	return a, nil
}

// ttlTable holds the attribute of each table's time to live.
const ttlTable = "dynamodb/ttl"

func (s *Service) setTTL(name, attribute string) error {
	return s.env.Store.Update(func(tx *store.Tx) error {
		if attribute == "" {
			tx.Delete(ttlTable, []byte(name))
		} else {
			tx.Put(ttlTable, []byte(name), []byte(attribute))
		}
		return nil
	})
}

func (s *Service) ttls() (map[string]string, error) {
	all := map[string]string{}
	err := s.env.Store.View(func(tx *store.Tx) error {
		return tx.Scan(ttlTable, nil, func(key, value []byte) error {
			all[string(key)] = string(value)
			return nil
		})
	})
	return all, err
}

// timeToLive does UpdateTimeToLive and DescribeTimeToLive.
func (s *Service) timeToLive(ctx context.Context, p *process, operation string, body []byte) (*answer, error) {
	var r struct {
		TableName               string
		TimeToLiveSpecification *struct {
			AttributeName string
			Enabled       bool
		}
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, service.Errorf("SerializationException", "the request cannot be read: %v", err)
	}
	if t, err := s.table(ctx, p, r.TableName); err != nil {
		return nil, err
	} else if t == nil {
		return nil, service.Errorf("ResourceNotFoundException", "Requested resource not found: Table: %s not found", r.TableName)
	}
	ttls, err := s.ttls()
	if err != nil {
		return nil, err
	}
	attribute := ttls[r.TableName]
	if operation == "DescribeTimeToLive" {
		description := map[string]string{"TimeToLiveStatus": "DISABLED"}
		if attribute != "" {
			description = map[string]string{"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}
		}
		return &answer{status: http.StatusOK, body: encode(map[string]any{"TimeToLiveDescription": description})}, nil
	}
	spec := r.TimeToLiveSpecification
	switch {
	case spec == nil || spec.AttributeName == "":
		return nil, service.Errorf("ValidationException", "1 validation error detected: Value null at 'timeToLiveSpecification.attributeName' failed to satisfy constraint: Member must not be null")
	case spec.Enabled && attribute != "":
		return nil, service.Errorf("ValidationException", "TimeToLive is already enabled")
	case !spec.Enabled && attribute == "":
		return nil, service.Errorf("ValidationException", "TimeToLive is already disabled")
	case spec.Enabled:
		attribute = spec.AttributeName
	default:
		attribute = ""
	}
	if err := s.setTTL(r.TableName, attribute); err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, body: encode(map[string]any{"TimeToLiveSpecification": spec})}, nil
}
