package mapping

import (
	"context"
	"time"
)

// maxFailurePause is the longest wait after a source gave errors in a row.
const maxFailurePause = time.Minute

// trouble is a source that gives errors: a queue that is not there, say. It is
// told once and asked less and less often.
type trouble struct {
	said string
	wait time.Duration
}

// pause tells of an error and waits, each time twice as long.
func (t *trouble) pause(ctx context.Context, p *poller, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	if text := err.Error(); text != t.said {
		p.o.Logf("%s cannot %s %s: %v", p.m.Path, what, p.m.EventSourceARN, err)
		t.said = text
	}
	t.wait = min(max(2*t.wait, failurePause), maxFailurePause)
	pause(ctx, t.wait)
}

// over says that the source works.
func (t *trouble) over() { *t = trouble{} }
