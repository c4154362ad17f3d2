// Package props is what construct packages with plain Go props share: the
// gathering of mistakes, checks of values, and their way to the pointers that
// the CDK takes.
package props
