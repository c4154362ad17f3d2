package metadata

// Key is the key of Bailey's entry in a resource's Metadata attribute.
const Key = "Bailey"

// ContextLocal is the CDK context key that asks for a local synth. Where it is
// "true", a Function with an Entry is not compiled during synth: its code asset
// holds a placeholder, and the bridge builds the Entry for the host instead.
// Such an assembly must never be deployed, so it is written to a folder of its
// own ([LocalAssembly]).
const ContextLocal = "bailey:local"

// LocalAssembly is where a local synth writes its cloud assembly, relative to
// the folder of cdk.json.
const LocalAssembly = ".bailey/cdk.out"

// Placeholder is the name of the one file in the code asset of a function that
// a local synth left uncompiled.
const Placeholder = "NOT-BUILT.txt"

// Function is the entry of an AWS::Lambda::Function.
type Function struct {
	// Entry is the Go main package, as go build takes it: a path that begins
	// with "./", relative to the folder of cdk.json, or an import path.
	Entry string `json:"Entry,omitempty"`
	// Tags are the Go build tags, beyond lambda.norpc.
	Tags []string `json:"Tags,omitempty"`
}
