package model

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/cfn"
	"github.com/bailey-cdk/bailey/internal/metadata"
)

// What Lambda takes where a template says nothing. See AWS::Lambda::Function
// in the AWS CloudFormation Template Reference.
const (
	defaultMemorySize       = 128
	defaultTimeout          = 3 * time.Second
	defaultEphemeralStorage = 512
)

// maxEnvironment bounds a function's variables together, in bytes. Lambda takes
// 4 KB; local values may be longer than those of AWS, but a process does not
// take everything.
const maxEnvironment = 64 << 10

func (r *reader) function(res *resource) {
	f := &Function{
		ID:                  res.identity(),
		Description:         r.text(res, "Description"),
		Runtime:             r.text(res, "Runtime"),
		Handler:             r.text(res, "Handler"),
		Architecture:        cmp.Or(first(r.texts(res, "Architectures")), "x86_64"),
		MemorySize:          r.number(res, "MemorySize", defaultMemorySize),
		Timeout:             time.Duration(r.number(res, "Timeout", int(defaultTimeout/time.Second))) * time.Second,
		EphemeralStorage:    r.number(res, "EphemeralStorage.Size", defaultEphemeralStorage),
		ReservedConcurrency: r.number(res, "ReservedConcurrentExecutions", -1),
		LogFormat:           cmp.Or(r.text(res, "LoggingConfig.LogFormat"), "Text"),
		ApplicationLogLevel: r.text(res, "LoggingConfig.ApplicationLogLevel"),
		Tracing:             cmp.Or(r.text(res, "TracingConfig.Mode"), "PassThrough"),
		DeadLetterARN:       r.text(res, "DeadLetterConfig.TargetArn"),
		VPC:                 len(r.texts(res, "VpcConfig.SubnetIds")) > 0,
		FileSystems:         r.fileSystems(res),
		Helper:              isHelper(res.path),
	}
	f.Name = r.functionNames[res]
	f.FunctionName, _ = res.scope.PhysicalName(res.id)
	f.ARN = r.arn(res)
	f.LogGroup = cmp.Or(r.text(res, "LoggingConfig.LogGroup"), "/aws/lambda/"+f.FunctionName)
	r.environment(res, f)
	r.functionLayers(res, f)
	r.code(res, f)
	r.keepNameUnique(res, f)
	r.functions[f.ARN] = f
	r.app.Functions = append(r.app.Functions, f)
}

func (r *reader) fileSystems(res *resource) []FileSystem {
	var all []FileSystem
	for _, config := range r.objects(res, "FileSystemConfigs") {
		fs := FileSystem{textOf(config["Arn"]), textOf(config["LocalMountPath"])}
		all = append(all, fs)
		r.warn(res, "FileSystemConfigs", "the file system at %s is not mounted locally; the function sees what this machine has there", fs.LocalMountPath)
	}
	return all
}

// alias makes an alias one of its function's names.
func (r *reader) alias(res *resource) {
	if f := r.functionByName(res, r.text(res, "FunctionName")); f != nil {
		f.Aliases = append(f.Aliases, r.text(res, "Name"))
		slices.Sort(f.Aliases)
	}
}

// arn is the resource's own Fn::GetAtt Arn.
func (r *reader) arn(res *resource) string { return r.attribute(res, "Arn") }

// attribute is what Fn::GetAtt gives for the resource.
func (r *reader) attribute(res *resource, name string) string {
	value, problems := res.scope.GetAtt(res.id, name, "Resources."+res.id)
	r.problems(res, problems)
	return value
}

// keepNameUnique renames a function whose name another has, in another region
// or account say: on this machine there is only one place for both.
func (r *reader) keepNameUnique(res *resource, f *Function) {
	if other, ok := r.names[f.FunctionName]; ok {
		f.FunctionName = spell(res.stack.Name + "-" + f.FunctionName)
		r.warn(res, "FunctionName", "%s has the same FunctionName; in local runs this function is called %s", other, f.FunctionName)
	}
	r.names[f.FunctionName] = f.Path
}

func (r *reader) environment(res *resource, f *Function) {
	left := maxEnvironment
	environment, _ := res.r.Properties["Environment"].(map[string]any)
	variables, _ := environment["Variables"].(map[string]any)
	f.Environment = make(map[string]string, len(variables))
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		value, problems := res.scope.String(variables[name], res.at("Environment.Variables."+name))
		r.problems(res, problems)
		if left -= len(value); left < 0 {
			r.warn(res, "Environment.Variables."+name, "the function's variables are over 64 KiB together, and Lambda takes 4 KB; it is left out")
			value = cfn.UnresolvedPrefix + "(" + name + ")"
		}
		f.Environment[name] = value
		for _, p := range problems {
			if p.Secret && !slices.Contains(f.Secrets, name) {
				f.Secrets = append(f.Secrets, name)
			}
		}
	}
}

func (r *reader) functionLayers(res *resource, f *Function) {
	for _, arn := range r.texts(res, "Layers") {
		layer, ok := r.layers[arn]
		if !ok {
			layer = &Layer{ID: ID{Path: arn, Name: pathEnd(arn, 1)}, ARN: arn}
			r.layers[arn] = layer
		}
		f.Layers = append(f.Layers, layer)
	}
}

func (r *reader) layer(res *resource) {
	layer := &Layer{ID: res.identity(), CompatibleRuntimes: r.texts(res, "CompatibleRuntimes")}
	layer.Path = r.asset(res, "Content")
	arn, _ := res.scope.Ref(res.id, "Resources."+res.id)
	r.layers[arn] = layer
	r.app.Layers = append(r.app.Layers, layer)
}

// code finds a function's code: its Go source where the project has it, else
// inline text, an image or an asset.
func (r *reader) code(res *resource, f *Function) {
	if source := r.goSource(res); source != nil {
		f.Code.Go = source
		return
	}
	code, _ := res.r.Properties["Code"].(map[string]any)
	switch {
	case code["ZipFile"] != nil:
		f.Code.Inline = r.text(res, "Code.ZipFile")
	case code["ImageUri"] != nil:
		f.Code.Image = r.image(res)
	default:
		f.Code.Path = r.asset(res, "Code")
		r.refusePlaceholder(res, f)
	}
}

// goSource is the Go package that metadata names, if the project has it.
func (r *reader) goSource(res *resource) *GoSource {
	entry, ok := res.r.Metadata[metadata.Key]
	if !ok || r.o.Project == "" {
		return nil
	}
	var known metadata.Function
	text, _ := json.Marshal(entry)
	if err := json.Unmarshal(text, &known); err != nil || known.Entry == "" {
		r.warn(res, "Metadata."+metadata.Key, "it does not say which Go package the function is made of; its code asset is used")
		return nil
	}
	source := &GoSource{Dir: r.o.Project, Package: known.Entry, Tags: known.Tags}
	if !strings.HasPrefix(known.Entry, ".") && !filepath.IsAbs(known.Entry) {
		return source // an import path, which go build looks up in the module
	}
	dir := filepath.Join(r.o.Project, known.Entry)
	inside, err := filepath.Rel(r.o.Project, dir)
	if filepath.IsAbs(known.Entry) || err != nil || strings.HasPrefix(inside, "..") {
		r.warn(res, "Metadata."+metadata.Key, "the Go package %s lies outside the project %s; the function's code asset is used", known.Entry, r.o.Project)
		return nil
	}
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	return source
}

// refusePlaceholder drops the asset of a function that a local synth left
// unbuilt, and whose source is not here either.
func (r *reader) refusePlaceholder(res *resource, f *Function) {
	if !r.placeholder(f.Code.Path) {
		return
	}
	f.Code.Path = ""
	r.warn(res, "Code", "a local synth left this function unbuilt, and its Go source is not below this folder; run bailey from the folder of cdk.json")
}

// placeholder says whether an asset is one that a local synth left unbuilt. Many
// functions may share one asset.
func (r *reader) placeholder(path string) bool {
	unbuilt, known := r.placeholders[path]
	if !known {
		_, err := os.Stat(filepath.Join(path, metadata.Placeholder))
		unbuilt = path != "" && err == nil
		r.placeholders[path] = unbuilt
	}
	return unbuilt
}

func (r *reader) image(res *resource) *Image {
	image := &Image{
		URI:              r.text(res, "Code.ImageUri"),
		Command:          r.texts(res, "ImageConfig.Command"),
		EntryPoint:       r.texts(res, "ImageConfig.EntryPoint"),
		WorkingDirectory: r.text(res, "ImageConfig.WorkingDirectory"),
	}
	asset, ok, err := res.stack.Assets.Image(image.URI)
	if err != nil {
		r.warn(res, "Code.ImageUri", "%v", err)
	}
	if ok && err == nil {
		image.Context, image.Dockerfile, image.BuildArgs, image.Target = asset.Context, asset.Dockerfile, asset.BuildArgs, asset.Target
	}
	return image
}

// asset is the absolute path of the file asset that a property names by its
// S3 key, or by metadata. It is "" with a warning where there is none.
func (r *reader) asset(res *resource, property string) string {
	key := r.text(res, property+".S3Key")
	path, ok, err := res.stack.Assets.File(key)
	if !ok {
		name, _ := res.r.Metadata["aws:asset:path"].(string)
		if name == "" {
			r.warn(res, property, "its code is %s in an S3 bucket, and no asset of the assembly; it cannot run locally", strconv.Quote(key))
			return ""
		}
		path, err = res.stack.Assets.Path(name)
	}
	if err != nil {
		r.warn(res, property, "%v", err)
		return ""
	}
	return path
}

// isHelper recognises the functions that constructs of the CDK itself make.
var helperID = regexp.MustCompile(`^(Custom::.*|LogRetention[0-9a-f]{8,}|BucketNotificationsHandler[0-9a-f]*|AWS[0-9a-f]{32}|AWSCDK.*|framework-(onEvent|isComplete|onTimeout)|@aws-cdk--.*)$`)

func isHelper(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), helperID.MatchString)
}

// text is a property as a text, "" where it is not given.
func (r *reader) text(res *resource, name string) string {
	value := r.property(res, name)
	switch value.(type) {
	case []any, map[string]any:
		r.warn(res, name, "it is a list or a map, where a text is needed")
		return ""
	}
	return textOf(value)
}

// number is a property as a whole number, fallback where it is not given.
func (r *reader) number(res *resource, name string, fallback int) int {
	text := r.text(res, name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		r.warn(res, name, "it is %q, where a whole number is needed; %d is taken", text, fallback)
		return fallback
	}
	return n
}

// texts is a property as a list of texts.
func (r *reader) texts(res *resource, name string) []string {
	list, _ := r.property(res, name).([]any)
	all := make([]string, 0, len(list))
	for _, e := range list {
		all = append(all, fmt.Sprint(e))
	}
	return all
}

// objects is a property as a list of objects.
func (r *reader) objects(res *resource, name string) []map[string]any {
	list, _ := r.property(res, name).([]any)
	var all []map[string]any
	for _, e := range list {
		if object, ok := e.(map[string]any); ok {
			all = append(all, object)
		}
	}
	return all
}

// textOf is the text of an evaluated value, "" for none, JSON for a list or an
// object.
func textOf(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	}
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if e.Encode(value) != nil {
		return ""
	}
	return strings.TrimSpace(text.String())
}

// textMap is a property as a map of texts.
func (r *reader) textMap(res *resource, name string) map[string]string {
	object, _ := r.property(res, name).(map[string]any)
	m := make(map[string]string, len(object))
	for key, value := range object {
		m[key] = fmt.Sprint(value)
	}
	return m
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}
