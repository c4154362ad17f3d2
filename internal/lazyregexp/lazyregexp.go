package lazyregexp

import (
	"regexp"
	"sync"
)

// Regexp is a regular expression that is compiled when it is first used. It may
// be used from many goroutines.
type Regexp struct {
	compiled func() *regexp.Regexp
}

// New is [regexp.MustCompile], put off: it panics at first use where the text
// is no regular expression.
func New(text string) *Regexp {
	return &Regexp{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

// MatchString reports whether s has a match.
func (r *Regexp) MatchString(s string) bool { return r.compiled().MatchString(s) }
