package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// fixture is the service behind HTTP, as the plane has it.
type fixture struct {
	t   *testing.T
	dir string
	app *model.Application
	o   Options
	now func() time.Time

	db *store.Store
	*Service
	server *httptest.Server
	client *sdk.Client
}

const ordersStream = "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders/stream/2026-01-01T00:00:00.000"

func orders(change func(properties map[string]any)) *model.Table {
	properties := map[string]any{
		"AttributeDefinitions": []any{map[string]any{"AttributeName": "id", "AttributeType": "S"}},
		"KeySchema":            []any{map[string]any{"AttributeName": "id", "KeyType": "HASH"}},
		"StreamSpecification":  map[string]any{"StreamViewType": "NEW_AND_OLD_IMAGES"},
	}
	if change != nil {
		change(properties)
	}
	return &model.Table{
		ID: model.ID{Path: "Shop/Orders"}, TableName: "Orders", ARN: "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders",
		StreamARN: ordersStream, Properties: properties,
	}
}

func newFixture(t *testing.T, tables ...*model.Table) *fixture {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("Node.js is not installed: ", err)
	}
	f := &fixture{t: t, dir: t.TempDir(), now: time.Now, app: &model.Application{Region: "eu-west-1", AccountID: "123456789012", Tables: tables}}
	f.open()
	t.Cleanup(f.close)
	return f
}

func (f *fixture) open() {
	f.t.Helper()
	var err error
	if f.db, err = store.Open(filepath.Join(f.dir, "state.db")); err != nil {
		f.t.Fatal(err)
	}
	f.Service, err = New(service.Env{
		App: f.app, Store: f.db, Dir: f.dir, Region: "eu-west-1", AccountID: "123456789012",
		Note: func(*store.Tx, service.Note) {}, Logf: f.t.Logf, Now: func() time.Time { return f.now() },
	}, f.o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.Start()
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		f.Serve(w, &service.Request{Request: r, Payload: body, Operation: operation, Region: "eu-west-1", ID: service.NewID()})
	}))
	f.client = sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: &f.server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), RetryMaxAttempts: 1})
}

func (f *fixture) close() {
	f.server.Close()
	_ = f.Close()
	_ = f.db.Close()
}

// kill kills dynalite as it stands, and the service with it.
func (f *fixture) kill() {
	f.t.Helper()
	p, err := f.process(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
}

func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func number(value string) types.AttributeValue { return &types.AttributeValueMemberN{Value: value} }

type attributes = map[string]types.AttributeValue

func (f *fixture) put(id, value string) {
	f.t.Helper()
	_, err := f.client.PutItem(f.t.Context(), &sdk.PutItemInput{TableName: aws.String("Orders"), Item: attributes{"id": text(id), "value": text(value)}})
	f.check(err)
}

// get is an item's value, "" where there is none.
func (f *fixture) get(id string) string {
	f.t.Helper()
	out, err := f.client.GetItem(f.t.Context(), &sdk.GetItemInput{TableName: aws.String("Orders"), Key: attributes{"id": text(id)}})
	f.check(err)
	if v, ok := out.Item["value"].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	if out.Item != nil {
		return "(none)"
	}
	return ""
}

// events are the records of the stream in short: "INSERT a:->1".
func (f *fixture) events() []string {
	f.t.Helper()
	_, err := f.process(f.t.Context()) // as a request has it come up
	f.check(err)
	records, err := f.read("Orders", 0, 10_000)
	f.check(err)
	var all []string
	for _, r := range records {
		of := func(i item, name string) string {
			v, _ := i[name].(map[string]any)
			s, _ := v["S"].(string)
			return s
		}
		all = append(all, r.EventName+" "+of(r.DynamoDB.Keys, "id")+":"+of(r.DynamoDB.OldImage, "value")+">"+of(r.DynamoDB.NewImage, "value"))
	}
	return all
}

func (f *fixture) wantEvents(want ...string) {
	f.t.Helper()
	if got := f.events(); !slices.Equal(got, want) {
		f.t.Errorf("events %q\nwant   %q", got, want)
	}
}

func TestWritesAreInTheStream(t *testing.T) {
	f := newFixture(t, orders(nil))
	ctx := t.Context()
	f.put("a", "1")
	f.put("a", "2")
	f.put("a", "2") // changes nothing
	_, err := f.client.UpdateItem(ctx, &sdk.UpdateItemInput{
		TableName: aws.String("Orders"), Key: attributes{"id": text("a")}, UpdateExpression: aws.String("SET #v = :v"),
		ExpressionAttributeNames: map[string]string{"#v": "value"}, ExpressionAttributeValues: attributes{":v": text("3")}, ReturnValues: types.ReturnValueAllNew,
	})
	f.check(err)
	_, err = f.client.UpdateItem(ctx, &sdk.UpdateItemInput{TableName: aws.String("Orders"), Key: attributes{"id": text("b")}})
	f.check(err)
	_, err = f.client.DeleteItem(ctx, &sdk.DeleteItemInput{TableName: aws.String("Orders"), Key: attributes{"id": text("a")}})
	f.check(err)
	_, err = f.client.DeleteItem(ctx, &sdk.DeleteItemInput{TableName: aws.String("Orders"), Key: attributes{"id": text("nothing")}})
	f.check(err)
	_, err = f.client.BatchWriteItem(ctx, &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"Orders": {
		{PutRequest: &types.PutRequest{Item: attributes{"id": text("c"), "value": text("1")}}},
		{DeleteRequest: &types.DeleteRequest{Key: attributes{"id": text("b")}}},
	}}})
	f.check(err)
	f.wantEvents("INSERT a:>1", "MODIFY a:1>2", "MODIFY a:2>3", "INSERT b:>", "REMOVE a:3>", "INSERT c:>1", "REMOVE b:>")
}

// TestViewTypes changes the stream of one table, as a developer does.
func TestViewTypes(t *testing.T) {
	f := newFixture(t, orders(nil))
	f.put("a", "0")
	want := []string{"INSERT a:>0"}
	for i, test := range []struct{ viewType, old, new string }{
		{"KEYS_ONLY", "", ""}, {"NEW_IMAGE", "", "1"}, {"OLD_IMAGE", "1", ""}, {"NEW_AND_OLD_IMAGES", "2", "3"},
	} {
		f.check(f.Swap(&model.Application{Tables: []*model.Table{orders(func(p map[string]any) {
			p["StreamSpecification"] = map[string]any{"StreamViewType": test.viewType}
		})}}))
		if test.viewType == "KEYS_ONLY" {
			f.put("a", "0.5")
		} else {
			f.put("a", fmt.Sprint(i))
		}
		want = append(want, "MODIFY a:"+test.old+">"+test.new)
	}
	f.wantEvents(want...)
}

// TestStreamsAPI reads the stream as an SDK does.
func TestStreamsAPI(t *testing.T) {
	f := newFixture(t, orders(nil))
	ctx := t.Context()
	f.put("a", "1")
	f.put("b", "1")
	client := dynamodbstreams.New(dynamodbstreams.Options{Region: "eu-west-1", BaseEndpoint: &f.server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	streams, err := client.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{TableName: aws.String("Orders")})
	f.check(err)
	table, err := f.client.DescribeTable(ctx, &sdk.DescribeTableInput{TableName: aws.String("Orders")})
	f.check(err)
	arn := table.Table.LatestStreamArn
	if len(streams.Streams) != 1 || *streams.Streams[0].StreamArn != *arn || *arn != ordersStream || !*table.Table.StreamSpecification.StreamEnabled ||
		*table.Table.TableArn != "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders" {
		t.Fatalf("%+v %+v", streams.Streams, table.Table)
	}
	stream, err := client.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	f.check(err)
	if d := stream.StreamDescription; len(d.Shards) != 1 || d.StreamViewType != streamtypes.StreamViewTypeNewAndOldImages || *d.KeySchema[0].AttributeName != "id" || d.CreationRequestDateTime.IsZero() {
		t.Fatalf("%+v", d)
	}
	shard := stream.StreamDescription.Shards[0].ShardId
	read := func(kind streamtypes.ShardIteratorType, sequence *string) ([]streamtypes.Record, *string) {
		t.Helper()
		i, err := client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: arn, ShardId: shard, ShardIteratorType: kind, SequenceNumber: sequence})
		f.check(err)
		out, err := client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: i.ShardIterator})
		f.check(err)
		return out.Records, out.NextShardIterator
	}
	all, next := read(streamtypes.ShardIteratorTypeTrimHorizon, nil)
	if len(all) != 2 || all[0].EventName != streamtypes.OperationTypeInsert || *all[0].Dynamodb.SizeBytes != 3+9 || all[0].Dynamodb.ApproximateCreationDateTime.IsZero() {
		t.Fatalf("%+v", all)
	}
	if at, _ := read(streamtypes.ShardIteratorTypeAtSequenceNumber, all[1].Dynamodb.SequenceNumber); len(at) != 1 {
		t.Errorf("at the second: %d records", len(at))
	}
	if after, _ := read(streamtypes.ShardIteratorTypeAfterSequenceNumber, all[1].Dynamodb.SequenceNumber); len(after) != 0 {
		t.Errorf("after the second: %d records", len(after))
	}
	_, latest := read(streamtypes.ShardIteratorTypeLatest, nil)
	f.put("c", "1")
	for name, iterator := range map[string]*string{"next": next, "latest": latest} {
		out, err := client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		f.check(err)
		if len(out.Records) != 1 || out.Records[0].Dynamodb.Keys["id"].(*streamtypes.AttributeValueMemberS).Value != "c" {
			t.Errorf("%s: %+v", name, out.Records)
		}
	}
	var notFound *streamtypes.ResourceNotFoundException
	if _, err := client.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(*arn + "x1234567890123456789012345678901234567")}); !errors.As(err, &notFound) {
		t.Error(err)
	}
}

// TestTransactions: all or nothing, with the reasons.
func TestTransactions(t *testing.T) {
	f := newFixture(t, orders(nil))
	ctx := t.Context()
	f.put("a", "1")
	orders := aws.String("Orders")
	put := func(id, value, condition string) types.TransactWriteItem {
		p := &types.Put{TableName: orders, Item: attributes{"id": text(id), "value": text(value)}}
		if condition != "" {
			p.ConditionExpression, p.ReturnValuesOnConditionCheckFailure = &condition, types.ReturnValuesOnConditionCheckFailureAllOld
		}
		return types.TransactWriteItem{Put: p}
	}
	check := func(id, condition string) types.TransactWriteItem {
		return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: orders, Key: attributes{"id": text(id)}, ConditionExpression: &condition}}
	}
	_, err := f.client.TransactWriteItems(ctx, &sdk.TransactWriteItemsInput{ClientRequestToken: aws.String("one"), TransactItems: []types.TransactWriteItem{
		put("b", "1", "attribute_not_exists(id)"), check("a", "attribute_exists(id)"), check("z", "attribute_not_exists(id)"),
		{Update: &types.Update{TableName: orders, Key: attributes{"id": text("c")}, UpdateExpression: aws.String("SET n = :n"), ExpressionAttributeValues: attributes{":n": number("1")}}},
	}})
	f.check(err)
	if f.get("b") != "1" || f.get("c") != "(none)" || f.get("z") != "" {
		t.Errorf("b %q c %q z %q", f.get("b"), f.get("c"), f.get("z"))
	}

	_, err = f.client.TransactWriteItems(ctx, &sdk.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		put("d", "1", ""), put("a", "2", "attribute_not_exists(id)"), check("b", "attribute_not_exists(id)"),
		{Delete: &types.Delete{TableName: orders, Key: attributes{"id": text("c")}}},
	}})
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		t.Fatal(err)
	}
	var codes []string
	for _, r := range cancelled.CancellationReasons {
		codes = append(codes, *r.Code)
	}
	if !slices.Equal(codes, []string{"None", "ConditionalCheckFailed", "ConditionalCheckFailed", "None"}) || cancelled.CancellationReasons[1].Item == nil || cancelled.CancellationReasons[2].Item != nil {
		t.Errorf("%v", codes)
	}
	if f.get("d") != "" || f.get("a") != "1" || f.get("c") != "(none)" {
		t.Errorf("it left something: d %q a %q c %q", f.get("d"), f.get("a"), f.get("c"))
	}
	f.wantEvents("INSERT a:>1", "INSERT b:>1", "INSERT c:>")

	// the same token does nothing again, or is refused
	again := &sdk.TransactWriteItemsInput{ClientRequestToken: aws.String("two"), TransactItems: []types.TransactWriteItem{put("e", "1", "attribute_not_exists(id)")}}
	for range 10 { // the SDK writes the attributes in another order each time
		_, err = f.client.TransactWriteItems(ctx, again)
		f.check(err)
	}
	again.TransactItems = []types.TransactWriteItem{put("f", "1", "")}
	var mismatch *types.IdempotentParameterMismatchException
	if _, err = f.client.TransactWriteItems(ctx, again); !errors.As(err, &mismatch) {
		t.Error(err)
	}
	if _, err = f.client.TransactWriteItems(ctx, &sdk.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{put("g", "1", ""), put("g", "2", "")}}); err == nil || !strings.Contains(err.Error(), "multiple operations on one item") {
		t.Error(err)
	}

	got, err := f.client.TransactGetItems(ctx, &sdk.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: orders, Key: attributes{"id": text("b")}}}, {Get: &types.Get{TableName: orders, Key: attributes{"id": text("nothing")}}},
	}})
	f.check(err)
	if len(got.Responses) != 2 || got.Responses[0].Item == nil || got.Responses[1].Item != nil {
		t.Errorf("%+v", got.Responses)
	}
}

func TestReturnValuesOnConditionCheckFailure(t *testing.T) {
	f := newFixture(t, orders(func(p map[string]any) { delete(p, "StreamSpecification") }))
	f.put("a", "1")
	_, err := f.client.PutItem(t.Context(), &sdk.PutItemInput{
		TableName: aws.String("arn:aws:dynamodb:eu-west-1:123456789012:table/Orders"), Item: attributes{"id": text("a")}, ConditionExpression: aws.String("attribute_not_exists(id)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) || !reflect.DeepEqual(failed.Item["value"], text("1")) {
		t.Errorf("%v %+v", err, failed)
	}
}

// TestManyWriters: concurrent writers of one item make one chain of images.
func TestManyWriters(t *testing.T) {
	f := newFixture(t, orders(nil))
	var writers sync.WaitGroup
	for w := range 5 {
		writers.Go(func() {
			for i := range 8 {
				f.put("a", fmt.Sprintf("%d-%d", w, i))
			}
		})
	}
	writers.Wait()
	events := f.events()
	if len(events) != 40 {
		t.Fatalf("%d events: want 40", len(events))
	}
	last := ""
	for _, e := range events {
		_, images, _ := strings.Cut(e, ":")
		before, after, _ := strings.Cut(images, ">")
		if before != last {
			t.Fatalf("%q does not follow %q", e, last)
		}
		last = after
	}
}

// TestDeathInAWrite: a write that reached the table and not the stream is in
// the stream after the next start; a transaction is undone.
func TestDeathInAWrite(t *testing.T) {
	f := newFixture(t, orders(nil))
	f.put("a", "1")
	f.put("b", "1")
	p, err := f.process(t.Context())
	f.check(err)
	table, err := f.table(t.Context(), p, "Orders")
	f.check(err)
	key := func(id string) item { return item{"id": map[string]any{"S": id}} }
	write := &change{table: table, key: key("a")}
	f.check(f.before(t.Context(), p, false, write))
	undone := []*change{{table: table, key: key("b")}, {table: table, key: key("c")}}
	f.check(f.before(t.Context(), p, true, undone...))
	for _, id := range []string{"a", "b", "c"} {
		_, err := p.call(t.Context(), "PutItem", encode(map[string]any{"TableName": "Orders", "Item": item{"id": map[string]any{"S": id}, "value": map[string]any{"S": "2"}}}))
		f.check(err)
	}
	f.kill()
	if got := f.get("a") + f.get("b") + f.get("c"); got != "21" {
		t.Errorf("a, b and c are %q: want 2, 1 and nothing", got)
	}
	f.wantEvents("INSERT a:>1", "INSERT b:>1", "MODIFY a:1>2")
}

// TestDeaths kills dynalite under load: every write that was acknowledged is in
// the table, and the chain of images in the stream has no gap.
func TestDeaths(t *testing.T) {
	f := newFixture(t, orders(nil))
	ctx, stop := context.WithCancel(t.Context())
	acknowledged := make([]int, 4)
	var count atomic.Int64
	var writers sync.WaitGroup
	for w := range acknowledged {
		writers.Go(func() {
			for i := 1; ctx.Err() == nil; i++ {
				_, err := f.client.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("Orders"), Item: attributes{"id": text(fmt.Sprint(w)), "value": text(fmt.Sprint(i))}})
				if err == nil {
					acknowledged[w] = i
					count.Add(1)
				}
			}
		})
	}
	for range 3 {
		for before := count.Load(); count.Load() < before+20; {
			time.Sleep(time.Millisecond)
		}
		f.kill()
	}
	stop()
	writers.Wait()
	last := map[string]string{}
	for _, e := range f.events() {
		name, images, _ := strings.Cut(e, ":")
		id := name[len(name)-1:]
		before, after, _ := strings.Cut(images, ">")
		if before != last[id] {
			t.Fatalf("%q follows %q", e, last[id])
		}
		last[id] = after
	}
	for w, i := range acknowledged {
		value := f.get(fmt.Sprint(w))
		if i == 0 || len(value) == 0 || number2(value) < i || last[fmt.Sprint(w)] != value {
			t.Errorf("writer %d: %d acknowledged, %s in the table, %s in the stream", w, i, value, last[fmt.Sprint(w)])
		}
	}
}

func number2(text string) (n int) {
	_, _ = fmt.Sscan(text, &n)
	return n
}

// TestStays: tables and streams are there after a restart, and what the process
// did not acknowledge is not lost either.
func TestStays(t *testing.T) {
	f := newFixture(t, orders(nil))
	f.put("a", "1")
	f.close()
	f.open()
	if f.get("a") != "1" {
		t.Error("the item is gone")
	}
	f.put("a", "2")
	f.wantEvents("INSERT a:>1", "MODIFY a:1>2")
}

func TestNoOrphan(t *testing.T) {
	f := newFixture(t, orders(nil))
	p, err := f.process(t.Context())
	f.check(err)
	f.Close()
	if !p.ended() {
		t.Errorf("process %d is still there", p.cmd.Process.Pid)
	}
	if _, err := os.Stat(filepath.Dir(p.socket)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its socket's folder is still there: %v", err)
	}
}

// TestIndexesChange: a table made anew with another index has its items; one
// with another key begins empty.
func TestIndexesChange(t *testing.T) {
	f := newFixture(t, orders(nil))
	for i := range 30 {
		f.put(fmt.Sprint(i), fmt.Sprint(i%3))
	}
	f.check(f.Swap(&model.Application{Tables: []*model.Table{orders(func(p map[string]any) {
		p["AttributeDefinitions"] = append(p["AttributeDefinitions"].([]any), map[string]any{"AttributeName": "value", "AttributeType": "S"})
		p["GlobalSecondaryIndexes"] = []any{map[string]any{
			"IndexName": "byValue", "KeySchema": []any{map[string]any{"AttributeName": "value", "KeyType": "HASH"}},
			"Projection": map[string]any{"ProjectionType": "ALL"}, "ProvisionedThroughput": map[string]any{"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
		}}
	})}}))
	query := func(index string) int {
		out, err := f.client.Query(t.Context(), &sdk.QueryInput{
			TableName: aws.String("Orders"), IndexName: &index, KeyConditionExpression: aws.String("#v = :v"),
			ExpressionAttributeNames: map[string]string{"#v": "value"}, ExpressionAttributeValues: attributes{":v": text("1")},
		})
		f.check(err)
		return int(out.Count)
	}
	if n := query("byValue"); n != 10 {
		t.Errorf("%d items by the new index: want 10", n)
	}
	_, err := f.client.UpdateTable(t.Context(), &sdk.UpdateTableInput{TableName: aws.String("Orders"), GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{
		Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("other"), KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("value"), KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		},
	}}})
	f.check(err)
	if n := query("other"); n != 10 {
		t.Errorf("%d items by the index of UpdateTable: want 10", n)
	}
	f.check(f.Swap(&model.Application{Tables: []*model.Table{orders(func(p map[string]any) {
		p["AttributeDefinitions"] = []any{map[string]any{"AttributeName": "id", "AttributeType": "N"}}
	})}}))
	out, err := f.client.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String("Orders")})
	f.check(err)
	kept, _ := filepath.Glob(filepath.Join(f.dir, "dynamodb", "Orders.replaced-*.jsonl"))
	if out.Count != 0 || len(kept) != 1 {
		t.Errorf("%d items, kept in %v", out.Count, kept)
	}
}

// TestTimeToLive: an item that was given more time stays.
func TestTimeToLive(t *testing.T) {
	table := orders(func(p map[string]any) {
		p["TimeToLiveSpecification"] = map[string]any{"AttributeName": "expires", "Enabled": true}
	})
	f := newFixture(t, table)
	ctx := t.Context()
	for id, expires := range map[string]time.Time{"old": time.Now().Add(-time.Hour), "new": time.Now().Add(time.Hour), "ancient": time.Now().AddDate(-6, 0, 0)} {
		_, err := f.client.PutItem(ctx, &sdk.PutItemInput{TableName: aws.String("Orders"), Item: attributes{"id": text(id), "value": text("1"), "expires": number(fmt.Sprint(expires.Unix()))}})
		f.check(err)
	}
	f.put("without", "1")
	f.expireItems()
	if f.get("old") != "" || f.get("new") != "1" || f.get("ancient") != "1" || f.get("without") != "1" {
		t.Errorf("old %q new %q ancient %q without %q", f.get("old"), f.get("new"), f.get("ancient"), f.get("without"))
	}
	records, err := f.read("Orders", 0, 100)
	f.check(err)
	last := records[len(records)-1]
	if last.EventName != "REMOVE" || last.UserIdentity == nil || last.UserIdentity.PrincipalID != "dynamodb.amazonaws.com" {
		t.Errorf("%+v", last)
	}
	d, err := f.client.DescribeTimeToLive(ctx, &sdk.DescribeTimeToLiveInput{TableName: aws.String("Orders")})
	f.check(err)
	if d.TimeToLiveDescription.TimeToLiveStatus != types.TimeToLiveStatusEnabled {
		t.Errorf("%+v", d.TimeToLiveDescription)
	}
	_, err = f.client.UpdateTimeToLive(ctx, &sdk.UpdateTimeToLiveInput{TableName: aws.String("Orders"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(false)}})
	f.check(err)
}

func TestOldRecordsGo(t *testing.T) {
	f := newFixture(t, orders(nil))
	f.put("a", "1")
	f.now = func() time.Time { return time.Now().Add(23 * time.Hour) }
	f.put("a", "2")
	f.now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	f.trimStreams()
	f.wantEvents("MODIFY a:1>2")
	f.put("a", "3")
	f.wantEvents("MODIFY a:1>2", "MODIFY a:2>3")
}

// TestOwnTables: tables that a program makes, with and without a stream.
func TestOwnTables(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	created, err := f.client.CreateTable(ctx, &sdk.CreateTableInput{
		TableName: aws.String("Orders"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage},
	})
	f.check(err)
	if created.TableDescription.LatestStreamArn == nil {
		t.Error("it has no stream")
	}
	f.put("a", "1")
	f.wantEvents("INSERT a:>1")
	_, err = f.client.UpdateTable(ctx, &sdk.UpdateTableInput{TableName: aws.String("Orders"), StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(false)}})
	f.check(err)
	f.put("a", "2")
	f.wantEvents("INSERT a:>1")
	_, err = f.client.DeleteTable(ctx, &sdk.DeleteTableInput{TableName: aws.String("Orders")})
	f.check(err)
	var unknown *types.ResourceNotFoundException
	for err = nil; !errors.As(err, &unknown); { // as on AWS, it takes a moment
		_, err = f.client.DescribeTable(ctx, &sdk.DescribeTableInput{TableName: aws.String("Orders")})
	}
	if _, err := f.client.PutItem(ctx, &sdk.PutItemInput{TableName: aws.String("Nothing"), Item: attributes{"id": text("a")}}); !errors.As(err, &unknown) {
		t.Error(err)
	}
}

// TestMappingReadsIt: the records that a function gets.
func TestMappingReadsIt(t *testing.T) {
	f := newFixture(t, orders(nil))
	shards, err := f.Shards(t.Context(), ordersStream)
	f.check(err)
	if newest, err := f.Newest(t.Context(), ordersStream, shards[0]); newest != "" || err != nil {
		t.Error(newest, err)
	}
	go f.put("a", "1")
	records, err := f.Read(t.Context(), ordersStream, shards[0], "", 10, time.Minute)
	f.check(err)
	newest, err := f.Newest(t.Context(), ordersStream, shards[0])
	f.check(err)
	if len(records) != 1 || records[0].SequenceNumber != newest || records[0].Key != `{"id":{"S":"a"}}` || !strings.Contains(string(records[0].Event), `"eventSourceARN":"`+ordersStream+`"`) {
		t.Errorf("%s %+v", records[0].Event, records)
	}
	if records, err := f.Read(t.Context(), ordersStream, shards[0], newest, 10, time.Millisecond); len(records) != 0 || err != nil {
		t.Error(records, err)
	}
}

func TestSize(t *testing.T) {
	for _, test := range []struct {
		value any
		want  int
	}{
		{map[string]any{"S": "abc"}, 3},
		{map[string]any{"N": "12345"}, 4},
		{map[string]any{"N": "-1.50"}, 3},
		{map[string]any{"B": "AQID"}, 3},
		{map[string]any{"BOOL": true}, 1},
		{map[string]any{"NULL": true}, 1},
		{map[string]any{"SS": []any{"a", "bc"}}, 3},
		{map[string]any{"L": []any{map[string]any{"S": "a"}}}, 5},
		{map[string]any{"M": map[string]any{"k": map[string]any{"S": "a"}}}, 6},
	} {
		if got := valueSize(test.value); got != test.want {
			t.Errorf("%v: %d, want %d", test.value, got, test.want)
		}
	}
}
