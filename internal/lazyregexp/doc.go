// Package lazyregexp compiles regular expressions when they are first used.
// One that counts to 256 takes half a millisecond to compile, which a command
// that never uses it should not spend at its start.
package lazyregexp
