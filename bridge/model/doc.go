// Package model is the application that a cloud assembly defines: its
// functions and what invokes them, with every value resolved for a local run.
//
// [Read] makes an [Application] from the stacks of one stage. All consumers
// (the SAM template, the embedded engine, tables and JSON) read it, and none
// of them looks back at CloudFormation.
//
// To add a resource type: a struct in model.go, and one reader in the table in
// read.go.
package model
