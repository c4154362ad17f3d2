// Package s3 is Amazon S3 on this machine, over a folder.
//
// # The folder
//
// The object KEY of the bucket BUCKET is the file Dir/s3/BUCKET/KEY, so that a
// developer sees what is stored with the tools at hand, and may put files there:
// those that lie in a bucket's folder when the plane is opened are objects, and
// so are files that changed meanwhile.
//
// File systems hold less than S3 does. Characters that some of them do not take
// are written as %XX, an empty part of a key as "%"; and an object whose file
// cannot be where it should, since its key is too long, or is at the same time
// the folder of others, lies in the bucket's folder "%%" under the hash of its
// key. Files are opened by [os.Root]: no key, and no link in the folder, leads
// out of it.
//
// What else is known of an object (its ETag, metadata, checksum) is in the
// plane's store, in the order of keys, which also makes lists fast. A file is
// renamed to its place in the transaction that tells the store of it, one after
// the other: after a kill at any instant, an object is the old or the new one.
//
// # Requests
//
// Buckets are named in the path, http://127.0.0.1:4566/BUCKET/KEY, or in the
// host, http://BUCKET.localhost:4566/KEY. Answered are: ListBuckets; Create,
// Head, DeleteBucket and GetBucketLocation; Put, Get (with ranges and
// conditions), Head, Copy, Delete and DeleteObjects; ListObjects in both
// versions; multipart uploads; object tags; and the notification configuration
// of a bucket. There are no versions, no access control and no encryption: what
// requests say of these is let be. Presigned URLs work, and are not checked.
//
// Bodies may come in aws-chunked form with trailing checksums, as the SDKs send
// them since 2025. CRC32, CRC32C, CRC64NVME, SHA-1, SHA-256 and Content-MD5 are
// verified, and kept to be answered with. Multipart objects have no checksum.
//
// # Notifications
//
// What a bucket tells functions, queues, topics and the default bus is accepted
// in the transaction that makes or removes the object, in the form of
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html.
//
// # Why no library
//
// github.com/johannesboyne/gofakes3 is maintained and has the requests. But it
// holds multipart uploads in memory, takes no checksums in trailers, tells
// nobody of what happens, and its folder is a mirror of its own database, so that
// little of it would have been left.
package s3
