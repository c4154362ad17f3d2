//go:build !linux && !darwin

package filehash

// identify knows no time of change here.
func identify(string) (identity, bool) { return identity{}, false }

// stateOf knows none either.
func stateOf(string) (state, bool) { return state{}, false }
