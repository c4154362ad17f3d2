// Package synth runs a CDK app, as "cdk synth" does and without the cdk command,
// and leaves a cloud assembly.
//
// # What the app is given
//
// The command in cdk.json's "app" is run by the shell in the folder of cdk.json,
// after its "build", with the environment that release 2.1148 of the cdk command
// gives an app:
//
//	CDK_OUTDIR              a fresh folder, see below
//	CDK_CONTEXT_JSON        the context; what is beyond 20 kB goes to a file
//	                        that CONTEXT_OVERFLOW_LOCATION_ENV names
//	CDK_DEFAULT_REGION      Options.Region; else AWS_REGION, AMAZON_REGION,
//	                        AWS_DEFAULT_REGION, AMAZON_DEFAULT_REGION; else the
//	                        region of the AWS profile; else us-east-1
//	CDK_DEFAULT_ACCOUNT     Options.AccountID; where that is empty, whatever the
//	                        environment holds (the cdk command asks AWS)
//	CDK_CLI_ASM_VERSION     the cloud assembly schema
//	CDK_CLI_VERSION         the release of the cdk command that is followed
//
// The context is that of Options.Context, cdk.json, cdk.context.json and
// ~/.cdk.json, the first that has a key winning, and then what the settings
// pathMetadata, assetMetadata, versionReporting and staging of cdk.json say
// (all true by default: templates carry aws:cdk:path and aws:asset:path; but
// versionReporting is false for a local synth, whose constructs nobody counts, and
// the metadata that only it needs are left out then). The
// EC2 metadata service is not asked for a region: it takes seconds to find that
// a developer's machine has none.
//
// Five variables are Bailey's own choice, each kept where the user has set it:
// JSII_RUNTIME_PACKAGE_CACHE=enabled (jsii then unpacks aws-cdk-lib once and not
// at each run), NODE_COMPILE_CACHE in the user's cache (Node.js 22.1 and newer then
// compile aws-cdk-lib once), GOGC=400 (a Go app ends soon, and so does the go
// command: collecting an app's garbage is a twentieth of its time), JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION with the version in
// use (the banner is eleven lines long, and the version is checked here), and,
// for a local synth, CDK_VALIDATION=false (a linter for what is deployed, and a
// local assembly never is).
//
// # The last good assembly
//
// The app writes into a new folder beside the output folder, which takes its
// place when the app has succeeded without a fault. A failed run leaves the
// assembly of the last good one, whole, for whoever is reading it.
//
// # Nothing changed
//
// An app that is run by "go run" is not run again while all that it may depend on
// is the same, by content: its own source, the versions in go.mod and go.work, each
// other file of the project (of Go source that is not the app's, such as the
// functions', only that it exists), the configuration and the context, the
// environment, the region, and the versions of Go, Node.js and Bailey. Variables
// that only tell of the terminal do not count. An app can list those that it reads
// in the context, "bailey:environment": ["STAGE", "FEATURE_*"]; then, beside those
// of AWS, the CDK and the toolchains, only these do.
//
// Where that is not all, the app is run each time: an asset that is no copy of
// files of the project, source or links outside it, a "build" command, a project
// of more than 20,000 files or 512 MB. What an app reads over the network, from
// the clock, or from files outside the project is not seen; Options.Force is for
// that.
//
// Which files have changed is found without reading all of them: package filehash
// says how, and why that is no matter of time stamps. Once that was found some
// seconds after the last change, a seal over all of these files says it the next time.
//
// # The compiled app
//
// "go run" compiles an app anew whenever its command is run, and asks the go
// command each time whether it must. Here the compiled app is kept, in .bailey/app,
// under a name that is the hash of all that it was made from: the app's source and
// go.mod files, the toolchain, and the environment that go build looks at. It is
// run directly as long as that is its name, and gets what "go run" would give to
// it: the arguments, and the toolchain first on the PATH. Where the source cannot
// be told for sure (links, C code, GOFLAGS with -overlay and the like, source from
// outside) it is compiled each time and thrown away.
//
// An app of which only bodies in its main package have changed is compiled and linked
// without the go command, which takes a fifth of the time to find that out; package
// build says how. What is left of a changed app is its link: more than a second for
// the 83 MB and 400 packages that a CDK app consists of, nearly all of them reachable
// from the tables of types that the CDK registers. Go's linker starts from nothing
// each time, and has no flag that would help.
//
// Which packages an app consists of is asked of the go command when an import, a
// directive, a file name or a go.mod has changed, and not for a changed body.
//
// # Node.js
//
// Each CDK app needs Node.js, the Go, Python, Java and .NET ones through jsii,
// which runs what JSII_NODE names or the node of the PATH. The oldest that is
// accepted is 18, which aws-cdk-lib 2.220 and the cdk command declare as theirs;
// aws-cdk-lib asks for 20 later, and says so itself. It is checked before the app
// is run, for a Go app may well compile for a minute first. An app that is not
// known to need it (a script, say) is not held up.
//
// # Kernels
//
// For a Go app whose command is "go run", JSII_RUNTIME gives the app a kernel that
// has loaded the CDK already, where one waits. Package kernel has the whole of it.
//
// # Faults
//
// Constructs report faults as error annotations. All of them, from all stages,
// are one [*FaultsError]. An app that ends otherwise than with status 0 is an
// [*AppError], whose first line says what failed and where in the user's own
// code; jsii's and Go's stack traces come after it.
package synth
