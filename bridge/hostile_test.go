//go:build unix

package bridge_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/bridge/samtemplate"
)

// patience is how long any assembly may take here, on a busy machine. What
// these tests guard against takes hours, or all memory.
const patience = time.Minute

// hostile is an assembly that a test writes, inside a folder of its own that
// nothing may be written beside.
type hostile struct {
	t *testing.T
	// around is the folder around the project, project the working folder.
	around, project, dir string
	artifacts            map[string]any
	metadata             map[string]any
}

func newHostile(t *testing.T) *hostile {
	h := &hostile{t: t, around: t.TempDir(), artifacts: map[string]any{}, metadata: map[string]any{}}
	h.project = filepath.Join(h.around, "project")
	h.dir = filepath.Join(h.project, "cdk.out")
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	h.write(filepath.Join("..", "..", "secret.txt"), "secret")
	return h
}

// write writes a file of the assembly.
func (h *hostile) write(name string, content any) {
	h.t.Helper()
	text, ok := content.(string)
	if !ok {
		data, err := json.Marshal(content)
		if err != nil {
			h.t.Fatal(err)
		}
		text = string(data)
	}
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// stack adds a stack with its template, as a value or a text.
func (h *hostile) stack(name string, template any) {
	h.write(name+".template.json", template)
	h.artifacts[name] = map[string]any{
		"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region", "metadata": h.metadata,
		"properties": map[string]any{"templateFile": name + ".template.json"}, "dependencies": []any{name + ".assets"},
	}
}

func (h *hostile) assets(stack string, files map[string]string) {
	all := map[string]any{}
	for key, path := range files {
		all[key] = map[string]any{"source": map[string]any{"path": path, "packaging": "zip"}, "destinations": map[string]any{"d": map[string]any{"objectKey": key}}}
	}
	h.write(stack+".assets.json", map[string]any{"version": "48.0.0", "files": all})
	h.artifacts[stack+".assets"] = map[string]any{"type": "cdk:asset-manifest", "properties": map[string]any{"file": stack + ".assets.json"}}
}

// bridge loads the assembly and writes it in both formats, within bounds of
// time and memory, and inside the output folder.
func (h *hostile) bridge() (*model.Application, error) {
	h.t.Helper()
	if _, err := os.Lstat(filepath.Join(h.dir, "manifest.json")); err != nil {
		h.write("manifest.json", map[string]any{"version": "48.0.0", "artifacts": h.artifacts})
	}
	type result struct {
		app *model.Application
		err error
	}
	done := make(chan result, 1)
	begin := time.Now()
	go func() {
		app, err := bridge.Load(bridge.Options{Assembly: h.dir, Project: h.project})
		for _, format := range []samtemplate.Format{samtemplate.CloudFormation, samtemplate.SAM} {
			if err == nil {
				_, err = samtemplate.Write(app, samtemplate.Options{Dir: filepath.Join(h.project, "out", string(format)), Format: format, Helpers: true})
			}
		}
		done <- result{app, err}
	}()
	select {
	case r := <-done:
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		h.t.Logf("%.2f s, %d MB from the system, error: %.300v", time.Since(begin).Seconds(), memory.Sys>>20, r.err)
		h.wantNothingOutside()
		return r.app, r.err
	case <-time.After(patience):
		h.t.Fatalf("it is not done after %v", patience)
		return nil, nil
	}
}

func (h *hostile) wantNothingOutside() {
	h.t.Helper()
	err := filepath.WalkDir(h.around, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, _ := filepath.Rel(h.around, path)
		switch top := strings.Split(inside, string(filepath.Separator)); {
		case inside == ".", inside == "secret.txt", inside == "project":
		case len(top) > 1 && top[0] == "project" && (top[1] == "cdk.out" || top[1] == "out"):
		default:
			h.t.Errorf("there is %s", inside)
		}
		if entry.Type().IsRegular() && strings.HasPrefix(inside, filepath.Join("project", "out")) {
			text, err := os.ReadFile(path)
			if err == nil && strings.Contains(string(text), h.around+"/secret") {
				h.t.Errorf("%s names a file outside the assembly", inside)
			}
		}
		return nil
	})
	if err != nil {
		h.t.Error(err)
	}
}

type object = map[string]any

func function(environment any) object {
	return object{"Type": "AWS::Lambda::Function", "Properties": object{
		"Runtime": "nodejs20.x", "Handler": "index.handler", "Code": object{"ZipFile": "exports.handler = 1"},
		"Environment": object{"Variables": object{"VALUE": environment}},
	}}
}

func fn(name string, arguments ...any) object { return object{name: arguments} }
func ref(name string) object                  { return object{"Ref": name} }

// value bridges a template with one function F, and gives its VALUE.
func value(t *testing.T, template object) (string, *model.Application) {
	t.Helper()
	h := newHostile(t)
	h.stack("S", template)
	app, err := h.bridge()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range app.Functions {
		if f.LogicalID == "F" {
			return f.Environment["VALUE"], app
		}
	}
	t.Fatal("there is no function F")
	return "", nil
}

func wantDiagnostic(t *testing.T, app *model.Application, want string) {
	t.Helper()
	for _, d := range app.Diagnostics {
		if strings.Contains(d.Message, want) {
			if len(d.Message) > 2000 {
				t.Errorf("a message has %d bytes", len(d.Message))
			}
			return
		}
	}
	t.Errorf("no diagnostic has %q", want)
}

func TestHostileCycles(t *testing.T) {
	for name, template := range map[string]object{
		"names": {"Resources": object{
			"A": object{"Type": "AWS::S3::Bucket", "Properties": object{"BucketName": ref("B")}},
			"B": object{"Type": "AWS::S3::Bucket", "Properties": object{"BucketName": fn("Fn::Join", "", []any{"x", ref("A")})}},
			"F": function(ref("A")),
		}},
		"itself": {"Resources": object{"F": object{"Type": "AWS::Lambda::Function", "Properties": object{
			"FunctionName": ref("F"), "Runtime": "nodejs20.x", "Code": object{"ZipFile": "x"}, "Environment": object{"Variables": object{"VALUE": ref("F")}},
		}}}},
		"conditions": {"Conditions": object{
			"A": object{"Condition": "B"}, "B": fn("Fn::Not", object{"Condition": "A"}),
		}, "Resources": object{"F": function(fn("Fn::If", "A", "yes", ref("Gone")))}},
		"exports": {"Outputs": object{
			"A": object{"Value": object{"Fn::ImportValue": "b"}, "Export": object{"Name": "a"}},
			"B": object{"Value": object{"Fn::ImportValue": "a"}, "Export": object{"Name": "b"}},
		}, "Resources": object{"F": function(object{"Fn::ImportValue": "a"})}},
		"export names": {"Outputs": object{
			"A": object{"Value": "x", "Export": object{"Name": object{"Fn::ImportValue": "a"}}},
		}, "Resources": object{"F": function(object{"Fn::ImportValue": "a"})}},
		"parameters": {"Parameters": object{
			"A": object{"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a"},
		}, "Resources": object{
			"P": object{"Type": "AWS::SSM::Parameter", "Properties": object{"Name": "/a", "Value": ref("A")}},
			"F": function(ref("A")),
		}},
		"parameter names": {"Parameters": object{
			"A": object{"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a"},
		}, "Resources": object{
			"P": object{"Type": "AWS::SSM::Parameter", "Properties": object{"Name": ref("A"), "Value": "x"}},
			"F": function(ref("A")),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, app := value(t, template)
			if name != "conditions" && !strings.Contains(got, "UNRESOLVED(") {
				t.Errorf("got %q", got)
			}
			if len(app.Diagnostics) == 0 {
				t.Error("nothing is said of it")
			}
		})
	}
}

func TestHostileCycleAcrossStacks(t *testing.T) {
	h := newHostile(t)
	h.stack("S", object{
		"Outputs":   object{"A": object{"Value": object{"Fn::ImportValue": "b"}, "Export": object{"Name": "a"}}},
		"Resources": object{"F": function(object{"Fn::ImportValue": "a"})},
	})
	h.stack("T", object{"Outputs": object{"B": object{"Value": object{"Fn::ImportValue": "a"}, "Export": object{"Name": "b"}}}, "Resources": object{}})
	app, err := h.bridge()
	if err != nil {
		t.Fatal(err)
	}
	wantDiagnostic(t, app, "it refers to itself")
}

func nestedStack(file string, parameters object) object {
	return object{"Type": "AWS::CloudFormation::Stack", "Properties": object{"TemplateURL": "x", "Parameters": parameters}, "Metadata": object{"aws:asset:path": file}}
}

// A nested stack's output leads to its own parameter.
func TestHostileCycleThroughNestedStack(t *testing.T) {
	h := newHostile(t)
	h.write("n.json", object{"Parameters": object{"P": object{"Type": "String"}}, "Outputs": object{"O": object{"Value": ref("P")}}, "Resources": object{}})
	h.stack("S", object{"Resources": object{
		"N": nestedStack("n.json", object{"P": object{"Fn::GetAtt": []any{"N", "Outputs.O"}}}),
		"F": function(object{"Fn::GetAtt": []any{"N", "Outputs.O"}}),
	}})
	app, err := h.bridge()
	if err != nil {
		t.Fatal(err)
	}
	wantDiagnostic(t, app, "it refers to itself")
}

func TestHostileNesting(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*hostile)
		want    string
	}{
		"a stack in itself": {func(h *hostile) {
			h.stack("S", object{"Resources": object{"N": nestedStack("S.template.json", nil)}})
		}, "contains itself"},
		"two stacks in each other": {func(h *hostile) {
			h.write("a.json", object{"Resources": object{"N": nestedStack("b.json", nil)}})
			h.write("b.json", object{"Resources": object{"N": nestedStack("a.json", nil)}})
			h.stack("S", object{"Resources": object{"N": nestedStack("a.json", nil)}})
		}, "contains itself"},
		"twice at each of 30 levels": {func(h *hostile) {
			for i := range 30 {
				next := fmt.Sprintf("n%d.json", i+1)
				h.write(fmt.Sprintf("n%d.json", i), object{"Resources": object{"A": nestedStack(next, nil), "B": nestedStack(next, nil)}})
			}
			h.write("n30.json", object{"Resources": object{}})
			h.stack("S", object{"Resources": object{"N": nestedStack("n0.json", nil)}})
		}, "over 10000 stacks"},
		"a million resources in a thousand copies": {func(h *hostile) {
			all, inner := object{}, object{}
			for i := range 1000 {
				all["N"+strconv.Itoa(i)] = nestedStack("n.json", nil)
				inner["Q"+strconv.Itoa(i)] = object{"Type": "AWS::SQS::Queue"}
			}
			h.write("n.json", object{"Resources": inner})
			h.stack("S", object{"Resources": all})
		}, "over 250000 resources"},
		"5,000 deep": {func(h *hostile) {
			for i := range 5000 {
				h.write(fmt.Sprintf("n%d.json", i), object{"Resources": object{"N": nestedStack(fmt.Sprintf("n%d.json", i+1), nil)}})
			}
			h.stack("S", object{"Resources": object{"N": nestedStack("n0.json", nil)}})
		}, "it lies over 100 deep"},
		"a stage in itself": {func(h *hostile) {
			h.artifacts["assembly-A"] = object{"type": "cdk:cloud-assembly", "properties": object{"directoryName": "."}}
		}, "contains itself"},
		"stages twice at each of 30 levels": {func(h *hostile) {
			for i := range 30 {
				next := object{"type": "cdk:cloud-assembly", "properties": object{"directoryName": fmt.Sprintf("../s%d", i+1)}}
				h.write(fmt.Sprintf("s%d/manifest.json", i), object{"version": "48.0.0", "artifacts": object{"assembly-A": next, "assembly-B": next}})
			}
			h.write("s30/manifest.json", object{"version": "48.0.0"})
			h.artifacts["assembly-A"] = object{"type": "cdk:cloud-assembly", "properties": object{"directoryName": "s0"}}
		}, "over 10000 stacks"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t)
			test.prepare(h)
			if _, err := h.bridge(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %.300v, want %q", err, test.want)
			} else if len(err.Error()) > 20_000 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestHostileSizes(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: writes 100 MB")
	}
	functions := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"Resources": {`)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `"F%d": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "nodejs20.x", "Code": {"S3Bucket": "b", "S3Key": "k.zip"}, "Environment": {"Variables": {"A": {"Fn::GetAtt": ["F%d", "Arn"]}}}}}`, i, (i+1)%n)
		}
		b.WriteString(`}}`)
		return b.String()
	}
	sameNames := func(n int) string {
		all := object{}
		for i := range n {
			f := function("x")
			f["Metadata"] = object{"aws:cdk:path": "S/Same" + strings.Repeat("!", i%100) + strings.Repeat("?", i/100)}
			f["Properties"].(object)["Code"] = object{"S3Bucket": "b", "S3Key": "k.zip"}
			all["F"+strconv.Itoa(i)] = f
		}
		text, _ := json.Marshal(object{"Resources": all})
		return string(text)
	}
	deep := func(n int) string {
		return `{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "x"}, "Environment": {"Variables": {"A": ` +
			strings.Repeat(`{"Fn::Base64": `, n) + `"x"` + strings.Repeat(`}`, n) + `}}}}}}`
	}
	for name, test := range map[string]struct {
		template string
		want     string
	}{
		"100 MB":                {`{"Description": "` + strings.Repeat("x", 100<<20) + `"}`, "has 100 MB, and at most 16 MB are read"},
		"15 MB of text":         {`{"Resources": {}, "Description": "` + strings.Repeat("x", 15<<20) + `"}`, ""},
		"15 MB of brackets":     {`{"Resources": {}, "Description": ` + strings.Repeat("[", 15<<20), "exceeded max depth"},
		"15 MB of small things": {`{"Resources": {}, "Mappings": {"a": {"b": {"c": [` + strings.Repeat("0,", 7<<20) + `0]}}}}`, ""},
		"10,000 functions":      {functions(10_000), ""},
		"10,000 of one name":    {sameNames(10_000), "it answers to"},
		"5,000 deep":            {deep(5000), ""},
		"20,000 deep":           {deep(20_000), "exceeded max depth"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t)
			h.stack("S", test.template)
			h.write("asset.k/index.js", "exports.handler = 1")
			h.assets("S", map[string]string{"k.zip": "asset.k"})
			_, err := h.bridge()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %.300v, want %q", err, test.want)
			}
		})
	}
}

// A chain of n references, of each kind, ends in the text "end".
func TestHostileChains(t *testing.T) {
	for name, make := range map[string]func(n int) object{
		"names": func(n int) object {
			all := object{"R" + strconv.Itoa(n): object{"Type": "AWS::S3::Bucket", "Properties": object{"BucketName": "end"}}, "F": function(ref("R0"))}
			for i := range n {
				all["R"+strconv.Itoa(i)] = object{"Type": "AWS::S3::Bucket", "Properties": object{"BucketName": ref("R" + strconv.Itoa(i+1))}}
			}
			return object{"Resources": all}
		},
		"exports": func(n int) object {
			all := object{"O" + strconv.Itoa(n): object{"Value": "end", "Export": object{"Name": "e" + strconv.Itoa(n)}}}
			for i := range n {
				all["O"+strconv.Itoa(i)] = object{"Value": object{"Fn::ImportValue": "e" + strconv.Itoa(i+1)}, "Export": object{"Name": "e" + strconv.Itoa(i)}}
			}
			return object{"Resources": object{"F": function(object{"Fn::ImportValue": "e0"})}, "Outputs": all}
		},
		"conditions": func(n int) object {
			all := object{"C" + strconv.Itoa(n): fn("Fn::Equals", "a", "a")}
			for i := range n {
				all["C"+strconv.Itoa(i)] = fn("Fn::And", object{"Condition": "C" + strconv.Itoa(i+1)}, object{"Condition": "C" + strconv.Itoa(i+1)})
			}
			return object{"Conditions": all, "Resources": object{"F": function(fn("Fn::If", "C0", "end", "other"))}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := value(t, make(10_000)); got != "end" {
				t.Errorf("got %q", got)
			}
			// too long to follow, which must not end the program
			_, app := value(t, make(150_000))
			wantDiagnostic(t, app, "expressions lie within each other")
		})
	}
}

// What doubles at each step stops somewhere.
func TestHostileFanOut(t *testing.T) {
	const n = 60
	names := func(name func(i int) any, kind, property string, more object) object {
		all := object{"F": function(ref("R0"))}
		for i := range n {
			properties := object{property: name(i)}
			for key, value := range more {
				properties[key] = value
			}
			all["R"+strconv.Itoa(i)] = object{"Type": kind, "Properties": properties}
		}
		all["R"+strconv.Itoa(n)] = object{"Type": kind, "Properties": object{property: "end"}}
		return object{"Resources": all}
	}
	next := func(i int) object { return ref("R" + strconv.Itoa(i+1)) }
	roles := object{"F": function(object{"Fn::GetAtt": []any{"R0", "Arn"}})}
	lists := object{}
	for i := range n {
		arn := object{"Fn::GetAtt": []any{"R" + strconv.Itoa(i+1), "Arn"}}
		roles["R"+strconv.Itoa(i)] = object{"Type": "AWS::IAM::Role", "Properties": object{"Path": arn, "RoleName": arn}}
		imported := object{"Fn::ImportValue": "e" + strconv.Itoa(i+1)}
		lists["O"+strconv.Itoa(i)] = object{"Value": []any{imported, imported}, "Export": object{"Name": "e" + strconv.Itoa(i)}}
	}
	many := make([]any, 100_000)
	for i := range many {
		many[i] = fn("Fn::FindInMap", "a", "b", "c")
	}
	mapping := object{"a": object{"b": object{"c": []any{strings.Repeat("x", 1<<20)}}}}
	variables := object{}
	for i := range 3000 {
		variables["V"+strconv.Itoa(i)] = fn("Fn::Join", strconv.Itoa(i), []any{ref("P"), "x"})
	}
	wide := function("x")
	wide["Properties"].(object)["Environment"] = object{"Variables": variables}
	for name, template := range map[string]object{
		"Fn::Join":         names(func(i int) any { return fn("Fn::Join", "", []any{next(i), next(i)}) }, "AWS::S3::Bucket", "BucketName", nil),
		"Fn::Sub":          names(func(i int) any { return object{"Fn::Sub": fmt.Sprintf("${R%d}${R%[1]d}", i+1)} }, "AWS::S3::Bucket", "BucketName", nil),
		"Fn::ToJsonString": names(func(i int) any { return object{"Fn::ToJsonString": []any{next(i), next(i)}} }, "AWS::S3::Bucket", "BucketName", nil),
		"Fn::Base64": names(func(i int) any {
			return object{"Fn::Base64": object{"Fn::Base64": object{"Fn::Base64": object{"Fn::Base64": next(i)}}}}
		}, "AWS::S3::Bucket", "BucketName", nil),
		"ARNs":                  {"Resources": roles},
		"lists in outputs":      {"Resources": object{"F": function(object{"Fn::ToJsonString": object{"Fn::ImportValue": "e0"}})}, "Outputs": lists},
		"a mapping many times":  {"Mappings": mapping, "Resources": object{"F": function(object{"Fn::ToJsonString": many})}},
		"100,000 in a Fn::Join": {"Mappings": mapping, "Resources": object{"F": function(fn("Fn::Join", "", many))}},
		"Fn::Sub many times":    {"Parameters": object{"P": object{"Type": "String", "Default": strings.Repeat("x", 1<<19)}}, "Resources": object{"F": function(object{"Fn::Sub": strings.Repeat("${P}", 50_000)})}},
		"3,000 large variables": {"Parameters": object{"P": object{"Type": "String", "Default": strings.Repeat("x", 1<<19)}}, "Resources": object{"F": wide}},
	} {
		t.Run(name, func(t *testing.T) {
			_, app := value(t, template)
			for _, d := range app.Diagnostics {
				if len(d.Message) > 2000 || len(d.Where) > 2000 {
					t.Errorf("a message has %d bytes", len(d.Message))
				}
			}
			if len(app.Diagnostics) == 0 {
				t.Error("nothing is said of it")
			}
		})
	}
}

func TestHostileText(t *testing.T) {
	for name, test := range map[string]struct{ template, want string }{
		"same key twice":   {`{"Resources": {"F": {"Type": "AWS::SQS::Queue"}, "F": {"Type": "AWS::SNS::Topic"}}}`, ""},
		"NUL":              {"{\"Resources\": {\"F\x00\": {\"Type\": \"A\"}}}", "not JSON"},
		"escaped NUL":      {`{"Resources": {"F\u0000": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "x\u0000"}, "FunctionName": "a\u0000b"}}}}`, ""},
		"no UTF-8":         {"{\"Resources\": {\"F\xff\": {\"Type\": \"AWS::Lambda::Function\", \"Properties\": {\"Code\": {\"ZipFile\": \"\xfe\"}}}}}", ""},
		"lone surrogate":   {`{"Resources": {"\ud800": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "\udfff"}}}}}`, ""},
		"byte order mark":  {"\ufeff{}", "not JSON"},
		"nothing":          {"", "ends too early"},
		"null":             {"null", ""},
		"null resource":    {`{"Resources": {"F": null}}`, "has no Type"},
		"null properties":  {`{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": null}}}`, ""},
		"wrong properties": {`{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": []}}}`, "does not belong there"},
		"huge number":      {`{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "x"}, "Timeout": 1e999999, "MemorySize": -99999999999999999999}}}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t)
			h.stack("S", test.template)
			_, err := h.bridge()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// names that are paths, or look like options.
var pathNames = []string{
	"..", ".", "/", "../../../../evil", "/etc/evil", `..\..\evil`, "a/../../../evil", "-rf", "--output=/evil", "~", "$HOME/evil", "evil\nevil",
	"C:\\evil", "CON", strings.Repeat("n", 5000), strings.Repeat("../", 2000), "\u202eevil", "%2e%2e%2f", "..%00", ".aws-sam", "template.yaml",
}

// Whatever is called so, nothing is written outside the output folder.
func TestHostileNames(t *testing.T) {
	for i, name := range pathNames {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			h := newHostile(t)
			h.stack("S", object{"Resources": named(name)})
			app, err := h.bridge()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range app.Functions {
				if !filepath.IsLocal(f.Name) || strings.ContainsAny(f.Name, `/\`) {
					t.Errorf("a function is named %q", f.Name)
				}
			}
		})
	}
}

// named are resources of each kind whose names become files, with a name.
func named(name string) object {
	f := function("x")
	f["Properties"].(object)["FunctionName"] = name
	f["Metadata"] = object{"aws:cdk:path": "S/" + name + "/Resource"}
	bare := function("x")
	bare["Metadata"] = object{"aws:cdk:path": "B/" + name, "Bailey": object{"Entry": name}}
	resources := object{name: f, "Bare": bare}
	for _, api := range []string{"One", "Two"} { // two: then each has a file
		resources["Api"+api] = object{"Type": "AWS::ApiGatewayV2::Api", "Properties": object{"ProtocolType": "HTTP", "Name": name}, "Metadata": object{"aws:cdk:path": api + "/" + name}}
		resources["Integration"+api] = object{"Type": "AWS::ApiGatewayV2::Integration", "Properties": object{
			"ApiId": ref("Api" + api), "IntegrationType": "AWS_PROXY", "IntegrationUri": object{"Fn::GetAtt": []any{"Bare", "Arn"}}, "PayloadFormatVersion": "2.0",
		}}
		resources["Route"+api] = object{"Type": "AWS::ApiGatewayV2::Route", "Properties": object{
			"ApiId": ref("Api" + api), "RouteKey": "GET /" + name, "Target": fn("Fn::Join", "", []any{"integrations/", ref("Integration" + api)}),
		}}
	}
	resources["Layer"] = object{"Type": "AWS::Lambda::LayerVersion", "Properties": object{"LayerName": name, "Content": object{"S3Key": name}}}
	return resources
}

// What lies outside the assembly is not read, however it is named.
func TestHostilePaths(t *testing.T) {
	code := func(key string) object {
		return object{"Resources": object{"F": object{"Type": "AWS::Lambda::Function", "Properties": object{"Runtime": "nodejs20.x", "Code": object{"S3Bucket": "b", "S3Key": key}}}}}
	}
	link := func(h *hostile, target, name string) {
		if err := os.Symlink(target, filepath.Join(h.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		prepare func(*hostile)
		// want is in the error, or in a diagnostic.
		want string
	}{
		"a template above": {func(h *hostile) {
			h.stack("S", "{}")
			h.artifacts["S"].(object)["properties"] = object{"templateFile": "../../secret.txt"}
		}, "lies outside the cloud assembly"},
		"a template by its full path": {func(h *hostile) {
			h.stack("S", "{}")
			h.artifacts["S"].(object)["properties"] = object{"templateFile": filepath.Join(h.around, "secret.txt")}
		}, "lies outside the cloud assembly"},
		"a template behind a link": {func(h *hostile) {
			h.stack("S", "{}")
			_ = os.Remove(filepath.Join(h.dir, "S.template.json"))
			link(h, "/etc/passwd", "S.template.json")
		}, "lies outside the cloud assembly"},
		"the manifest behind a link": {func(h *hostile) { link(h, "/etc/passwd", "manifest.json") }, "lies outside the cloud assembly"},
		"a stage behind a link": {func(h *hostile) {
			link(h, h.around, "stage")
			h.artifacts["assembly-A"] = object{"type": "cdk:cloud-assembly", "properties": object{"directoryName": "stage"}}
		}, "lies outside the cloud assembly"},
		"a stage's manifest behind a link": {func(h *hostile) {
			_ = os.Mkdir(filepath.Join(h.dir, "stage"), 0o755)
			link(h, "/etc/passwd", "stage/manifest.json")
			h.artifacts["assembly-A"] = object{"type": "cdk:cloud-assembly", "properties": object{"directoryName": "stage"}}
		}, "lies outside the cloud assembly"},
		"metadata above": {func(h *hostile) {
			h.stack("S", "{}")
			h.artifacts["S"].(object)["additionalMetadataFile"] = "../../secret.txt"
		}, "lies outside the cloud assembly"},
		"an asset manifest above": {func(h *hostile) {
			h.stack("S", "{}")
			h.artifacts["S.assets"] = object{"type": "cdk:asset-manifest", "properties": object{"file": "../../secret.txt"}}
		}, "lies outside the cloud assembly"},
		"an asset above": {func(h *hostile) {
			h.stack("S", code("k.zip"))
			h.assets("S", map[string]string{"k.zip": "../../secret.txt"})
		}, "lies outside the cloud assembly"},
		"an asset behind a link": {func(h *hostile) {
			h.stack("S", code("k.zip"))
			link(h, h.around, "asset.k")
			h.assets("S", map[string]string{"k.zip": "asset.k"})
		}, "lies outside the cloud assembly"},
		"links in a circle": {func(h *hostile) {
			h.stack("S", code("k.zip"))
			link(h, "b", "a")
			link(h, "a", "b")
			h.assets("S", map[string]string{"k.zip": "a"})
		}, "too many links"},
		"a nested template above": {func(h *hostile) {
			h.stack("S", object{"Resources": object{"N": nestedStack("../../secret.txt", nil)}})
		}, "lies outside the cloud assembly"},
		"a template that is a pipe": {func(h *hostile) {
			h.stack("S", "{}")
			_ = os.Remove(filepath.Join(h.dir, "S.template.json"))
			if err := syscall.Mkfifo(filepath.Join(h.dir, "S.template.json"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "is not a regular file"},
		"a template that is a folder": {func(h *hostile) {
			h.stack("S", "{}")
			h.artifacts["S"].(object)["properties"] = object{"templateFile": "."}
		}, "is not a regular file"},
		"a file with a NUL in its name": {func(h *hostile) {
			h.stack("S", "{}")
			h.artifacts["S"].(object)["properties"] = object{"templateFile": "a\x00b"}
		}, "invalid argument"},
		"a Go package above": {func(h *hostile) {
			f := function("x")
			f["Metadata"] = object{"Bailey": object{"Entry": "./../../evil"}}
			h.stack("S", object{"Resources": object{"F": f}})
		}, "lies outside the project"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t)
			test.prepare(h)
			app, err := h.bridge()
			if err != nil {
				if !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
				if strings.Contains(err.Error(), "root:") {
					t.Errorf("the message shows what was read: %v", err)
				}
				return
			}
			wantDiagnostic(t, app, test.want)
		})
	}
}
