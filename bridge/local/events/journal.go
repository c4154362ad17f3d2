package events

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
	"sync"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

const (
	countsTable = "journal/counts"
	// kept is how many notes a watcher may be behind before it loses some.
	kept = 8192
	// shownBody is how many bytes of a message the journal shows.
	shownBody = 512
)

// journal holds the latest notes. Writing one costs little where nobody
// watches.
type journal struct {
	mu    sync.Mutex
	ring  []service.Note
	next  uint64        // the number of the note to come
	fresh chan struct{} // closed when there is one; nil where nobody waits
}

func newJournal() *journal { return &journal{ring: make([]service.Note, kept)} }

// note counts n in tx and shows it to watchers after the commit.
func (p *Plane) note(tx *store.Tx, n service.Note) {
	var room [256]byte // where the key has its place without the heap, most often
	key := append(append(room[:0], n.What...), 0)
	key = append(append(key, n.Source...), 0)
	key = append(key, n.Target...)
	tx.Add(countsTable, key, int64(max(1, n.Count)))
	if n.Time.IsZero() {
		n.Time = p.options.Now()
	}
	if len(n.Body) > shownBody {
		n.Body = n.Body[:shownBody]
	}
	tx.AfterCommit(func() { p.journal.add(n) })
}

func (j *journal) add(n service.Note) {
	j.mu.Lock()
	j.ring[j.next%kept] = n
	j.next++
	fresh := j.fresh
	j.fresh = nil
	j.mu.Unlock()
	if fresh != nil {
		close(fresh)
	}
}

// read copies the notes from number from on. Where some are lost it says how
// many; where there are none it gives a channel that is closed when one comes.
func (j *journal) read(from uint64) (notes []service.Note, lost uint64, fresh <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if from == j.next {
		if j.fresh == nil {
			j.fresh = make(chan struct{})
		}
		return nil, 0, j.fresh
	}
	if j.next > kept && from < j.next-kept {
		lost = j.next - kept - from
		from += lost
	}
	for ; from < j.next; from++ {
		notes = append(notes, j.ring[from%kept])
	}
	return notes, lost, nil
}

// Watch gives each note of the journal from now on, or with backlog from the
// oldest that is remembered (8,192 are), until ctx ends or the plane closes. A
// watcher that is too slow loses notes, which a note "lost" says.
func (p *Plane) Watch(ctx context.Context, backlog bool) iter.Seq[service.Note] {
	p.journal.mu.Lock()
	from := p.journal.next
	p.journal.mu.Unlock()
	if backlog {
		from -= min(from, kept)
	}
	return func(yield func(service.Note) bool) {
		for {
			notes, lost, fresh := p.journal.read(from)
			if fresh != nil {
				select {
				case <-fresh:
				case <-ctx.Done():
					return
				case <-p.closing.Done():
					return
				}
				continue
			}
			from += lost + uint64(len(notes))
			if lost > 0 && !yield(service.Note{Time: p.options.Now(), What: "lost", Detail: "the watcher was too slow"}) {
				return
			}
			for _, n := range notes {
				if !yield(n) {
					return
				}
			}
		}
	}
}

// Count says how many messages went from Source to Target.
type Count struct {
	What   string `json:"what"`
	Source string `json:"source,omitempty"`
	Target string `json:"target,omitempty"`
	Count  int64  `json:"count"`
}

// Counts are the journal's counters since the state began, in the order of
// What, Source and Target. They are exact: each was counted in the transaction
// that made it pass.
func (p *Plane) Counts() ([]Count, error) {
	var all []Count
	err := p.store.View(func(tx *store.Tx) error {
		return tx.Scan(countsTable, nil, func(key, value []byte) error {
			parts := strings.Split(string(key), "\x00")
			all = append(all, Count{parts[0], parts[1], parts[2], store.Uint(value)})
			return nil
		})
	})
	return all, err
}

// serveOwn answers requests about the plane itself.
func (p *Plane) serveOwn(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/_bailey/counts":
		counts, err := p.Counts()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(counts) // else the client is gone
	case "/_bailey/watch":
		p.serveWatch(w, r)
	default:
		http.NotFound(w, r)
	}
}

// line is a note as /_bailey/watch has it.
type line struct {
	service.Note
	Body string `json:"body,omitempty"`
}

func (p *Plane) serveWatch(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	control := http.NewResponseController(w)
	notes := p.Watch(r.Context(), r.URL.Query().Get("backlog") == "true")
	if control.Flush() != nil { // the client learns that it is heard
		return
	}
	e := json.NewEncoder(w)
	for n := range notes {
		if e.Encode(line{n, string(n.Body)}) != nil || control.Flush() != nil {
			return
		}
	}
}
