package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
)

// domain is an OpenSearch domain that has indices and answers signed requests.
type domain struct {
	indices []string
	deleted []string
}

func (d *domain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKID/") || !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/es/"):
		http.Error(w, "not signed", http.StatusForbidden)
	case r.Method == http.MethodGet && r.URL.Path == "/_cat/indices/orders-*":
		var list []string
		for _, name := range d.indices {
			list = append(list, fmt.Sprintf(`{"index":%q}`, name))
		}
		fmt.Fprintf(w, "[%s]", strings.Join(list, ","))
	case r.Method == http.MethodDelete && r.URL.Path == "/orders-2020-01-01":
		http.Error(w, `{"error":"locked"}`, http.StatusConflict)
	case r.Method == http.MethodDelete:
		d.deleted = append(d.deleted, r.URL.Path[1:])
	default:
		http.NotFound(w, r)
	}
}

func newTest(t *testing.T, d *domain) *retention {
	t.Helper()
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return &retention{
		domain: server.URL, index: "orders", keep: 30 * 24 * time.Hour,
		now:    func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) },
		client: &http.Client{Transport: &signing{credentials: credentials.NewStaticCredentialsProvider("AKID", "S", ""), region: "eu-west-1"}},
	}
}

func TestOldIndicesGo(t *testing.T) {
	d := &domain{indices: []string{
		"orders-2026-11-24", "orders-2026-10-26", "orders-2026-10-24", "orders-2026-10-24-12", "orders-2026-10-25-12",
		"orders-2026-10", "orders-2026-09", "orders-2026-w43", "orders-2026-w30", "orders-archive", "orders-2026", "orders-v2-2026-01-01", "orders-2026-99-99",
	}}
	result, err := newTest(t, d).handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"orders-2026-09", "orders-2026-10-24", "orders-2026-10-24-12", "orders-2026-w30"}
	if !slices.Equal(d.deleted, want) || !slices.Equal(result.Deleted, want) || len(result.Kept) != len(d.indices)-len(want) {
		t.Errorf("deleted %v, want %v", d.deleted, want)
	}
}

// One that can't be deleted does not keep the others.
func TestOneStays(t *testing.T) {
	d := &domain{indices: []string{"orders-2020-01-01", "orders-2020-01-02"}}
	result, err := newTest(t, d).handle(t.Context())
	if err == nil || !strings.Contains(err.Error(), "orders-2020-01-01") || !strings.Contains(err.Error(), "locked") || !slices.Equal(result.Deleted, []string{"orders-2020-01-02"}) {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestDomainIsAway(t *testing.T) {
	r := newTest(t, &domain{})
	r.domain += "/elsewhere"
	if _, err := r.handle(t.Context()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("the error is %v", err)
	}
}

func TestConfiguration(t *testing.T) {
	t.Setenv("DOMAIN_ENDPOINT", "https://d")
	t.Setenv("INDEX", "orders")
	for _, hours := range []string{"", "0", "x"} {
		t.Setenv("RETENTION_HOURS", hours)
		if _, err := newRetention(t.Context()); err == nil {
			t.Errorf("%q hours are taken", hours)
		}
	}
	t.Setenv("RETENTION_HOURS", "720")
	if r, err := newRetention(t.Context()); err != nil || r.keep != 720*time.Hour {
		t.Errorf("got %+v, %v", r, err)
	}
}
