package samtemplate

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/internal/atomicfile"
)

// DefaultDir is where the SAM CLI looks for a built template.
const DefaultDir = ".aws-sam/build"

// Format is a form of the template.
type Format string

// The formats.
const (
	// CloudFormation has AWS::Lambda and AWS::ApiGatewayV2 resources, in JSON,
	// which YAML includes and the SAM CLI loads fastest.
	CloudFormation Format = "cloudformation"
	// SAM has AWS::Serverless resources, in YAML.
	SAM Format = "sam"
)

// Options of [Write].
type Options struct {
	// Dir is the folder to write to, DefaultDir where "".
	Dir string
	// Format is CloudFormation where "".
	Format Format
	// Helpers keeps the functions that the CDK's own constructs made.
	Helpers bool
}

// Result says what was written.
type Result struct {
	// Template is the path of template.yaml.
	Template string
	// APIs are the paths of the templates of single APIs, where there are
	// several.
	APIs []string
	// Functions are those in the template.
	Functions []*model.Function
	// Notes are what the SAM CLI will do otherwise than AWS, or not at all.
	Notes []model.Diagnostic
}

// Write writes the template and what belongs to it. Functions with Go source
// must have been built. Each file is replaced whole; nothing is written where
// a check of the template fails.
func Write(app *model.Application, o Options) (*Result, error) {
	if o.Dir == "" {
		o.Dir = DefaultDir
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	w := &writer{
		app: app, dir: dir, format: o.Format, helpers: o.Helpers,
		code: map[string]bool{}, noted: map[model.Diagnostic]bool{}, relatives: map[string]string{}, files: map[string][]byte{},
	}
	if w.format == "" {
		w.format = CloudFormation
	}
	if err := w.render(); err != nil {
		return nil, err
	}
	result := &Result{Template: filepath.Join(o.Dir, "template.yaml"), Functions: w.functions, Notes: w.notes}
	for _, name := range w.apiFiles {
		result.APIs = append(result.APIs, filepath.Join(o.Dir, name))
	}
	return result, w.store()
}

// writer makes the files of one application.
type writer struct {
	app     *model.Application
	dir     string
	format  Format
	helpers bool

	names     names
	functions []*model.Function
	written   map[*model.Function]int // the place of each in functions
	code      map[string]bool         // what is there: see checker
	notes     []model.Diagnostic
	noted     map[model.Diagnostic]bool // what notes holds
	relatives map[string]string         // what relative gave before
	files     map[string][]byte
	apiFiles  []string
}

// render makes all files in memory.
func (w *writer) render() error {
	w.names = nameAll(w.app)
	functions := w.writable()
	w.written = make(map[*model.Function]int, len(functions))
	for i, f := range functions {
		w.written[f] = i
	}
	if len(functions) == 0 {
		w.warn("", "the application has no function that the SAM CLI could run, and it refuses a template without resources")
	}
	env := make(chan []byte, 1)
	go func() { env <- w.envFile(functions) }() // while the templates are made
	main, alone := w.arrange()
	for _, api := range alone {
		name := "api-" + api.Name + ".yaml"
		if err := w.template(name, w.usedBy(api), []*model.API{api}); err != nil {
			return err
		}
		w.apiFiles = append(w.apiFiles, name)
	}
	if len(alone) > 0 {
		w.warn("", "the SAM CLI serves all APIs of a template as one, so that of %s has a template of its own: sam local start-api -t %s", alone[0].Path, filepath.Join(DefaultDir, w.apiFiles[0]))
	}
	if err := w.template("template.yaml", functions, main); err != nil {
		return err
	}
	for _, api := range w.app.WebSocketAPIs {
		w.warn(api.Path, "the SAM CLI serves no WebSocket API, and can invoke its functions by name; bailey local start-api serves it")
	}
	w.functions = functions
	w.files["env.json"] = <-env
	w.files["samconfig.toml"] = []byte(samconfig)
	return nil
}

// arrange says which API is in template.yaml: the only HTTP or REST API, or the
// only function URL of an application without these. All others get a template
// of their own.
func (w *writer) arrange() (main, alone []*model.API) {
	var gateways, urls []*model.API
	for _, api := range w.app.APIs {
		if api.Protocol == model.FunctionURL {
			urls = append(urls, api)
		} else {
			gateways = append(gateways, api)
		}
	}
	if len(gateways) == 0 {
		gateways, urls = urls, nil
	}
	if len(gateways) > 1 {
		return nil, w.app.APIs
	}
	return gateways, urls
}

// samconfig keeps containers warm, which the SAM CLI does not do by itself.
const samconfig = `# Written by bailey bridge. The SAM CLI reads it when it is given the template
# beside it: sam local start-api -t .aws-sam/build/template.yaml
version = 0.1

[default.local_start_api.parameters]
warm_containers = "LAZY"

[default.local_start_lambda.parameters]
warm_containers = "LAZY"
`

// usedBy are those of the written functions that an API's routes go to, or that
// decide who may call them.
func (w *writer) usedBy(api *model.API) []*model.Function {
	var used []*model.Function
	for _, route := range api.Routes {
		if w.writes(route.Function) {
			used = append(used, route.Function)
		}
		if w.servesAuthorizer(route.Authorizer) {
			used = append(used, route.Authorizer.Function)
		}
	}
	slices.SortFunc(used, func(a, b *model.Function) int { return w.written[a] - w.written[b] })
	return slices.Compact(used)
}

// writes says whether a function is in template.yaml, and in the template of
// each API that uses it.
func (w *writer) writes(f *model.Function) bool {
	_, ok := w.written[f]
	return ok
}

// template renders and checks one template.
func (w *writer) template(name string, functions []*model.Function, apis []*model.API) error {
	var resources section
	if w.format == SAM {
		resources = w.serverless(functions, apis)
	} else {
		resources = w.native(functions, apis)
	}
	if err := check(w.dir, w.code, resources); err != nil {
		return err
	}
	document := section{{"AWSTemplateFormatVersion", "2010-09-09"}}
	if w.format == SAM {
		document = append(document, entry{"Transform", "AWS::Serverless-2016-10-31"})
	}
	document = append(document, entry{"Resources", resources})
	p := printer{text: make([]byte, 0, resourceSize*len(resources))}
	if err := p.print(document, ""); err != nil {
		return err
	}
	data := append(p.text, '\n')
	if w.format == SAM {
		var err error
		if data, err = yaml.JSONToYAML(data); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	w.files[name] = data
	return nil
}

// store writes the files, template.yaml last, and removes the templates of
// APIs that are no more.
func (w *writer) store() error {
	for name, data := range w.files {
		if name != "template.yaml" {
			if err := atomicfile.Write(filepath.Join(w.dir, name), data); err != nil {
				return err
			}
		}
	}
	old, err := filepath.Glob(filepath.Join(w.dir, "api-*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if _, kept := w.files[filepath.Base(path)]; !kept {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return atomicfile.Write(filepath.Join(w.dir, "template.yaml"), w.files["template.yaml"])
}

// warn tells of what will surprise, note of what will not.
func (w *writer) warn(path, format string, arguments ...any) {
	w.remark(model.Diagnostic{Severity: model.Warning, Path: path, Message: fmt.Sprintf(format, arguments...)})
}

func (w *writer) note(path, format string, arguments ...any) {
	w.remark(model.Diagnostic{Severity: model.Note, Path: path, Message: fmt.Sprintf(format, arguments...)})
}

func (w *writer) remark(d model.Diagnostic) {
	if !w.noted[d] { // a function may stand in several templates
		w.noted[d] = true
		w.notes = append(w.notes, d)
	}
}

// envFile is an --env-vars file with all values, secrets left open.
func (w *writer) envFile(functions []*model.Function) []byte {
	variables := section{}
	for _, f := range functions {
		if len(f.Environment) > 0 {
			variables = append(variables, entry{w.names.logicalID(f), writableEnvironment(f)})
		}
	}
	slices.SortFunc(variables, func(a, b entry) int { return strings.Compare(a.Key, b.Key) })
	p := printer{escapeHTML: true}
	_ = p.print(variables, "") // texts alone: cannot fail
	return append(p.text, '\n')
}

// writableEnvironment is a function's environment without the values that
// must not reach a file.
func writableEnvironment(f *model.Function) map[string]string {
	if len(f.Secrets) == 0 {
		return f.Environment
	}
	values := maps.Clone(f.Environment)
	for _, name := range f.Secrets {
		values[name] = ""
	}
	return values
}
