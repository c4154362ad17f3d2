package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
)

// progress ends what [startProgress] began. It may be called again.
type progress func()

// doing is what is being done at the moment, for all of the command: there is one
// line to say it on.
var doing struct {
	sync.Mutex
	text string
}

// say changes what is being done.
func (progress) say(what string) {
	doing.Lock()
	defer doing.Unlock()
	doing.text = what
}

// startProgress says what is being done once that has taken a second, and on a
// terminal how long it has taken so far. The caller ends it.
func startProgress(what string) progress {
	stop := make(chan struct{})
	var ended sync.WaitGroup
	progress(nil).say(what)
	ended.Go(func() { showProgress(stop) })
	return sync.OnceFunc(func() {
		close(stop)
		ended.Wait()
	})
}

func current() string {
	doing.Lock()
	defer doing.Unlock()
	return doing.text
}

func showProgress(stop <-chan struct{}) {
	start := time.Now()
	select {
	case <-stop:
		return
	case <-time.After(time.Second):
	}
	terminal := isatty.IsTerminal(os.Stderr.Fd())
	said := ""
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		what := current()
		if terminal {
			fmt.Fprintf(os.Stderr, "\r\033[K%s... %.1f s", what, time.Since(start).Seconds())
		} else if what != said {
			fmt.Fprintf(os.Stderr, "%s...\n", what)
			said = what
		}
		select {
		case <-stop:
			if terminal {
				fmt.Fprint(os.Stderr, "\r\033[K")
			}
			return
		case <-tick.C:
		}
	}
}
