// Package metadata is the one contract between constructs and bridge: what a
// construct knows and CloudFormation cannot say. It travels as the Metadata
// attribute of a resource, under [Key], and the bridge works without it.
//
// The contract is plain JSON, so a construct library in another language can
// write it too:
//
//	"Metadata": {"Bailey": {"Entry": "./app/functions/checkout"}}
package metadata
