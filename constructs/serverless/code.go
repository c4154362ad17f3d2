package serverless

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecrassets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/gofiles"
	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
	"github.com/bailey-cdk/bailey/internal/build"
	"github.com/bailey-cdk/bailey/internal/metadata"
)

// buildFolder holds what is compiled, below the folder of cdk.json. It can be
// deleted at any time.
const buildFolder = ".bailey/build"

// code makes the function's code asset from checked props.
func (p *FunctionProps) code(scope constructs.Construct, faults *prop.Faults) awslambda.Code {
	switch {
	case p.Entry != "":
		return p.goCode(scope, faults)
	case p.CodeUri != "":
		return assetCode(p.CodeUri)
	case p.ImageUri != "":
		return newImageCode(p)
	case p.Dockerfile != "":
		return p.dockerCode()
	}
	return placeholder(faults)
}

// goCode compiles the Entry, unless nobody will deploy what this synth writes.
func (p *FunctionProps) goCode(scope constructs.Construct, faults *prop.Faults) awslambda.Code {
	if !compiles(scope) {
		return placeholder(faults)
	}
	target := build.Target{
		Package:      p.Entry,
		Tags:         p.BuildTags,
		OS:           "linux",
		Architecture: string(p.Architecture),
		Output:       p.output(),
	}
	if _, err := build.Go(context.Background(), target); err != nil {
		faults.Add("%s", buildFault(p.Entry, err))
		return placeholder(faults)
	}
	return assetCode(target.Output)
}

// compiles tells whether this synth is one whose code assets are used: not a
// local one, and not one for a command that reads only the tree, such as cdk ls.
func compiles(scope constructs.Construct) bool {
	switch scope.Node().TryGetContext(jsii.String(metadata.ContextLocal)) {
	case true, "true":
		return false
	}
	return *awscdk.Stack_Of(scope).BundlingRequired()
}

// output is the folder for what the Entry is compiled into: the same for all
// functions that have the same Entry, tags and architecture.
func (p *FunctionProps) output() string {
	sum := sha256.Sum256([]byte(p.Entry + "\x00" + strings.Join(p.BuildTags, "\x00")))
	name := path.Base(path.Clean(filepath.ToSlash(p.Entry)))
	return path.Join(buildFolder, fmt.Sprintf("%s-%s-%s", name, p.Architecture, hex.EncodeToString(sum[:4])))
}

// reported holds the compiler messages that were shown: functions with one
// Entry fail alike, and the message is long.
var reported = map[string]bool{}

func buildFault(entry string, err error) string {
	var compile *build.CompileError
	if !errors.As(err, &compile) {
		return "Entry: " + err.Error()
	}
	if text := err.Error(); reported[text] {
		return fmt.Sprintf("Entry %q does not compile, as said above", entry)
	}
	reported[err.Error()] = true
	return "Entry: " + err.Error()
}

// checkEntry finds what can be told without the Go compiler, so that a local
// synth reports it too.
func checkEntry(p *FunctionProps) []string {
	if p.Runtime != "" && p.Runtime != "provided.al2023" && p.Runtime != "provided.al2" {
		return prop.Messages("Entry is compiled for provided.al2023, but Runtime is %q: leave Runtime out", p.Runtime)
	}
	if p.Handler != "" && p.Handler != build.Bootstrap {
		return prop.Messages("Entry is compiled into the executable %q, but Handler is %q: leave Handler out", build.Bootstrap, p.Handler)
	}
	if filepath.IsAbs(p.Entry) {
		return prop.Messages("Entry %q is absolute: write it relative to the folder of cdk.json, such as \"./functions/checkout\"", p.Entry)
	}
	if !strings.HasPrefix(p.Entry, "./") && !strings.HasPrefix(p.Entry, "../") {
		return checkImportPath(p.Entry)
	}
	return checkEntryFolder(p)
}

// checkImportPath finds the folder that was meant as one: without "./" the go
// command takes it for an import path.
func checkImportPath(entry string) []string {
	if info, err := os.Stat(entry); err == nil && info.IsDir() {
		return prop.Messages("Entry %q is a folder, but reads as an import path: write %q", entry, "./"+entry)
	}
	return nil
}

func checkEntryFolder(p *FunctionProps) []string {
	info, err := os.Stat(p.Entry)
	if err != nil {
		return prop.Messages("Entry %q is not there: name the folder of a Go main package, relative to the folder of cdk.json", p.Entry)
	}
	if !info.IsDir() {
		return prop.Messages("Entry %q is a file: name its folder", p.Entry)
	}
	goarch, ok := map[Architecture]string{ARM64: "arm64", X86_64: "amd64"}[p.Architecture]
	if !ok {
		return nil // That is a mistake of its own.
	}
	name, known := gofiles.Package(p.Entry, goarch, append([]string{"lambda.norpc"}, p.BuildTags...))
	switch {
	case !known:
		return nil // The compiler says it better.
	case name == "":
		return prop.Messages("Entry %q has no Go files for Linux: name the folder of a Go main package", p.Entry)
	case name != "main":
		return prop.Messages("Entry %q is the package %s: a function is a package main, which calls lambda.Start", p.Entry, name)
	}
	return nil
}

// sourceMetadata is the form of [metadata.Function] that jsii can carry.
func sourceMetadata(entry string, tags []string) map[string]any {
	m := map[string]any{"Entry": entry}
	if len(tags) > 0 {
		m["Tags"] = tags
	}
	return m
}

// notBuilt is what a placeholder says to whoever finds it in an assembly, or
// even in a function.
const notBuilt = `This is a placeholder, not the code of the function.

The function is a Go package, and this assembly was written by a synth that does
not compile: a local one (context ` + metadata.ContextLocal + `), which leaves that to
the local run, or one for a command that only reads the stacks, such as cdk ls.
It must not be deployed. cdk synth and cdk deploy compile the package.
`

// placeholder is the code of a function that is not compiled.
func placeholder(faults *prop.Faults) awslambda.Code {
	folder, err := writePlaceholder(filepath.Join(buildFolder, "not-built"))
	if err != nil {
		faults.Add("the folder %s can't be written: %v", buildFolder, err)
		folder, _ = os.MkdirTemp("", "bailey-not-built-")
	}
	return assetCode(folder)
}

// assetCode is a folder or file relative to the working folder. The kernel may
// have been started in another.
func assetCode(path string) awslambda.Code {
	return awslambda.Code_FromAsset(absolute(path), nil)
}

func absolute(path string) *string {
	if full, err := filepath.Abs(path); err == nil {
		return &full
	}
	return &path
}

func writePlaceholder(folder string) (string, error) {
	file := filepath.Join(folder, metadata.Placeholder)
	if have, err := os.ReadFile(file); err == nil && string(have) == notBuilt {
		return folder, nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	// Beside the folder, whose every file is part of the asset.
	temporary, err := os.CreateTemp(filepath.Dir(folder), ".not-built-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.WriteString(notBuilt)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err != nil {
		return "", err
	}
	return folder, os.Rename(temporary.Name(), file)
}

// dockerCode builds the image for the function's own architecture, not for that
// of whoever deploys.
func (p *FunctionProps) dockerCode() awslambda.Code {
	folder := p.DockerContext
	if folder == "" {
		folder = "."
	}
	platform := awsecrassets.Platform_LINUX_ARM64()
	if p.Architecture == X86_64 {
		platform = awsecrassets.Platform_LINUX_AMD64()
	}
	return awslambda.Code_FromAssetImage(absolute(folder), &awslambda.AssetImageCodeProps{
		File:       &p.Dockerfile,
		BuildArgs:  prop.OptionalMap(p.DockerBuildArgs),
		Target:     prop.Optional(p.DockerTarget),
		Platform:   platform,
		Cmd:        prop.OptionalStrings(p.ImageCommand),
		Entrypoint: prop.OptionalStrings(p.ImageEntryPoint),
	})
}

// imageCode is the code of an image that is named by its URI. The CDK has one
// for a repository construct only, which would need a scope of its own.
type imageCode struct {
	awslambda.Code
	image awslambda.CodeImageConfig
}

func newImageCode(p *FunctionProps) awslambda.Code {
	code := &imageCode{image: awslambda.CodeImageConfig{
		ImageUri:   &p.ImageUri,
		Cmd:        prop.OptionalStrings(p.ImageCommand),
		Entrypoint: prop.OptionalStrings(p.ImageEntryPoint),
	}}
	awslambda.NewCode_Override(code)
	return code
}

// Bind implements [awslambda.Code].
func (c *imageCode) Bind(constructs.Construct) *awslambda.CodeConfig {
	return &awslambda.CodeConfig{Image: &c.image}
}

func (p *FunctionProps) isImage() bool { return p.ImageUri+p.Dockerfile != "" }

func (p *FunctionProps) lambdaHandler() *string {
	switch {
	case p.isImage():
		return awslambda.Handler_FROM_IMAGE()
	case p.Handler != "":
		return &p.Handler
	}
	return jsii.String(build.Bootstrap)
}

func (p *FunctionProps) lambdaRuntime() awslambda.Runtime {
	switch {
	case p.isImage():
		return awslambda.Runtime_FROM_IMAGE()
	case p.Runtime == "":
		return awslambda.Runtime_PROVIDED_AL2023()
	}
	return runtimeNamed(p.Runtime)
}

// runtimeNamed makes the CDK's value for a runtime, equal to its constant where
// it has one, so that a layer that lists its runtimes accepts it.
func runtimeNamed(name string) awslambda.Runtime {
	family, inline := awslambda.RuntimeFamily_OTHER, false
	for _, f := range []struct {
		prefix string
		family awslambda.RuntimeFamily
		inline bool
	}{
		{"nodejs", awslambda.RuntimeFamily_NODEJS, true},
		{"python", awslambda.RuntimeFamily_PYTHON, true},
		{"java", awslambda.RuntimeFamily_JAVA, false},
		{"dotnet", awslambda.RuntimeFamily_DOTNET_CORE, false},
		{"ruby", awslambda.RuntimeFamily_RUBY, false},
	} {
		if strings.HasPrefix(name, f.prefix) {
			family, inline = f.family, f.inline
		}
	}
	return awslambda.NewRuntime(&name, family, &awslambda.LambdaRuntimeProps{SupportsInlineCode: &inline})
}
