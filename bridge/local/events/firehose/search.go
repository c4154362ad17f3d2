package firehose

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// The local index answers a few requests of OpenSearch's REST API, below
// /_opensearch/DOMAIN: enough to see in a test or a terminal what was indexed.
//
//	GET  /                              the server's name
//	GET  /_cat/indices                  the names and sizes of indexes
//	GET  /INDEX/_search?q=...           also POST with a query; INDEX may have * and ,
//	GET  /INDEX/_count
//	GET  /INDEX/_doc/ID
//	POST /INDEX/_refresh
//
// A search has query, from, size and sort. Queries are match_all, match_none,
// match, match_phrase, term, terms, prefix, wildcard, exists, range, ids, bool
// and query_string (words, "phrases", field:word, AND, OR, NOT and brackets).
// There is no analysis beyond words in lower case, and no relevance: hits come
// in the order in which they were indexed.

// searchPath is where the local indexes are served.
const searchPath = "/_opensearch/"

func (s *Service) serveSearch(w http.ResponseWriter, r *service.Request) {
	answer, err := s.answerSearch(r)
	if err != nil {
		e := service.ErrorOf(err)
		status := cmp.Or(e.Status, http.StatusBadRequest)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		body, _ := json.Marshal(map[string]any{"error": map[string]any{"type": e.Code, "reason": e.Message}, "status": status}) // texts
		_, _ = w.Write(body)                                                                                                    // else the client is gone
		return
	}
	service.AnswerJSON(w, r, "", answer)
}

func (s *Service) answerSearch(r *service.Request) (any, error) {
	rest, ok := strings.CutPrefix(r.URL.Path, searchPath)
	if !ok {
		return nil, &service.Error{Code: "no_handler_found", Message: "the local indexes are below " + searchPath + "DOMAIN", Status: http.StatusNotFound}
	}
	domain, rest, _ := strings.Cut(rest, "/")
	parts := strings.Split(strings.Trim(rest, "/"), "/")
	switch {
	case parts[0] == "":
		return map[string]any{"name": "local", "cluster_name": domain, "version": map[string]string{"distribution": "opensearch", "number": "2.0.0"}, "tagline": "The OpenSearch Project: https://opensearch.org/"}, nil
	case parts[0] == "_cat" && len(parts) > 1 && parts[1] == "indices":
		return s.catIndices(domain)
	case strings.HasPrefix(parts[0], "_"):
		parts = append([]string{"_all"}, parts...)
	}
	if len(parts) < 2 {
		parts = append(parts, "")
	}
	names, err := s.indexes.names(domain, parts[0])
	if err != nil {
		return nil, err
	}
	switch parts[1] {
	case "_search":
		return s.search(r, domain, names)
	case "_count":
		return s.count(r, domain, names)
	case "_refresh":
		return map[string]any{"_shards": map[string]int{"total": 1, "successful": 1, "failed": 0}}, nil
	case "_doc":
		if len(parts) == 3 {
			return s.document(domain, names, parts[2])
		}
	}
	return nil, service.Errorf("illegal_argument_exception", "the local index has no %s %s", r.Method, r.URL.Path)
}

func (s *Service) catIndices(domain string) (any, error) {
	names, err := s.indexes.names(domain, "")
	if err != nil {
		return nil, err
	}
	all := []map[string]string{}
	for _, name := range names {
		n := 0
		if err := s.indexes.scan(domain, name, func(*line) bool { n++; return true }); err != nil {
			return nil, err
		}
		all = append(all, map[string]string{"health": "green", "status": "open", "index": name, "docs.count": strconv.Itoa(n)})
	}
	return all, nil
}

// hit is a document that was found.
type hit struct {
	Index  string          `json:"_index"`
	ID     string          `json:"_id"`
	Score  float64         `json:"_score"`
	Source json.RawMessage `json:"_source"`
	Sort   []any           `json:"sort,omitempty"`
}

// inquiry is the body of a search.
type inquiry struct {
	Query json.RawMessage
	From  int
	Size  *int
	Sort  json.RawMessage
}

// maxHits is how many hits one answer has at most.
const maxHits = 10000

func (s *Service) inquiry(r *service.Request) (*inquiry, predicate, error) {
	in := &inquiry{}
	if len(r.Payload) > 0 {
		if err := json.Unmarshal(r.Payload, in); err != nil {
			return nil, nil, service.Errorf("parsing_exception", "the search is no JSON: %v", err)
		}
	}
	q := r.URL.Query()
	for name, to := range map[string]*int{"from": &in.From} {
		if n, err := strconv.Atoi(q.Get(name)); err == nil {
			*to = n
		}
	}
	if n, err := strconv.Atoi(q.Get("size")); err == nil {
		in.Size = &n
	}
	if in.Size == nil {
		ten := 10
		in.Size = &ten
	}
	if in.From < 0 || *in.Size < 0 || in.From+*in.Size > maxHits {
		return nil, nil, service.Errorf("illegal_argument_exception", "from and size must not be over %d together", maxHits)
	}
	if text := q.Get("q"); text != "" {
		wanted, err := parseQueryString(text, "")
		return in, wanted, err
	}
	wanted, err := parseQuery(in.Query)
	return in, wanted, err
}

func (s *Service) search(r *service.Request, domain string, names []string) (any, error) {
	in, wanted, err := s.inquiry(r)
	if err != nil {
		return nil, err
	}
	order, err := parseSort(in.Sort)
	if err != nil {
		return nil, err
	}
	hits := []hit{}
	total := 0
	err = s.each(domain, names, wanted, func(name string, l *line, source map[string]any) {
		total++
		if order == nil && (total <= in.From || total > in.From+*in.Size) {
			return
		}
		h := hit{Index: name, ID: l.ID, Score: 1, Source: l.Source}
		for _, o := range order {
			h.Sort = append(h.Sort, first(source, o.field))
		}
		hits = append(hits, h)
	})
	if err != nil {
		return nil, err
	}
	if order != nil {
		slices.SortStableFunc(hits, func(a, b hit) int { return compareHits(order, a, b) })
		hits = hits[min(in.From, len(hits)):min(in.From+*in.Size, len(hits))]
	}
	return map[string]any{
		"took": 0, "timed_out": false, "_shards": map[string]int{"total": len(names), "successful": len(names), "skipped": 0, "failed": 0},
		"hits": map[string]any{"total": map[string]any{"value": total, "relation": "eq"}, "max_score": 1.0, "hits": hits},
	}, nil
}

// each calls fn with each document that a query wants.
func (s *Service) each(domain string, names []string, wanted predicate, fn func(name string, l *line, source map[string]any)) error {
	for _, name := range names {
		err := s.indexes.scan(domain, name, func(l *line) bool {
			var source map[string]any
			if json.Unmarshal(l.Source, &source) == nil && wanted(l.ID, source) {
				fn(name, l, source)
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) count(r *service.Request, domain string, names []string) (any, error) {
	_, wanted, err := s.inquiry(r)
	if err != nil {
		return nil, err
	}
	n := 0
	err = s.each(domain, names, wanted, func(string, *line, map[string]any) { n++ })
	return map[string]any{"count": n, "_shards": map[string]int{"total": len(names), "successful": len(names), "skipped": 0, "failed": 0}}, err
}

func (s *Service) document(domain string, names []string, id string) (any, error) {
	for _, name := range names {
		var found json.RawMessage
		err := s.indexes.scan(domain, name, func(l *line) bool {
			if l.ID == id {
				found = slices.Clone(l.Source)
			}
			return found == nil
		})
		if err != nil {
			return nil, err
		}
		if found != nil {
			return map[string]any{"_index": name, "_id": id, "_version": 1, "found": true, "_source": found}, nil
		}
	}
	return nil, &service.Error{Code: "resource_not_found_exception", Message: "there is no document " + id, Status: http.StatusNotFound}
}

// sortField is one field of a sort.
type sortField struct {
	field      string
	descending bool
}

// parseSort reads "field", {"field": "desc"} and lists of them.
func parseSort(raw json.RawMessage) ([]sortField, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var list []any
	if json.Unmarshal(raw, &list) != nil {
		var one any
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, service.Errorf("parsing_exception", "the sort cannot be read: %v", err)
		}
		list = []any{one}
	}
	var all []sortField
	for _, entry := range list {
		switch entry := entry.(type) {
		case string:
			all = append(all, sortField{entry, false})
		case map[string]any:
			for field, order := range entry {
				if object, ok := order.(map[string]any); ok {
					order = object["order"]
				}
				all = append(all, sortField{strings.TrimSuffix(field, ".keyword"), order == "desc"})
			}
		default:
			return nil, service.Errorf("parsing_exception", "the sort %v cannot be read", entry)
		}
	}
	return all, nil
}

func compareHits(order []sortField, a, b hit) int {
	for i, o := range order {
		c := compareValues(a.Sort[i], b.Sort[i])
		if o.descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// compareValues compares numbers as numbers, and all else as text. What is
// missing comes last.
func compareValues(a, b any) int {
	x, isNumber := a.(float64)
	y, areNumbers := b.(float64)
	switch {
	case isNumber && areNumbers:
		return cmp.Compare(x, y)
	case a == nil || b == nil:
		return cmp.Compare(fmt.Sprint(b == nil), fmt.Sprint(a == nil))
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
}
