// Package cfn reads CloudFormation templates and evaluates their intrinsic
// functions for a local run.
//
// A [Template] is one parsed file. An [Evaluation] holds the stacks that may
// refer to each other: by exports and imports, by a nested stack's parameters
// and outputs, by SSM parameters that one stack makes and another reads. Each
// stack is a [Scope] of it, and [Scope.Eval] turns any value of its template
// into one without intrinsics.
//
// Every value is deterministic: the same templates give the same names and
// ARNs on every machine. Where a value cannot be known locally, the result
// holds a text that begins with [UnresolvedPrefix], and a [Problem] says which
// expression it was, where it stands and why. Nothing becomes an empty string.
//
// Where a stack is deployed, and what AWS tells of it is given as [Deployed], its
// resources have their real names and ARNs in place of made ones.
//
// A template may be anyone's. What it can ask for is bounded: see limits.go.
//
// The words are CloudFormation's own. "Intrinsic function reference",
// "Pseudo parameters reference" and the "Return values" of each resource type
// in the AWS CloudFormation User Guide and Template Reference are the sources
// of what is here.
package cfn
