package idempotency

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrInProgress says that another worker has claimed the key and not finished.
var ErrInProgress = errors.New("the same work is in progress")

// Defaults of [Options].
const (
	DefaultKeep  = 24 * time.Hour
	DefaultLease = 15 * time.Minute
)

// Options say how long things are remembered. The zero value is usable.
type Options struct {
	// Keep is how long a result is remembered, 24 hours by default. It should
	// exceed the time over which the work can be asked for again: the retention
	// of a queue, say.
	Keep time.Duration
	// Lease is how long a claim holds whose worker does not come back, 15
	// minutes by default, the longest that Lambda lets a function run. A worker
	// that knows its deadline claims until then instead.
	Lease time.Duration
}

// Claim is one worker's right to a key.
type Claim struct {
	Key string
	// Token is the worker's own, unique.
	Token string
	// Until is when the claim ends, should the worker not come back.
	Until time.Time
}

// Store remembers claims and results. Its methods are safe for use by several
// goroutines, and, but for [Memory], by several processes.
type Store interface {
	// Begin claims a key that nobody has claimed and no result is kept for. It
	// returns done and the result where there is one, and ErrInProgress where
	// another claim holds.
	Begin(ctx context.Context, c Claim) (result []byte, done bool, err error)
	// Complete stores the result until keep. A claim that another worker has
	// taken over meanwhile changes nothing, without an error.
	Complete(ctx context.Context, c Claim, result []byte, keep time.Time) error
	// Abandon frees the key, unless another worker has taken it over.
	Abandon(ctx context.Context, c Claim) error
}

// Do works once for a key. T must be what encoding/json can write and read
// again; struct{} is for work without a result.
//
// The error is work's own, [ErrInProgress] or one of the store's. A result that
// could not be stored is an error too: the work may then be done again.
func Do[T any](ctx context.Context, s Store, key string, o Options, work func(context.Context) (T, error)) (result T, err error) {
	if key == "" {
		return result, errors.New("idempotency needs a key: the one given is empty")
	}
	claim := o.claim(ctx, key)
	stored, done, err := s.Begin(ctx, claim)
	if err != nil {
		return result, fmt.Errorf("idempotency of %q: %w", key, err)
	}
	if done {
		if err := json.Unmarshal(stored, &result); err != nil {
			return result, fmt.Errorf("idempotency of %q: the result that is kept: %w", key, err)
		}
		return result, nil
	}
	finished := false
	// Also where work panics. The context may be over by then.
	defer func() {
		if !finished {
			err = errors.Join(err, s.Abandon(context.WithoutCancel(ctx), claim))
		}
	}()
	if result, err = work(ctx); err != nil {
		return result, err
	}
	if stored, err = json.Marshal(result); err != nil {
		return result, fmt.Errorf("idempotency of %q: the result can't be kept: %w", key, err)
	}
	finished = true
	if err := s.Complete(context.WithoutCancel(ctx), claim, stored, time.Now().Add(o.keep())); err != nil {
		return result, fmt.Errorf("idempotency of %q: %w", key, err)
	}
	return result, nil
}

func (o Options) keep() time.Duration {
	if o.Keep > 0 {
		return o.Keep
	}
	return DefaultKeep
}

func (o Options) claim(ctx context.Context, key string) Claim {
	c := Claim{Key: key, Token: rand.Text(), Until: time.Now().Add(DefaultLease)}
	deadline, known := ctx.Deadline()
	switch {
	case o.Lease > 0:
		c.Until = time.Now().Add(o.Lease)
	case known:
		c.Until = deadline
	}
	return c
}
