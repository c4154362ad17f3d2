// Package assembly reads a cloud assembly: the folder, usually cdk.out, in
// which the synthesis of a CDK app leaves its templates and assets.
//
// [Load] reads the manifest, every stage's nested assembly, every stack with
// its nested stacks, and the asset manifests. It is made for assemblies of any
// CDK app in any language, written by the cdk CLI or by the app itself, with
// or without metadata in the templates: construct paths come from the
// assembly's own metadata, and a function's code from the asset manifest.
//
// Nothing outside the assembly's folder is read: a path that leads out of it,
// be it by "..", an absolute path or a symbolic link, is an error. The one
// exception are assets that were not staged (cdk synth --no-staging), which the
// assembly names by absolute path: these may lie anywhere below the folder that
// holds the assembly, the app's project, unless that is the root of the file
// system.
//
// Words: a cloud assembly has artifacts; a stack is one kind of artifact, an
// asset manifest another, a nested assembly (a CDK Stage) a third. See "CDK
// cloud assembly schema" in the aws-cdk repository.
package assembly
