// Package dynamodb is Amazon DynamoDB and its streams on this machine.
//
// # Which DynamoDB
//
// Tables are kept by dynalite, a DynamoDB that Architect maintains for its own
// local runs: 4.0.0 is of October 2025, and needs Node.js 20, which every CDK
// app needs already. It is 10 MB, starts in a fifth of a second, keeps its
// tables in LevelDB, and answers with DynamoDB's own validation errors, for
// which its tests are run against AWS. Amazon's DynamoDB Local knows more, and
// is slower to start by seconds, needs a Java runtime and a download of 60 MB
// from no package registry that a Go or Node.js user has set up; emulators of
// it in Go are libraries for unit tests that keep nothing.
//
// It is installed on first use by npm, without install scripts, from a lock
// file with the digests of all its parts, below $BAILEY_CACHE or
// ~/.cache/bailey. It runs as a child of this process for as long as its
// standard input is open, listens on a Unix socket only, and keeps its tables
// in .bailey/dynamodb.
//
// # What is added to it
//
// Requests go through this package, which adds what dynalite has not:
//
//   - Streams. Around each write to a table that has one, the item is read
//     before and after under a lock of its own, and the record is durable
//     before the write is answered. What is about to be written is noted
//     before, so that a process that dies in between makes the record when it
//     is started again. A stream has one shard, and keeps its records for 24
//     hours.
//   - TransactWriteItems and TransactGetItems, while nothing else reads or
//     writes. A transaction that fails, or dies with the process, is undone.
//   - Time to live: items are deleted within seconds, not days.
//   - ReturnValuesOnConditionCheckFailure.
//   - ARNs in place of table names.
//
// # Where it differs
//
// All tables are on demand. There are no backups, global tables, imports,
// exports or PartiQL. Tables that leave the application stay, as the CDK's
// default removal policy has it. A table whose indexes change is made anew with
// its items. One whose key changes begins empty, as in a deployment; its items
// are kept in a file beside the tables, which the log names.
//
// See the Amazon DynamoDB API Reference, and "Change data capture for DynamoDB
// Streams" in the Amazon DynamoDB Developer Guide.
package dynamodb
