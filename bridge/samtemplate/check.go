package samtemplate

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// check looks at a finished template as the SAM CLI will: every fault here
// would make it fail as a whole, run the wrong function or lose one silently.
// What it finds in dir is added to there.
func check(dir string, there map[string]bool, resources section) error {
	c := &checker{dir: dir, there: there, ids: map[string]bool{}, names: map[string]string{}, routes: map[string]string{}}
	for _, e := range resources {
		c.ids[e.Key] = true
	}
	for _, e := range resources {
		c.resource(e.Key, e.Value.(section))
	}
	if more := len(c.faults) - maxFaults; more > 0 {
		c.faults = append(c.faults[:maxFaults], fmt.Errorf("template: and %d faults more", more))
	}
	return errors.Join(c.faults...)
}

// maxFaults is how many faults of a template are told one by one.
const maxFaults = 25

type checker struct {
	dir    string
	there  map[string]bool // code that is written with the template, or was looked for and found
	ids    map[string]bool
	names  map[string]string // what a function answers to: its logical id
	routes map[string]string
	faults []error
}

func (c *checker) fault(id, format string, arguments ...any) {
	c.faults = append(c.faults, fmt.Errorf("template: Resources.%s: %s", id, fmt.Sprintf(format, arguments...)))
}

func (c *checker) resource(id string, r section) {
	properties, _ := r.get("Properties").(section)
	switch r.get("Type") {
	case "AWS::Lambda::Function", "AWS::Serverless::Function":
		metadata, _ := r.get("Metadata").(section)
		c.function(id, properties, metadata)
	case "AWS::Lambda::LayerVersion":
		c.exists(id, "Content", properties.get("Content"))
	case "AWS::Serverless::LayerVersion":
		c.exists(id, "ContentUri", properties.get("ContentUri"))
	case "AWS::ApiGatewayV2::Route":
		key := fmt.Sprint(properties.get("ApiId"), " ", properties.get("RouteKey"))
		if other, ok := c.routes[key]; ok {
			c.fault(id, "its route %q is also that of %s", properties.get("RouteKey"), other)
		}
		c.routes[key] = id
	case "AWS::ApiGatewayV2::Integration":
		c.target(id, fmt.Sprint(properties.get("IntegrationUri")))
	case "AWS::ApiGatewayV2::Authorizer", "AWS::ApiGateway::Authorizer":
		c.target(id, fmt.Sprint(properties.get("AuthorizerUri")))
	case "AWS::ApiGateway::Method":
		c.method(id, properties)
	}
	c.walk(id, r)
}

func (c *checker) method(id string, properties section) {
	integration, _ := properties.get("Integration").(section)
	if uri, ok := integration.get("Uri").(string); ok {
		c.target(id, uri)
	}
	key := fmt.Sprint(properties.get("RestApiId"), " ", properties.get("ResourceId"), " ", properties.get("HttpMethod"))
	if other, ok := c.routes[key]; ok {
		c.fault(id, "its method is also that of %s", other)
	}
	c.routes[key] = id
}

func (c *checker) function(id string, properties, metadata section) {
	for _, name := range []any{id, properties.get("FunctionName"), metadata.get("SamResourceId")} {
		text, _ := name.(string)
		if other, ok := c.names[text]; ok && other != id {
			c.fault(id, "it answers to %q, and so does %s", text, other)
		}
		c.names[text] = id
	}
	for _, property := range []string{"Code", "CodeUri"} {
		path, ok := properties.get(property).(string)
		if !ok || !c.exists(id, property, path) {
			continue
		}
		if runtime, _ := properties.get("Runtime").(string); strings.HasPrefix(runtime, "provided") {
			c.bootstrap(id, path, properties.get("Architectures").([]string)[0])
		}
	}
}

func (c *checker) exists(id, property string, path any) bool {
	text, _ := path.(string)
	if c.there[text] {
		return true
	}
	if _, err := os.Stat(c.absolute(text)); errors.Is(err, fs.ErrNotExist) {
		c.fault(id, "%s: %s is gone; synthesise again", property, c.absolute(text))
		return false
	}
	c.there[text] = true
	return true
}

func (c *checker) absolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.dir, path)
}

// bootstrap checks the executable of a provided.* function in a folder.
func (c *checker) bootstrap(id, path, architecture string) {
	file := filepath.Join(c.absolute(path), "bootstrap")
	info, err := os.Stat(c.absolute(path))
	if err != nil || !info.IsDir() {
		return // a .zip file
	}
	info, err = os.Stat(file)
	switch {
	case err != nil:
		c.fault(id, "its code folder %s has no bootstrap, which a provided.* runtime starts", c.absolute(path))
	case info.Mode()&0o111 == 0:
		c.fault(id, "%s is not executable; chmod +x it", file)
	default:
		if machine := elfArchitecture(file); machine != "" && machine != architecture {
			c.fault(id, "%s is built for %s, and the function says %s", file, machine, architecture)
		}
	}
}

// elfArchitecture is Lambda's name of what a Linux executable runs on, "" for
// a script.
func elfArchitecture(path string) string {
	f, err := elf.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	switch f.Machine {
	case elf.EM_X86_64:
		return "x86_64"
	case elf.EM_AARCH64:
		return "arm64"
	}
	return f.Machine.String()
}

func (c *checker) target(id, uri string) {
	name := strings.TrimSuffix(uri[strings.LastIndex(uri, ":")+1:], "/invocations")
	if !c.ids[name] {
		c.fault(id, "it goes to %s, which is not in the template", name)
	}
}

// walk looks for what is left of CloudFormation in a value: it allows
// references to resources of the template, and no other intrinsic.
func (c *checker) walk(id string, v any) {
	switch v := v.(type) {
	case section:
		for _, e := range v {
			c.property(id, e.Key, e.Value, len(v))
		}
	case []section:
		for _, e := range v {
			c.walk(id, e)
		}
	case []any:
		for _, e := range v {
			c.walk(id, e)
		}
	case map[string]any:
		for key, e := range v {
			c.property(id, key, e, len(v))
		}
	case map[string]string:
		for key, e := range v {
			c.property(id, key, e, len(v))
		}
	}
}

// property looks at one property of an object of so many.
func (c *checker) property(id, key string, value any, of int) {
	if of == 1 && strings.HasPrefix(key, "Fn::") && key != "Fn::GetAtt" {
		c.fault(id, "%s is left in it", key)
	}
	if of == 1 && key == "Fn::GetAtt" {
		if parts, ok := value.([]string); ok {
			c.target(id, parts[0])
		} else {
			c.fault(id, "%s is left in it", key)
		}
	}
	if name, ok := value.(string); ok && of == 1 && key == "Ref" {
		c.target(id, name)
	}
	c.walk(id, value)
}

// get is the value of a key, nil where there is none.
func (s section) get(key string) any {
	for _, e := range s {
		if e.Key == key {
			return e.Value
		}
	}
	return nil
}
