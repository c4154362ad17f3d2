package s3

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/bailey-cdk/bailey/bridge/local/events/internal/servicetest"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/model"
)

type trial struct {
	*testing.T
	p   *servicetest.Plane
	s   *Service
	c   *sdk.Client
	url string
}

func start(t *testing.T, app *model.Application, dir string) *trial {
	t.Helper()
	p := servicetest.New(t, app, dir)
	s, err := New(p.Env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	address := p.Serve(s, false)
	c := sdk.NewFromConfig(p.Config(address), func(o *sdk.Options) { o.UsePathStyle = true })
	return &trial{t, p, s, c, address}
}

func buckets(names ...string) *model.Application {
	app := &model.Application{}
	for _, name := range names {
		app.Buckets = append(app.Buckets, &model.Bucket{BucketName: name})
	}
	return app
}

func (t *trial) put(bucket, key, body string, options ...func(*sdk.PutObjectInput)) *sdk.PutObjectOutput {
	t.Helper()
	in := &sdk.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)}
	for _, o := range options {
		o(in)
	}
	out, err := t.c.PutObject(t.Context(), in)
	if err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
	return out
}

func (t *trial) get(bucket, key string) string {
	t.Helper()
	out, err := t.c.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return err.Error()
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Errorf("get %s: %v", key, err)
	}
	return string(body)
}

func (t *trial) wantCode(err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("the error is %v, want %s", err, code)
	}
}

func TestObjects(t *testing.T) {
	tr := start(t, buckets("orders"), "")
	ctx := t.Context()
	out := tr.put("orders", "2026/order 1+é.json", "hello", func(in *sdk.PutObjectInput) {
		in.ContentType, in.Metadata = aws.String("application/json"), map[string]string{"who": "me"}
		in.CacheControl, in.Tagging = aws.String("no-cache"), aws.String("a=1&b=2")
	})
	if *out.ETag != `"5d41402abc4b2a76b9719d911017c592"` || out.ChecksumCRC32 == nil {
		t.Errorf("the answer is %+v", out)
	}
	if text, err := os.ReadFile(filepath.Join(tr.p.Env.Dir, "s3", "orders", "2026", "order 1+é.json")); string(text) != "hello" {
		t.Errorf("the file has %q, %v", text, err)
	}
	in := &sdk.GetObjectInput{Bucket: aws.String("orders"), Key: aws.String("2026/order 1+é.json")}
	got, err := tr.c.GetObject(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(got.Body); string(body) != "hello" || err != nil || *got.ContentType != "application/json" || got.Metadata["who"] != "me" || *got.CacheControl != "no-cache" || *got.TagCount != 2 || got.ChecksumCRC32 == nil || got.LastModified.Unix() != tr.p.Now().Unix() {
		t.Errorf("%q, %v, %+v", body, err, got)
	}
	for _, row := range []struct{ header, body, rangeHeader string }{
		{"bytes=0-0", "h", "bytes 0-0/5"},
		{"bytes=1-", "ello", "bytes 1-4/5"},
		{"bytes=3-99", "lo", "bytes 3-4/5"},
		{"bytes=-2", "lo", "bytes 3-4/5"},
		{"bytes=-99", "hello", "bytes 0-4/5"},
		{"bytes=4-1", "hello", ""},
	} {
		in.Range = &row.header
		got, err := tr.c.GetObject(ctx, in)
		if err != nil {
			t.Errorf("%s: %v", row.header, err)
			continue
		}
		if body, _ := io.ReadAll(got.Body); string(body) != row.body || row.rangeHeader != "" && aws.ToString(got.ContentRange) != row.rangeHeader {
			t.Errorf("%s gave %q, %s", row.header, body, aws.ToString(got.ContentRange))
		}
	}
	in.Range = aws.String("bytes=5-")
	_, err = tr.c.GetObject(ctx, in)
	tr.wantCode(err, "InvalidRange")
	in.Range, in.IfNoneMatch = nil, out.ETag
	if _, err = tr.c.GetObject(ctx, in); err == nil || !strings.Contains(err.Error(), "304") {
		t.Errorf("If-None-Match gave %v", err)
	}
	in.IfNoneMatch, in.IfMatch = nil, aws.String(`"x"`)
	_, err = tr.c.GetObject(ctx, in)
	tr.wantCode(err, "PreconditionFailed")
	head, err := tr.c.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: in.Bucket, Key: in.Key})
	if err != nil || *head.ContentLength != 5 {
		t.Errorf("%+v, %v", head, err)
	}
	tags, err := tr.c.GetObjectTagging(ctx, &sdk.GetObjectTaggingInput{Bucket: in.Bucket, Key: in.Key})
	if err != nil || len(tags.TagSet) != 2 || *tags.TagSet[1].Value != "2" {
		t.Errorf("%+v, %v", tags, err)
	}
	if _, err := tr.c.PutObjectTagging(ctx, &sdk.PutObjectTaggingInput{Bucket: in.Bucket, Key: in.Key, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("c"), Value: aws.String("3")}}}}); err != nil {
		t.Error(err)
	}
	if _, err := tr.c.CopyObject(ctx, &sdk.CopyObjectInput{Bucket: in.Bucket, Key: aws.String("copy"), CopySource: aws.String("orders/" + url.PathEscape("2026/order 1+é.json"))}); err != nil {
		t.Fatal(err)
	}
	copied, err := tr.c.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: in.Bucket, Key: aws.String("copy")})
	if err != nil || copied.Metadata["who"] != "me" || *copied.ETag != *out.ETag || *copied.TagCount != 1 {
		t.Errorf("%+v, %v", copied, err)
	}
	for _, key := range []string{"copy", "never there", *in.Key} {
		if _, err := tr.c.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: in.Bucket, Key: &key}); err != nil {
			t.Error(err)
		}
	}
	_, err = tr.c.GetObject(ctx, &sdk.GetObjectInput{Bucket: in.Bucket, Key: in.Key})
	tr.wantCode(err, "NoSuchKey")
	_, err = tr.c.GetObject(ctx, &sdk.GetObjectInput{Bucket: aws.String("none"), Key: in.Key})
	tr.wantCode(err, "NoSuchBucket")
	if _, err := os.Stat(filepath.Join(tr.p.Env.Dir, "s3", "orders", "2026")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the empty folder stays: %v", err)
	}
}

func TestConditionalPut(t *testing.T) {
	tr := start(t, buckets("b"), "")
	first := tr.put("b", "k", "1", func(in *sdk.PutObjectInput) { in.IfNoneMatch = aws.String("*") })
	_, err := tr.c.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), IfNoneMatch: aws.String("*"), Body: strings.NewReader("2")})
	tr.wantCode(err, "PreconditionFailed")
	tr.put("b", "k", "3", func(in *sdk.PutObjectInput) { in.IfMatch = first.ETag })
	_, err = tr.c.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), IfMatch: first.ETag, Body: strings.NewReader("4")})
	tr.wantCode(err, "PreconditionFailed")
	if got := tr.get("b", "k"); got != "3" {
		t.Errorf("the object is %q", got)
	}
}

// TestKeys holds that every key is its own object, and that none leaves the
// bucket's folder.
func TestKeys(t *testing.T) {
	dir := t.TempDir()
	tr := start(t, buckets("b", "other"), dir)
	tr.put("other", "secret", "secret")
	keys := []string{
		"a", "a/b", "a/b/c", "A", "a.", "a ", "x//y", "/lead", "x/", "x/.", ".", "..", "../other/secret", "a/../../other/secret",
		"..\\x", "C:\\x", "con", "CON.txt", "nul", "com1.log", "%", "%%", "%%/x", "%2F", "a%2Fb", "a:b", "a*b?", "<>|\"", "tab\there", "new\nline",
		"ünï/cödé", "u\u0308", "ü", "日本語", "🙂", "%25", strings.Repeat("long", 250), strings.Repeat("d/", 500), ".hidden", "writing-x", "a/%", "a/%%/b",
	}
	for i, key := range keys {
		tr.put("b", key, fmt.Sprint(i))
	}
	for i, key := range keys {
		if got := tr.get("b", key); got != fmt.Sprint(i) {
			t.Errorf("the object %q is %q, want %d", key, got, i)
		}
	}
	if got := tr.get("other", "secret"); got != "secret" {
		t.Errorf("the other bucket's object became %q", got)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "s3"))
	if err != nil || len(entries) != 2 {
		t.Errorf("beside the buckets: %v, %v", entries, err)
	}
	_, err = tr.c.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: aws.String("b"), Key: aws.String(strings.Repeat("x", 1025)), Body: strings.NewReader("")})
	tr.wantCode(err, "KeyTooLongError")
	// All are still there when the folder is opened again, and deleted in any
	// order nothing is left.
	if err := tr.p.Env.Store.Close(); err != nil {
		t.Fatal(err)
	}
	tr = start(t, buckets("b", "other"), dir)
	if n := len(tr.list(&sdk.ListObjectsV2Input{Bucket: aws.String("b")})); n != len(keys) {
		t.Errorf("%d objects are listed, want %d", n, len(keys))
	}
	for i, key := range keys {
		if got := tr.get("b", key); got != fmt.Sprint(i) {
			t.Errorf("the object %q is %q, want %d", key, got, i)
		}
		if _, err := tr.c.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String("b"), Key: &key}); err != nil {
			t.Error(err)
		}
	}
	left := 0
	err = filepath.WalkDir(filepath.Join(dir, "s3", "b"), func(string, os.DirEntry, error) error { left++; return nil })
	if err != nil || left != 2 { // the folder and its %%
		t.Errorf("%d are left, %v", left, err)
	}
}

func TestFiles(t *testing.T) {
	for _, key := range []string{"a", "a/b", "", "%", "a%b", "..", "con.txt", "x//y", "x/", "\xff\xfe", "ü", "a."} {
		file := fileOf(key)
		if got, ok := keyOf(file); !ok || got != key {
			t.Errorf("%q lies at %q, which is %q, %v", key, file, got, ok)
		}
	}
}

// list reads all pages, as keys and prefixes in the order of each.
func (t *trial) list(in *sdk.ListObjectsV2Input) []string {
	t.Helper()
	var all []string
	pages := sdk.NewListObjectsV2Paginator(t.c, in)
	for pages.HasMorePages() {
		p, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range p.Contents {
			all = append(all, *o.Key)
		}
		for _, prefix := range p.CommonPrefixes {
			all = append(all, *prefix.Prefix)
		}
	}
	return all
}

func TestLists(t *testing.T) {
	tr := start(t, buckets("b"), "")
	for _, key := range []string{"a", "b/1", "b/2", "b/c/3", "c d", "d&e", "b0", "b/\xc3\xbc"} {
		tr.put("b", key, key)
	}
	b := aws.String("b")
	for _, row := range []struct {
		in   sdk.ListObjectsV2Input
		want string
	}{
		{sdk.ListObjectsV2Input{}, "a b/1 b/2 b/c/3 b/ü b0 c d d&e"},
		{sdk.ListObjectsV2Input{MaxKeys: aws.Int32(2)}, "a b/1 b/2 b/c/3 b/ü b0 c d d&e"},
		{sdk.ListObjectsV2Input{Prefix: aws.String("b/")}, "b/1 b/2 b/c/3 b/ü"},
		{sdk.ListObjectsV2Input{Prefix: aws.String("b")}, "b/1 b/2 b/c/3 b/ü b0"},
		{sdk.ListObjectsV2Input{Delimiter: aws.String("/")}, "a b0 c d d&e b/"},
		{sdk.ListObjectsV2Input{Delimiter: aws.String("/"), MaxKeys: aws.Int32(1)}, "a b/ b0 c d d&e"},
		{sdk.ListObjectsV2Input{Delimiter: aws.String("/"), Prefix: aws.String("b/")}, "b/1 b/2 b/ü b/c/"},
		{sdk.ListObjectsV2Input{Delimiter: aws.String("/"), Prefix: aws.String("b/"), MaxKeys: aws.Int32(1)}, "b/1 b/2 b/c/ b/ü"},
		{sdk.ListObjectsV2Input{StartAfter: aws.String("b/2")}, "b/c/3 b/ü b0 c d d&e"},
		{sdk.ListObjectsV2Input{StartAfter: aws.String("b/2"), Delimiter: aws.String("/")}, "b0 c d d&e"},
		{sdk.ListObjectsV2Input{Prefix: aws.String("none")}, ""},
		{sdk.ListObjectsV2Input{EncodingType: types.EncodingTypeUrl, Prefix: aws.String("c")}, "c+d"},
	} {
		row.in.Bucket = b
		if got := strings.Join(tr.list(&row.in), " "); got != row.want {
			t.Errorf("%v %v %v %v: %s\nwant %s", aws.ToString(row.in.Prefix), aws.ToString(row.in.Delimiter), aws.ToInt32(row.in.MaxKeys), aws.ToString(row.in.StartAfter), got, row.want)
		}
	}
	one, err := tr.c.ListObjects(t.Context(), &sdk.ListObjectsInput{Bucket: b, Delimiter: aws.String("/"), MaxKeys: aws.Int32(2)})
	if err != nil || !*one.IsTruncated || *one.NextMarker != "b/" || *one.Contents[0].Owner.ID == "" {
		t.Fatalf("%+v, %v", one, err)
	}
	two, err := tr.c.ListObjects(t.Context(), &sdk.ListObjectsInput{Bucket: b, Delimiter: aws.String("/"), Marker: one.NextMarker})
	if err != nil || *two.IsTruncated || len(two.Contents) != 3 {
		t.Errorf("%+v, %v", two, err)
	}
	_, err = tr.c.ListObjectsV2(t.Context(), &sdk.ListObjectsV2Input{Bucket: b, ContinuationToken: aws.String("!")})
	tr.wantCode(err, "InvalidArgument")
}

func TestBuckets(t *testing.T) {
	dir := t.TempDir()
	tr := start(t, buckets("Shop-Archive"), dir)
	ctx := t.Context()
	mine := aws.String("my-bucket")
	if _, err := tr.c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: mine}); err != nil {
		t.Fatal(err)
	}
	_, err := tr.c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: mine})
	tr.wantCode(err, "BucketAlreadyOwnedByYou")
	_, err = tr.c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("a..b")})
	tr.wantCode(err, "InvalidBucketName")
	tr.put("my-bucket", "k", "v")
	if err := tr.p.Env.Store.Close(); err != nil {
		t.Fatal(err)
	}
	tr = start(t, buckets("Shop-Archive"), dir)
	list, err := tr.c.ListBuckets(ctx, &sdk.ListBucketsInput{})
	if err != nil || len(list.Buckets) != 2 || *list.Buckets[1].Name != "my-bucket" {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := tr.c.HeadBucket(ctx, &sdk.HeadBucketInput{Bucket: mine}); err != nil {
		t.Error(err)
	}
	if _, err := tr.c.GetBucketLocation(ctx, &sdk.GetBucketLocationInput{Bucket: mine}); err != nil {
		t.Error(err)
	}
	if _, err := tr.c.GetBucketVersioning(ctx, &sdk.GetBucketVersioningInput{Bucket: mine}); err != nil {
		t.Error(err)
	}
	_, err = tr.c.DeleteBucket(ctx, &sdk.DeleteBucketInput{Bucket: mine})
	tr.wantCode(err, "BucketNotEmpty")
	deleted, err := tr.c.DeleteObjects(ctx, &sdk.DeleteObjectsInput{Bucket: mine, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("k")}, {Key: aws.String("none")}}}})
	if err != nil || len(deleted.Deleted) != 2 {
		t.Errorf("%+v, %v", deleted, err)
	}
	if _, err := tr.c.DeleteBucket(ctx, &sdk.DeleteBucketInput{Bucket: mine}); err != nil {
		t.Error(err)
	}
	_, err = tr.c.DeleteBucket(ctx, &sdk.DeleteBucketInput{Bucket: aws.String("Shop-Archive")})
	if err == nil {
		t.Error("the application's bucket was deleted")
	}
	_, err = tr.c.GetBucketPolicy(ctx, &sdk.GetBucketPolicyInput{Bucket: aws.String("Shop-Archive")})
	tr.wantCode(err, "NotImplemented")
}

func TestMultipart(t *testing.T) {
	dir := t.TempDir()
	tr := start(t, buckets("b"), dir)
	ctx := t.Context()
	b, k := aws.String("b"), aws.String("big/file")
	created, err := tr.c.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: b, Key: k, ContentType: aws.String("text/plain"), Metadata: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, minPart)
	_, _ = rand.Read(first)
	upload := func(n int32, body []byte) types.CompletedPart {
		t.Helper()
		out, err := tr.c.UploadPart(ctx, &sdk.UploadPartInput{Bucket: b, Key: k, UploadId: created.UploadId, PartNumber: &n, Body: bytes.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		return types.CompletedPart{PartNumber: &n, ETag: out.ETag}
	}
	upload(1, []byte("an older first part"))
	parts := []types.CompletedPart{upload(1, first), upload(3, []byte("the end"))}
	notWanted := upload(7, []byte("not wanted"))
	// What was uploaded is there after the plane was closed.
	if err := tr.p.Env.Store.Close(); err != nil {
		t.Fatal(err)
	}
	tr = start(t, buckets("b"), dir)
	uploads, err := tr.c.ListMultipartUploads(ctx, &sdk.ListMultipartUploadsInput{Bucket: b})
	if err != nil || len(uploads.Uploads) != 1 {
		t.Errorf("%+v, %v", uploads, err)
	}
	listed, err := tr.c.ListParts(ctx, &sdk.ListPartsInput{Bucket: b, Key: k, UploadId: created.UploadId})
	if err != nil || len(listed.Parts) != 3 {
		t.Errorf("%+v, %v", listed, err)
	}
	complete := func(parts ...types.CompletedPart) error {
		_, err := tr.c.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{Bucket: b, Key: k, UploadId: created.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
		return err
	}
	tr.wantCode(complete(types.CompletedPart{PartNumber: aws.Int32(2), ETag: parts[0].ETag}), "InvalidPart")
	tr.wantCode(complete(parts[1], parts[0]), "InvalidPartOrder")
	tr.wantCode(complete(parts[1], types.CompletedPart{PartNumber: aws.Int32(7), ETag: notWanted.ETag}), "EntityTooSmall")
	if err := complete(parts...); err != nil {
		t.Fatal(err)
	}
	if got := tr.get("b", "big/file"); got != string(first)+"the end" {
		t.Errorf("the object has %d bytes", len(got))
	}
	head, err := tr.c.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: b, Key: k})
	if err != nil || !strings.HasSuffix(*head.ETag, `-2"`) || *head.ContentType != "text/plain" || head.Metadata["a"] != "b" {
		t.Errorf("%+v, %v", head, err)
	}
	tr.wantCode(complete(parts...), "NoSuchUpload")
	// One that is given up leaves nothing, and neither does a copied part.
	created, err = tr.c.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: b, Key: k})
	if err != nil {
		t.Fatal(err)
	}
	copied, err := tr.c.UploadPartCopy(ctx, &sdk.UploadPartCopyInput{Bucket: b, Key: k, UploadId: created.UploadId, PartNumber: aws.Int32(1), CopySource: aws.String("b/big/file"), CopySourceRange: aws.String("bytes=5242880-5242882")})
	if err != nil || *copied.CopyPartResult.ETag != `"8fc42c6ddf9966db3b09e84365034357"` { // of "the"
		t.Errorf("%+v, %v", copied, err)
	}
	if _, err := tr.c.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{Bucket: b, Key: k, UploadId: created.UploadId}); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "s3", "b", hashed)); len(left) != 0 || err != nil {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestNotifications(t *testing.T) {
	app := buckets("b")
	function, queue := "arn:aws:lambda:us-east-1:123456789012:function:F", "arn:aws:sqs:us-east-1:123456789012:Q"
	app.Buckets[0].EventBridge = true
	app.Buckets[0].Notifications = []model.Notification{
		{Events: []string{"s3:ObjectCreated:*"}, Prefix: "in/", Suffix: ".json", TargetARN: function},
		{Events: []string{"s3:ObjectRemoved:Delete", "s3:ObjectCreated:Copy"}, TargetARN: queue},
	}
	tr := start(t, app, "")
	tr.put("b", "in/a b.json", "{}")
	tr.put("b", "in/x.txt", "")
	if _, err := tr.c.CopyObject(t.Context(), &sdk.CopyObjectInput{Bucket: aws.String("b"), Key: aws.String("copy"), CopySource: aws.String("b/in/x.txt")}); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.c.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String("copy")}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range tr.p.Deliveries() {
		got = append(got, d.Target[strings.LastIndex(d.Target, ":")+1:])
		body := string(d.Body)
		switch {
		case d.Target == function:
			for _, want := range []string{`"eventName":"ObjectCreated:Put"`, `"key":"in/a+b.json"`, `"size":2`, `"eTag":"99914b932bd37a50b983c5e7c90ae93b"`, `"eventTime":"2026-11-24T10:30:15.000Z"`, `"arn":"arn:aws:s3:::b"`} {
				if !strings.Contains(body, want) {
					t.Errorf("%s is not in %s", want, body)
				}
			}
		case strings.Contains(body, `"Object Deleted"`):
			if !strings.Contains(body, `"deletion-type":"Permanently Deleted"`) || !strings.Contains(body, `"source":"aws.s3"`) {
				t.Errorf("the bus got %s", body)
			}
		}
	}
	if names := strings.Join(got, " "); names != "F event-bus/default event-bus/default Q event-bus/default Q event-bus/default" {
		t.Errorf("delivered to %s", names)
	}
	// A target that is not there does not undo the object.
	tr.p.Refuse(function, errors.New("no function"))
	tr.put("b", "in/c.json", "{}")
	if got := tr.get("b", "in/c.json"); got != "{}" || !strings.Contains(tr.p.Logs(), "cannot tell "+function) {
		t.Errorf("%q, log %s", got, tr.p.Logs())
	}
	conf, err := tr.c.GetBucketNotificationConfiguration(t.Context(), &sdk.GetBucketNotificationConfigurationInput{Bucket: aws.String("b")})
	if err != nil || len(conf.LambdaFunctionConfigurations) != 1 || len(conf.QueueConfigurations) != 1 || conf.EventBridgeConfiguration == nil {
		t.Fatalf("%+v, %v", conf, err)
	}
	_, err = tr.c.PutBucketNotificationConfiguration(t.Context(), &sdk.PutBucketNotificationConfigurationInput{
		Bucket: aws.String("b"), NotificationConfiguration: &types.NotificationConfiguration{QueueConfigurations: []types.QueueConfiguration{{
			QueueArn: &queue, Events: []types.Event{"s3:ObjectCreated:Put"},
			Filter: &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{FilterRules: []types.FilterRule{{Name: "suffix", Value: aws.String(".csv")}}}},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	tr.p.Deliveries()
	tr.put("b", "in/d.json", "{}")
	tr.put("b", "d.csv", "")
	if all := tr.p.Deliveries(); len(all) != 1 || all[0].Target != queue {
		t.Errorf("%d deliveries", len(all))
	}
}

// TestUsersFiles has a user put, change and remove files in the folder.
func TestUsersFiles(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "s3", "b")
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("seed/a.json", "{}")
	outside := filepath.Join(dir, "outside")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(folder, "link")); err != nil {
		t.Skipf("SKIP: this file system has no links: %v", err)
	}
	if err := os.Symlink(dir, filepath.Join(folder, "up")); err != nil {
		t.Fatal(err)
	}
	tr := start(t, buckets("b"), dir)
	if got := strings.Join(tr.list(&sdk.ListObjectsV2Input{Bucket: aws.String("b")}), " "); got != "seed/a.json" {
		t.Errorf("the objects are %s", got)
	}
	if got := tr.get("b", "up/outside"); !strings.Contains(got, "NoSuchKey") {
		t.Errorf("a link led to %q", got)
	}
	tr.put("b", "up/outside", "mine")
	tr.put("b", "link", "mine")
	if text, err := os.ReadFile(outside); string(text) != "secret" || err != nil {
		t.Errorf("the file outside is %q, %v", text, err)
	}
	if got := tr.get("b", "link") + tr.get("b", "up/outside"); got != "minemine" {
		t.Errorf("the objects are %q", got)
	}
	tr.put("b", "k", "before")
	write("k", "changed by hand")
	head, err := tr.c.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	if err != nil || *head.ContentLength != 15 || tr.get("b", "k") != "changed by hand" {
		t.Errorf("%+v, %v", head, err)
	}
	if err := os.Remove(filepath.Join(folder, "k")); err != nil {
		t.Fatal(err)
	}
	_, err = tr.c.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	tr.wantCode(err, "NoSuchKey")
}

// TestChunked sends bodies as SDKs do over HTTPS, with trailing checksums.
func TestChunked(t *testing.T) {
	tr := start(t, buckets("b"), "")
	send := func(body, encoding, trailer string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(http.MethodPut, tr.url+"/b/k", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Encoding", encoding)
		r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
		r.Header.Set("X-Amz-Trailer", trailer)
		r.Header.Set("X-Amz-Decoded-Content-Length", "11")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(text)
	}
	for _, row := range []struct {
		body, trailer string
		status        int
		want          string
	}{
		{"6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", "x-amz-checksum-crc32", 200, ""},
		{"6;chunk-signature=abc\r\nhello \r\n5;chunk-signature=def\r\nworld\r\n0;chunk-signature=x\r\nx-amz-checksum-crc32c:yZRlqg==\r\nx-amz-trailer-signature:x\r\n\r\n", "x-amz-checksum-crc32c", 200, ""},
		{"b\r\nhello world\r\n0\r\nx-amz-checksum-crc64nvme:jSnVw/bqjr4=\r\n\r\n", "x-amz-checksum-crc64nvme", 200, ""},
		{"b\r\nhello world\r\n0\r\nx-amz-checksum-sha1:Kq5sNclPz7QV2+lfQIuc6R7oRu0=\r\n\r\n", "x-amz-checksum-sha1", 200, ""},
		{"b\r\nhello world\r\n0\r\n\r\n", "", 200, ""},
		{"b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "x-amz-checksum-crc32", 400, "BadDigest"},
		{"b\r\nhello", "", 400, "IncompleteBody"},
		{"zz\r\nhello world\r\n0\r\n\r\n", "", 400, "malformed"},
		{"b\r\nhello worldX\r\n0\r\n\r\n", "", 400, "malformed"},
		{"-1\r\n", "", 400, "malformed"},
		{strings.Repeat("f", 40000), "", 400, "malformed"},
	} {
		status, text := send(row.body, "gzip,aws-chunked", row.trailer)
		if status != row.status || !strings.Contains(text, row.want) {
			t.Errorf("%.60q: %d %s", row.body, status, text)
		}
		if status == 200 {
			head, err := tr.c.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(head.Body); string(body) != "hello world" || err != nil || *head.ContentEncoding != "gzip" {
				t.Errorf("%q, %v, %s", body, err, *head.ContentEncoding)
			}
		}
	}
	bad := &sdk.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: strings.NewReader("x"), ContentMD5: aws.String("XUFAKrxLKna5cZ2REBfFkg==")}
	_, err := tr.c.PutObject(t.Context(), bad)
	tr.wantCode(err, "BadDigest")
	for _, algorithm := range types.ChecksumAlgorithm("").Values() {
		if algorithms[strings.ToLower(string(algorithm))] == nil {
			continue // MD5, SHA512 and XXHASH, which came later
		}
		tr.put("b", "sum", "hello", func(in *sdk.PutObjectInput) { in.ChecksumAlgorithm = algorithm })
		if got := tr.get("b", "sum"); got != "hello" {
			t.Errorf("%s: %s", algorithm, got)
		}
	}
}

func TestAddresses(t *testing.T) {
	tr := start(t, buckets("b"), "")
	tr.put("b", "some/key", "found")
	signed, err := sdk.NewPresignClient(tr.c).PresignGetObject(t.Context(), &sdk.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("some/key"), ResponseContentType: aws.String("text/html")})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ host, url string }{
		{"", signed.URL},
		{"b.localhost:4566", tr.url + "/some/key"},
		{"b.s3.localhost", tr.url + "/some/key"},
		{"localhost", tr.url + "/b/some/key"},
		{"s3.localhost", tr.url + "/b/some/key"},
	} {
		r, err := http.NewRequest(http.MethodGet, row.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if row.host != "" {
			r.Host = row.host
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if string(text) != "found" || row.host == "" && answer.Header.Get("Content-Type") != "text/html" {
			t.Errorf("%s %s: %s", row.host, row.url, text)
		}
	}
}

func TestSwap(t *testing.T) {
	tr := start(t, buckets("a"), "")
	tr.put("a", "k", "v")
	if err := tr.s.Swap(buckets("b")); err != nil {
		t.Fatal(err)
	}
	tr.put("b", "k", "w")
	if got := tr.get("a", "k"); !strings.Contains(got, "NoSuchBucket") {
		t.Errorf("the bucket that is gone has %s", got)
	}
	if err := tr.s.Swap(buckets("a", "b")); err != nil {
		t.Fatal(err)
	}
	if got := tr.get("a", "k") + tr.get("b", "k"); got != "vw" {
		t.Errorf("the objects are %s", got)
	}
}

// TestKilled has a child process put objects until it is killed. Each object
// that was acknowledged is whole, and of the last acknowledged body or a later.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("S3_TEST_DIR"); dir != "" {
		putUntilKilled(t, dir)
		return
	}
	for range servicetest.Kills() {
		dir := t.TempDir()
		child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), "S3_TEST_DIR="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		last := map[int]int{}
		for range 100 {
			var key, version int
			if _, err := fmt.Fscanln(out, &key, &version); err != nil {
				t.Fatal(err)
			}
			last[key] = version
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
		tr := start(t, buckets("b"), dir)
		for key, version := range last {
			got := tr.get("b", fmt.Sprintf("k/%d", key))
			var of int
			if _, err := fmt.Sscan(got, &of); err != nil || of < version || got != bodyFor(of) {
				t.Errorf("the object %d is %.20q, want version %d", key, got, version)
			}
		}
		if left, err := filepath.Glob(filepath.Join(dir, "s3", "b", hashed, "writing-*")); len(left) != 0 || err != nil {
			t.Errorf("left are %v, %v", left, err)
		}
	}
}

func bodyFor(version int) string { return strings.Repeat(fmt.Sprintf("%d ", version), 1000) }

func putUntilKilled(t *testing.T, dir string) {
	p := servicetest.New(t, buckets("b"), dir)
	s, err := New(p.Env)
	if err != nil {
		t.Fatal(err)
	}
	for version := 0; ; version++ {
		staged, err := s.Stage("b", fmt.Sprintf("k/%d", version%7), strings.NewReader(bodyFor(version)), http.Header{})
		if err == nil {
			err = staged.commit()
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(version%7, version)
	}
}

func FuzzKeys(f *testing.F) {
	for _, key := range []string{"a/b", "../x", "%%", "con", "a\x00b"} {
		f.Add(key)
	}
	p := servicetest.New(f, buckets("b"), "")
	s, err := New(p.Env)
	if err != nil {
		f.Fatal(err)
	}
	b, err := s.bucket("b")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if key == "" || len(key) > maxKey {
			return
		}
		file := fileOf(key)
		if !strings.HasPrefix(file, hashed+"/") {
			if got, ok := keyOf(file); !ok || got != key {
				t.Fatalf("%q lies at %q, which is %q", key, file, got)
			}
		}
		staged, err := s.stage(b, key, strings.NewReader(key), http.Header{}, newDigest(http.Header{}))
		if err == nil {
			err = staged.commit()
		}
		if err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		_, opened, err := s.open(b, key)
		if err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		text, err := io.ReadAll(opened)
		opened.Close()
		if string(text) != key || err != nil {
			t.Fatalf("%q has %q, %v", key, text, err)
		}
	})
}

func FuzzChunks(f *testing.F) {
	f.Add([]byte("6;chunk-signature=a\r\nhello \r\n0\r\na:b\r\n\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		text, err := io.ReadAll(newChunks(bytes.NewReader(body), func(string, string) {}))
		if err == nil && len(text) > len(body) {
			t.Errorf("%q became %q", body, text)
		}
	})
}

var _ service.Service = (*Service)(nil)
