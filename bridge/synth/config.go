package synth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/bailey-cdk/bailey/internal/metadata"
)

// config is what cdk.json and its kin say, and Options over them.
type config struct {
	App     string
	Build   string
	Context map[string]json.RawMessage
}

// configFile is cdk.json or ~/.cdk.json. The settings are pointers since all of
// them are true unless they are set.
type configFile struct {
	App              command                    `json:"app"`
	Build            command                    `json:"build"`
	Context          map[string]json.RawMessage `json:"context"`
	PathMetadata     *bool                      `json:"pathMetadata"`
	AssetMetadata    *bool                      `json:"assetMetadata"`
	VersionReporting *bool                      `json:"versionReporting"`
	Staging          *bool                      `json:"staging"`
}

// command is a command line, or its words in an array.
type command string

func (c *command) UnmarshalJSON(data []byte) error {
	var words []string
	if json.Unmarshal(data, &words) == nil {
		*c = command(strings.Join(words, " "))
		return nil
	}
	if json.Unmarshal(data, (*string)(c)) == nil {
		return nil
	}
	return fmt.Errorf("%s is no command: write a string, or an array of its words", data)
}

func readConfig(o Options) (*config, error) {
	var user, project configFile
	var lookups map[string]json.RawMessage
	if home, err := os.UserHomeDir(); err == nil {
		if _, err := readJSON(filepath.Join(home, ".cdk.json"), &user); err != nil {
			return nil, err
		}
	}
	file := filepath.Join(o.Dir, "cdk.json")
	found, err := readJSON(file, &project)
	if err != nil {
		return nil, err
	}
	if !found && o.App == "" {
		return nil, fmt.Errorf("there is no cdk.json in %s: go to the folder of a CDK app or name it, or start an app there with: npx aws-cdk init app --language go", o.Dir)
	}
	if _, err := readJSON(filepath.Join(o.Dir, "cdk.context.json"), &lookups); err != nil {
		return nil, err
	}
	c := &config{App: o.App, Build: string(project.Build)}
	for _, app := range []command{project.App, user.App} {
		if c.App == "" {
			c.App = string(app)
		}
	}
	if c.App == "" {
		return nil, fmt.Errorf(`%s has no "app", the command that runs the CDK app: add one, such as "app": "go run ."`, file)
	}
	c.Context = mergeContext(o, user, lookups, project)
	return c, nil
}

// mergeContext lets the source that is nearest to the user win, and the settings over
// all, as the cdk command does.
func mergeContext(o Options, user configFile, lookups map[string]json.RawMessage, project configFile) map[string]json.RawMessage {
	c := map[string]json.RawMessage{}
	maps.Copy(c, user.Context)
	maps.Copy(c, lookups)
	maps.Copy(c, project.Context)
	for key, value := range o.Context {
		c[key] = quote(value)
	}
	yes := json.RawMessage("true")
	if setting(true, user.PathMetadata, project.PathMetadata) {
		c["aws:cdk:enable-path-metadata"] = yes
	}
	if setting(true, user.AssetMetadata, project.AssetMetadata) {
		c["aws:cdk:enable-asset-metadata"] = yes
	}
	// What the CDK tells AWS of an app's constructs is a fifth of the time of a synth,
	// and a local assembly goes nowhere.
	switch reports := setting(!o.Local, user.VersionReporting, project.VersionReporting); {
	case reports:
		c["aws:cdk:version-reporting"] = yes
	case o.Local:
		c["@aws-cdk/core:enableAdditionalMetadataCollection"] = json.RawMessage("false")
		fallthrough
	default:
		c["aws:cdk:disable-version-reporting"] = yes
	}
	if !setting(true, user.Staging, project.Staging) {
		c["aws:cdk:disable-asset-staging"] = yes
	}
	c["aws:cdk:bundling-stacks"] = json.RawMessage(`["**"]`)
	if o.Local {
		c[metadata.ContextLocal] = quote("true") // a string, as -c would give it
	}
	return c
}

func setting(otherwise bool, user, project *bool) bool {
	for _, s := range []*bool{project, user} {
		if s != nil {
			return *s
		}
	}
	return otherwise
}

func quote(s string) json.RawMessage {
	data, _ := json.Marshal(s) // a string has no way to fail
	return data
}

// readJSON reads a file that may be missing. Its errors say the place.
func readJSON(file string, into any) (found bool, err error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot read the CDK's configuration: %w", err)
	}
	err = json.Unmarshal(data, into)
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return true, fmt.Errorf("%s is not JSON: %w", position(file, data, syntax.Offset), err)
	case errors.As(err, &mismatch):
		return true, fmt.Errorf("%s: %s is a JSON %s, which the CDK does not take there", position(file, data, mismatch.Offset), field(mismatch.Field), mismatch.Value)
	case err != nil:
		return true, fmt.Errorf("%s: %w", file, err)
	}
	return true, nil
}

func field(name string) string {
	if name == "" {
		return "the value"
	}
	return `"` + name + `"`
}

// position is "file:line:column" of the last byte that was read when a decoder
// gave up after offset bytes.
func position(file string, data []byte, offset int64) string {
	before := data[:max(0, min(offset-1, int64(len(data))))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("%s:%d:%d", file, line, column)
}
