// Package sqs is Amazon SQS on this machine.
package sqs
