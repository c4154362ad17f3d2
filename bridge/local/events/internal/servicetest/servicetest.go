// Package servicetest runs one service of the event plane by itself, for tests:
// with a store of its own, a clock that stands still, and a plane that keeps
// what is delivered and noted.
package servicetest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// Plane is what a service under test thinks that it is in.
type Plane struct {
	t   testing.TB
	Env service.Env
	// Acceptors take the deliveries whose ARN has them as the service part.
	// Others are only kept.
	Acceptors map[string]service.Acceptor

	mu         sync.Mutex
	now        time.Time
	refused    map[string]error
	deliveries []*service.Delivery
	notes      []service.Note
	logs       []string
}

// New makes a plane with a state below dir, t.TempDir() where it is "".
func New(t testing.TB, app *model.Application, dir string) *Plane {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
	}
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // the test may have closed it
	if app.Region == "" {
		app.Region, app.AccountID = "us-east-1", "123456789012"
	}
	p := &Plane{t: t, now: time.Date(2026, 11, 24, 10, 30, 15, 0, time.UTC), refused: map[string]error{}, Acceptors: map[string]service.Acceptor{}}
	p.Env = service.Env{
		App: app, Store: db, Dir: dir, URL: "http://127.0.0.1:4566", Region: app.Region, AccountID: app.AccountID,
		Accept: p.accept, Prepare: func(*service.Delivery) {}, Deliver: p.deliver, Note: p.note, Logf: p.logf, Now: p.Now,
	}
	return p
}

// Kills is how often a test kills a process: a few times, or a hundred times with
// BAILEY_SOAK.
func Kills() int {
	n, err := strconv.Atoi(os.Getenv("BAILEY_SOAK"))
	if err != nil || n <= 0 {
		return 3
	}
	return min(n, 100)
}

// Now is the plane's clock.
func (p *Plane) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// Advance puts the clock forward.
func (p *Plane) Advance(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

// Refuse makes deliveries to a target fail.
func (p *Plane) Refuse(target string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused[target] = err
}

func (p *Plane) accept(tx *store.Tx, d *service.Delivery) error {
	arn, ok := service.ParseARN(d.Target)
	if !ok {
		return fmt.Errorf("%q is no ARN", d.Target)
	}
	if a := p.Acceptors[arn.Service]; a != nil {
		return a.Accept(tx, d)
	}
	p.mu.Lock()
	err := p.refused[d.Target]
	p.mu.Unlock()
	if err != nil {
		return err
	}
	kept := *d
	kept.Body = append([]byte(nil), d.Body...)
	tx.AfterCommit(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.deliveries = append(p.deliveries, &kept)
	})
	return nil
}

func (p *Plane) deliver(_ context.Context, d *service.Delivery) error {
	return p.Env.Store.Update(func(tx *store.Tx) error { return p.accept(tx, d) })
}

func (p *Plane) note(tx *store.Tx, n service.Note) {
	tx.AfterCommit(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.notes = append(p.notes, n)
	})
}

func (p *Plane) logf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.logs = append(p.logs, fmt.Sprintf(format, args...))
}

// Deliveries takes what was delivered since the last call.
func (p *Plane) Deliveries() []*service.Delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.deliveries
	p.deliveries = nil
	return all
}

// Notes takes what was noted since the last call, as "what target detail".
func (p *Plane) Notes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, n := range p.notes {
		all = append(all, strings.TrimSpace(n.What+" "+n.Target+" "+n.Detail))
	}
	p.notes = nil
	return all
}

// Logs are the lines of the log so far.
func (p *Plane) Logs() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.logs, "\n")
}

// Serve serves a service. whole has the body read before, as the plane does for
// all services but those that read it themselves.
func (p *Plane) Serve(s service.Service, whole bool) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := &service.Request{Request: r, ID: service.NewID(), Region: p.Env.Region}
		_, request.Operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if whole {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				p.t.Error(err)
			}
			request.Payload = body
		}
		s.Serve(w, request)
	}))
	p.t.Cleanup(server.Close)
	return server.URL
}

// Config is the configuration of an AWS SDK for a server.
func (p *Plane) Config(url string) aws.Config {
	return aws.Config{
		Region: p.Env.Region, BaseEndpoint: aws.String(url), RetryMaxAttempts: 1,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		Credentials:                credentials.NewStaticCredentialsProvider(p.Env.AccountID, "local", ""),
	}
}
