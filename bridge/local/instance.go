//go:build unix

package local

import (
	"sync"
	"time"
)

// runtimeState is where a process stands in the Runtime API, by Lambda's own
// names: they are part of the messages that a runtime gets.
type runtimeState string

const (
	stateStarted   runtimeState = "Started"
	stateInitError runtimeState = "InitError"
	stateReady     runtimeState = "Ready"
	stateRunning   runtimeState = "Running"
	stateSent      runtimeState = "RuntimeResponseSentState"
)

// instance is one execution environment: a process and its side of the
// Runtime API. One invocation owns it at a time.
type instance struct {
	pool  *pool
	token string // its part of the Runtime API's paths, known to it alone
	proc  *process
	log   *tailedLog
	start time.Time

	// idle has an entry when the runtime asks for the next event. The owner
	// takes it.
	idle chan struct{}
	// work hands an invocation to the request that waits for it.
	work chan *invocation
	// failed has the answer of an init phase that the runtime gave up.
	failed chan answer

	mu         sync.Mutex
	state      runtimeState
	current    *invocation   // delivered last
	waiting    chan struct{} // closed to send a request for the next event away
	client     string        // the User-Agent that first asked for an event
	extensions []*extension

	// The rest is the owner's, and the pool's between two owners.
	used      bool // it has been initialised
	doomed    bool // it was told to end
	idleSince time.Time
}

func newInstance(p *pool) *instance {
	return &instance{
		pool: p, token: randomHex(16), start: time.Now(), state: stateStarted,
		idle: make(chan struct{}, 1), work: make(chan *invocation, 1), failed: make(chan answer, 1),
	}
}

// dispatch hands an invocation to the runtime, which must be waiting for it.
func (i *instance) dispatch(inv *invocation) {
	i.mu.Lock()
	i.current = inv
	extensions := i.extensions
	i.mu.Unlock()
	for _, x := range extensions {
		x.offer(inv)
	}
	i.work <- inv
}

// idles reports whether the runtime waits for an event.
func (i *instance) idles() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.state == stateReady
}

// end ends the process: a healthy one as Lambda shuts an environment down,
// which does not hold up the caller, any other at once.
func (i *instance) end(healthy bool) {
	i.doomed = true
	if grace := i.grace(); healthy && grace > 0 {
		go i.proc.shutdown(grace)
		return
	}
	i.proc.kill()
}

// grace is how long the process may take to end after SIGTERM: none without a
// registered extension.
func (i *instance) grace() time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.extensions) == 0 {
		return 0
	}
	return shutdownGrace
}

// logStreamName is a name as CloudWatch Logs would show it.
func logStreamName(now time.Time) string {
	return now.UTC().Format("2006/01/02") + "/[" + functionVersion + "]" + randomHex(16)
}
