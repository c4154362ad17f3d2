// Package firehose is Amazon Data Firehose on this machine: delivery streams
// that buffer records, transform them, and write them to buckets and search
// indexes.
//
// # Records
//
// PutRecord and PutRecordBatch are acknowledged when the records are in the
// plane's store. They leave it in the transaction that puts the object in its
// bucket, so that a record is in the store or in an object at any instant, and
// never in two objects.
//
// # Buffers
//
// A buffer is delivered when it holds BufferingHints' megabytes, when its
// oldest record waited for its seconds, when [Service.Flush] is called, and when
// the plane closes. [Options.MaxInterval] shortens the wait, for people at a
// terminal; 300 seconds and 5 MB are Firehose's own.
//
// # Destinations
//
// S3, in both forms of configuration, with processors (a Lambda function,
// MetadataExtraction by JQ, RecordDeAggregation, AppendDelimiterToRecord),
// dynamic partitioning, prefix expressions, compression and source backup. What
// a function fails to transform is written below the error output prefix, in
// Firehose's own form: a JSON line for each record. Conversion to Parquet and ORC
// is not done: the objects have the JSON records, and the log says so. A record
// that is no JSON object, which no conversion could read, fails as on AWS.
//
// OpenSearch Service and Elasticsearch: the documents go into a local index, or
// to a real cluster where [Options.OpenSearch] names one. The local index is a
// file of one JSON object a line, Dir/opensearch/DOMAIN/INDEX.ndjson, rotated as
// IndexRotationPeriod says, and answers below /_opensearch/DOMAIN/ on the
// plane's address: see search.go. Documents that are not JSON objects, or that
// the cluster refuses, go to the backup bucket, and all of them with
// AllDocuments.
//
// Other destinations keep their records in the store, and the log says so once.
//
// See https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html,
// https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html and
// https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html.
package firehose
