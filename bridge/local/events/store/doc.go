// Package store keeps the state of the event plane in one file.
//
//	db, err := store.Open(".bailey/state.db")
//	if err != nil {
//		return err
//	}
//	defer db.Close()
//	err = db.Update(func(tx *store.Tx) error {
//		tx.Put("orders", key, value)
//		return nil
//	})
//
// # Durability
//
// What [Store.Update] returned nil for survives the death of the process at any
// instant, kill -9 included: it was handed to the kernel before. It need not
// survive the death of the machine, since nothing is forced to the disk; the
// file is whole then or it is found damaged and Open says so. That is the
// fault a developer's machine has, and it makes a commit cost microseconds.
//
// # Groups
//
// One goroutine writes. Whatever calls of Update wait when it begins become one
// transaction of the file, so that many small writers cost little more than a
// big one. A function given to Update
//
//   - sees the effects of those before it;
//   - may run more than once, since a group is undone and run anew without the
//     one that failed: what it changes in memory belongs into
//     [Tx.AfterCommit];
//   - must be quick, and must not call Update itself.
//
// # Tables
//
// A table is made by its first Put. Keys are ordered bytewise; keys that rise
// are the cheapest. Names of tables are paths that begin with the name of the
// package whose they are: "sqs/messages/...".
//
// # Why bbolt
//
// It is one file with a lock, whose commit is atomic by a checksummed page, and
// takes 0.6 to 1.7 million puts and deletes of 300 to 1,000 bytes a second in
// groups of hundreds on one core; its file stays at 16 MB where messages come
// and go. Pebble and Badger keep a folder of files. An append-only log of our
// own was three to five times as fast, but needs an index of all keys in
// memory, and compaction.
package store
