package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
)

// startProgress says what is being done once that has taken a second, and on a
// terminal how long it has taken so far. The caller ends it.
func startProgress(what string) (end func()) {
	stop := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() { progress(what, stop) })
	return sync.OnceFunc(func() {
		close(stop)
		ended.Wait()
	})
}

func progress(what string, stop <-chan struct{}) {
	start := time.Now()
	select {
	case <-stop:
		return
	case <-time.After(time.Second):
	}
	if !isatty.IsTerminal(os.Stderr.Fd()) {
		fmt.Fprintf(os.Stderr, "%s...\n", what)
		<-stop
		return
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		fmt.Fprintf(os.Stderr, "\r\033[K%s... %.1f s", what, time.Since(start).Seconds())
		select {
		case <-stop:
			fmt.Fprint(os.Stderr, "\r\033[K")
			return
		case <-tick.C:
		}
	}
}
