package s3

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/internal/lazyregexp"
)

// bucket is a bucket with its folder. It is never changed: another one takes
// its place.
type bucket struct {
	name, arn string
	created   time.Time
	// made says that a request made it.
	made          bool
	notifications []model.Notification
	eventBridge   bool
	folder        *folder
}

// Service is S3. Its methods may be called from many goroutines.
type Service struct {
	env       service.Env
	dir       string
	sequencer atomic.Int64

	mu      sync.Mutex // guards app and the changing of buckets
	app     *model.Application
	buckets atomic.Pointer[map[string]*bucket]
	folders map[string]*folder
}

const (
	bucketTable       = "s3/buckets"
	notificationTable = "s3/notifications"
)

// New opens the buckets' folders below env.Dir/s3, and takes over the files that
// the user put there.
func New(env service.Env) (*Service, error) {
	s := &Service{env: env, dir: filepath.Join(env.Dir, "s3"), folders: map[string]*folder{}}
	return s, s.Swap(env.App)
}

// Swap takes over another state of the application. The files of a bucket that
// is gone stay in its folder.
func (s *Service) Swap(app *model.Application) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app = app
	return s.read()
}

// Start does nothing: S3 works on request alone.
func (s *Service) Start() {}

// Close closes the folders.
func (s *Service) Close() error {
	var faults []error
	for _, f := range s.folders {
		faults = append(faults, f.root.Close())
	}
	return errors.Join(faults...)
}

// read makes the buckets of the application and of the store. s.mu is held.
func (s *Service) read() error {
	all := map[string]*bucket{}
	for _, m := range s.app.Buckets {
		all[m.BucketName] = &bucket{name: m.BucketName, arn: arnOf(m.BucketName), notifications: m.Notifications, eventBridge: m.EventBridge}
	}
	err := s.env.Store.View(func(tx *store.Tx) error {
		err := tx.Scan(bucketTable, nil, func(key, value []byte) error {
			name := string(key)
			if all[name] == nil {
				all[name] = &bucket{name: name, arn: arnOf(name), made: true}
			}
			return all[name].created.UnmarshalText(value)
		})
		if err != nil {
			return err
		}
		return tx.Scan(notificationTable, nil, func(key, value []byte) error {
			if b := all[string(key)]; b != nil {
				var n stored
				if err := json.Unmarshal(value, &n); err != nil {
					return err
				}
				b.notifications, b.eventBridge = n.Notifications, n.EventBridge
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("the stored buckets cannot be read: %w", err)
	}
	for _, b := range all {
		if err := s.openBucket(b); err != nil {
			return fmt.Errorf("the folder of the bucket %s: %w", b.name, err)
		}
	}
	s.buckets.Store(&all)
	return nil
}

// stored is a notification configuration that a request set.
type stored struct {
	Notifications []model.Notification
	EventBridge   bool
}

func arnOf(name string) string { return "arn:aws:s3:::" + name }

// plainFolder is the names of buckets that are names of folders too.
var plainFolder = lazyregexp.New(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$`)

// openBucket opens a bucket's folder, once.
func (s *Service) openBucket(b *bucket) error {
	if b.created.IsZero() {
		b.created = s.env.Now()
	}
	if b.folder = s.folders[b.name]; b.folder != nil {
		return nil
	}
	name := b.name
	if !plainFolder.MatchString(name) || reservedNames[strings.ToUpper(name)] {
		sum := sha256.Sum256([]byte(name))
		name = "bucket-" + hex.EncodeToString(sum[:16])
	}
	var err error
	if b.folder, err = openFolder(filepath.Join(s.dir, name)); err != nil {
		return err
	}
	s.folders[b.name] = b.folder
	b.folder.sweep()
	return s.adopt(b)
}

func (s *Service) bucket(name string) (*bucket, error) {
	b := (*s.buckets.Load())[name]
	if b == nil {
		return nil, &service.Error{Code: "NoSuchBucket", Message: "The specified bucket does not exist", Status: http.StatusNotFound}
	}
	return b, nil
}

// address is the bucket and key that a request names.
func address(r *http.Request) (bucketName, key string) {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if name, ok := strings.CutSuffix(host, ".localhost"); ok {
		name = strings.TrimSuffix(name, ".s3")
		if name != "s3" && !strings.HasPrefix(name, "s3.") {
			return name, path
		}
	}
	bucketName, key, _ = strings.Cut(path, "/")
	return bucketName, key
}

// Serve answers a request.
func (s *Service) Serve(w http.ResponseWriter, r *service.Request) {
	w.Header().Set("X-Amz-Request-Id", r.ID)
	bucketName, key := address(r.Request)
	err := s.answer(w, r, bucketName, key)
	if err != nil {
		service.FailXML(w, r, err)
	}
}

func (s *Service) answer(w http.ResponseWriter, r *service.Request, bucketName, key string) error {
	if bucketName == "" {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return notAllowed()
		}
		return s.listBuckets(w, r)
	}
	if key == "" && r.Method == http.MethodPut && plainQuery(r) {
		return s.createBucket(w, bucketName)
	}
	b, err := s.bucket(bucketName)
	if err != nil {
		return err
	}
	find := bucketOperations
	if key != "" {
		find = objectOperations
	}
	operation, err := choose(find, r)
	if err != nil {
		return err
	}
	return operation(s, w, r, b, key)
}

type operation func(s *Service, w http.ResponseWriter, r *service.Request, b *bucket, key string) error

// choice is an operation by its method and the parameter that names it, "" for
// none.
type choice struct {
	method, parameter string
	do                operation
}

var bucketOperations = []choice{
	{http.MethodGet, "location", (*Service).getLocation},
	{http.MethodGet, "notification", (*Service).getNotification},
	{http.MethodPut, "notification", (*Service).putNotification},
	{http.MethodGet, "uploads", (*Service).listUploads},
	{http.MethodGet, "versioning", (*Service).getVersioning},
	{http.MethodPost, "delete", (*Service).deleteObjects},
	{http.MethodGet, "list-type", (*Service).listV2},
	{http.MethodGet, "", (*Service).listV1},
	{http.MethodHead, "", (*Service).headBucket},
	{http.MethodDelete, "", (*Service).deleteBucket},
}

var objectOperations = []choice{
	{http.MethodPost, "uploads", (*Service).createUpload},
	{http.MethodPut, "uploadId", (*Service).uploadPart},
	{http.MethodPost, "uploadId", (*Service).completeUpload},
	{http.MethodDelete, "uploadId", (*Service).abortUpload},
	{http.MethodGet, "uploadId", (*Service).listParts},
	{http.MethodGet, "tagging", (*Service).getTagging},
	{http.MethodPut, "tagging", (*Service).putTagging},
	{http.MethodDelete, "tagging", (*Service).deleteTagging},
	{http.MethodPut, "", (*Service).putObject},
	{http.MethodGet, "", (*Service).getObject},
	{http.MethodHead, "", (*Service).getObject},
	{http.MethodDelete, "", (*Service).deleteObject},
}

// subresources are parameters that make another operation of a request.
var subresources = []string{
	"accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory", "legal-hold",
	"lifecycle", "list-type", "location", "logging", "metrics", "notification", "object-lock", "ownershipControls", "policy",
	"policyStatus", "publicAccessBlock", "replication", "requestPayment", "restore", "retention", "select", "tagging", "torrent",
	"uploadId", "uploads", "versioning", "versions", "website",
}

func plainQuery(r *service.Request) bool { return subresource(r) == "" }

// subresource is the parameter that names the operation, "" for none.
func subresource(r *service.Request) string {
	q := r.URL.Query()
	for _, name := range subresources {
		if q.Has(name) {
			return name
		}
	}
	return ""
}

func choose(all []choice, r *service.Request) (operation, error) {
	name := subresource(r)
	for _, c := range all {
		if c.method == r.Method && c.parameter == name {
			return c.do, nil
		}
	}
	if name == "" {
		return nil, notAllowed()
	}
	return nil, &service.Error{Code: "NotImplemented", Message: "the local S3 has no " + r.Method + " of " + name, Status: http.StatusNotImplemented}
}

func notAllowed() error {
	return &service.Error{Code: "MethodNotAllowed", Message: "The specified method is not allowed against this resource.", Status: http.StatusMethodNotAllowed}
}

// validBucket is the names that buckets may have:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var validBucket = lazyregexp.New(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func (s *Service) createBucket(w http.ResponseWriter, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !validBucket.MatchString(name) || strings.Contains(name, "..") {
		return service.Errorf("InvalidBucketName", "The specified bucket is not valid.")
	}
	if _, err := s.bucket(name); err == nil {
		return &service.Error{Code: "BucketAlreadyOwnedByYou", Message: "Your previous request to create the named bucket succeeded and you already own it.", Status: http.StatusConflict}
	}
	err := s.makeBucket(name)
	if err == nil {
		w.Header().Set("Location", "/"+name)
		w.WriteHeader(http.StatusOK)
	}
	return err
}

func (s *Service) headBucket(w http.ResponseWriter, r *service.Request, _ *bucket, _ string) error {
	w.Header().Set("X-Amz-Bucket-Region", r.Region)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Service) deleteBucket(w http.ResponseWriter, _ *service.Request, b *bucket, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.env.Store.Update(func(tx *store.Tx) error {
		err := tx.Scan(objectTable(b.name), nil, func(_, _ []byte) error {
			return &service.Error{Code: "BucketNotEmpty", Message: "The bucket you tried to delete is not empty", Status: http.StatusConflict}
		})
		if err == nil {
			tx.Delete(bucketTable, []byte(b.name))
			tx.Delete(notificationTable, []byte(b.name))
		}
		return err
	})
	if err == nil && !b.made {
		err = service.Errorf("InvalidRequest", "the bucket %s is the application's, and cannot be deleted locally", b.name)
	}
	if err == nil {
		err = s.read()
	}
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (s *Service) listBuckets(w http.ResponseWriter, r *service.Request) error {
	type entry struct {
		Name         string
		CreationDate string
	}
	type result struct {
		XMLName struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
		Owner   struct{ ID, DisplayName string }
		Buckets struct{ Bucket []entry }
	}
	all := *s.buckets.Load()
	out := result{}
	out.Owner.ID, out.Owner.DisplayName = owner, "local"
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(name, r.URL.Query().Get("prefix")) {
			out.Buckets.Bucket = append(out.Buckets.Bucket, entry{name, isoTime(all[name].created)})
		}
	}
	return answerXML(w, out)
}

func (s *Service) getLocation(w http.ResponseWriter, _ *service.Request, _ *bucket, _ string) error {
	region := s.env.Region
	if region == "us-east-1" {
		region = "" // as S3 has it
	}
	return answerXML(w, struct {
		XMLName struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
		Region  string   `xml:",chardata"`
	}{Region: region})
}

func (s *Service) getVersioning(w http.ResponseWriter, _ *service.Request, _ *bucket, _ string) error {
	return answerXML(w, struct {
		XMLName struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
	}{})
}

// Ensure makes a bucket that is not there: one of another stack, or one that an
// application only names, and that what it writes to must exist locally.
func (s *Service) Ensure(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.bucket(name); err == nil {
		return nil
	}
	return s.makeBucket(name)
}

// makeBucket stores a bucket. s.mu is held.
func (s *Service) makeBucket(name string) error {
	created, err := s.env.Now().MarshalText()
	if err != nil {
		return err
	}
	err = s.env.Store.Update(func(tx *store.Tx) error {
		tx.Put(bucketTable, []byte(name), created)
		return nil
	})
	if err != nil {
		return err
	}
	return s.read()
}
