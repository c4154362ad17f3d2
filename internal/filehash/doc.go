// Package filehash names files by what is in them.
package filehash
