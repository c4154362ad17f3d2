// Package build compiles a Go main package into the file that Lambda runs, a
// static executable named "bootstrap" in a folder of its own.
//
// # One set of bytes
//
// The same source, toolchain and target give the same bytes, in whatever folder
// the source lies and whoever builds it. CDK names an asset by the hash of its
// content, so anything less would deploy functions that nobody changed. Each
// build is made with
//
//	CGO_ENABLED=0 GOOS=linux GOARCH=... go build -trimpath -buildvcs=false \
//	    -tags lambda.norpc,... -ldflags "-s -w -buildid="
//
// (for one that is run here, [Target.OS], with -gcflags all=-dwarf=false too: the
// linker leaves that information out, but reads it, which is an eighth of its time)
// and what else a user's environment could change is held at Go's defaults:
// GOFLAGS, GOAMD64, GOARM64, GOEXPERIMENT, GOFIPS140, GO111MODULE, the CGO_
// variables and the linker's own (GO_EXTLINK_ENABLED, GO_LDSO), whether they
// come from the environment or from "go env -w". Three flags in GOFLAGS are kept,
// because they say where the dependencies are described and kept, and not how to
// compile: -mod, -modfile and -modcacherw. GOTOOLCHAIN, GOWORK and whatever finds modules (GOPROXY,
// GOPRIVATE and the like) keep the user's values too: they choose the source and
// the toolchain, and both are inputs.
//
// # Unchanged functions cost milliseconds
//
// Beside the output folder lies NAME.inputs.json, the record of what the last
// build was made from: the flags, the toolchain, go.mod, go.sum and go.work, and
// a hash of every file that the go command would read in the packages that are
// not in the module cache (those of the module itself, of a workspace, of a
// local replace and of a vendor folder). Packages in the module cache are fixed
// by go.sum. Where all of it is equal, and the bootstrap is the one that was
// recorded, [Go] runs nothing. Only content decides: time stamps lie after a git
// checkout, a restored cache, or an edit within the clock's resolution.
// Package filehash says which files are not read again for that, and how a function
// of which nothing has changed for some seconds is told without its record.
//
// What a package is made of is asked of the go command again when a file was added
// or removed, or when an import, a directive, go.mod or the like has changed: a
// changed body of a function does not change it ([SamePackages]).
//
// # A changed body
//
// Where only bodies of functions of the main package have changed, the go command
// would look at all packages of the program and then run the compiler once and the
// linker once, with the arguments of the last time. For an executable that is run
// here, these two are run as "go build -x" told the last time, NAME.recipe.json, and
// the go command is not. The result is the same to the last byte. It needs the
// compiled packages in Go's build cache, plain Go source in the main package (no
// embedded files, assembly or profile), and nothing else that changed; else, and
// whenever one of the two fails, the go command is asked. What is deployed, and what
// is debugged, is always the go command's own.
//
// The record is not in the output folder, since CDK hashes and uploads that
// folder. It holds no absolute path, so a checkout that was moved or restored on
// another machine still finds it valid.
package build
