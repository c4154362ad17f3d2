// Package filehash names files by what is in them.
//
// # Files that are not read again
//
// [Cache] remembers hashes, so that a tree of which nothing has changed is looked
// at and not read. It is content that decides, as without it: a hash is used again
// only for a file that has the same device, inode, size, time of modification and
// time of change. The last one is the system's own. Each write, rename, truncation,
// change of mode and setting of time stamps moves it, and no program can set it
// back: neither does a git checkout, a restored archive, nor touch -d.
//
// What is left is the clock's resolution. A file that was written twice within it
// has one time of change for two contents. So a hash is remembered only where the
// file had not changed for [settled] when it was read; until then it is read each
// time. Git's index has the same rule. That covers file systems that count in
// whole seconds, and servers whose clock is off by less than the difference.
//
// Not covered, there as here: a write through a memory mapping that was open all
// along and that the system has not yet noted, someone who writes to the disk
// beneath the file system, and a clock that is set back so that it strikes the
// same nanosecond twice.
//
// Where the system tells no time of change (Windows), nothing is remembered.
//
// # Nothing at all has changed
//
// A [Seal] goes one step further: it holds what was concluded from the content of
// many files, and one digest of the states of all of them and of their folders. As
// long as that digest comes out the same, by the rules above, the conclusion stands,
// and no hash is looked up.
package filehash
