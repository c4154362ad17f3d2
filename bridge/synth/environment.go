package synth

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

const (
	// cliVersion is the release of the cdk command that this package follows,
	// and schemaVersion the cloud assembly schema of that release.
	cliVersion    = "2.1148.1"
	schemaVersion = "55.0.0"
	// contextLimit keeps CDK_CONTEXT_JSON below what a variable may hold: 128
	// kB on Linux, 32 kB for all variables together on Windows.
	contextLimit = 20_000
)

// environment are variables, with the last setting of each.
type environment map[string]string

func newEnvironment(lists ...[]string) environment {
	env := environment{}
	for _, list := range lists {
		for _, e := range list {
			// Windows has names that begin with "=".
			if i := strings.IndexByte(e[min(1, len(e)):], '='); i >= 0 {
				env[envName(e[:i+1])] = e[i+2:]
			}
		}
	}
	return env
}

func envName(name string) string {
	if runtime.GOOS == "windows" {
		return strings.ToUpper(name)
	}
	return name
}

func (e environment) list() []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(e)) {
		list = append(list, name+"="+e[name])
	}
	return list
}

// propose sets a variable that the user has not set.
func (e environment) propose(name, value string) {
	if _, ok := e[name]; !ok {
		e[name] = value
	}
}

// appEnvironment is what the app runs in. It returns the name of a file to remove
// after the run, or "".
func appEnvironment(o Options, conf *config, outdir string) (env environment, overflow string, err error) {
	env = newEnvironment(os.Environ(), o.Env)
	env["CDK_OUTDIR"] = outdir
	env["CDK_CLI_ASM_VERSION"] = schemaVersion
	env["CDK_CLI_VERSION"] = cliVersion
	env["CDK_DEFAULT_REGION"] = cmp.Or(o.Region, env.region())
	if o.AccountID != "" {
		env["CDK_DEFAULT_ACCOUNT"] = o.AccountID
	}
	env.propose("JSII_RUNTIME_PACKAGE_CACHE", "enabled")
	if cache, err := os.UserCacheDir(); err == nil && env["NODE_DISABLE_COMPILE_CACHE"] == "" {
		env.propose("NODE_COMPILE_CACHE", filepath.Join(cache, "bailey", "node")) // since 22.1; older ones ignore it
	}
	env.propose("GOGC", "400")               // a Go app ends soon, as does what compiles it
	env.propose("PYTHONIOENCODING", "utf-8") // else Windows writes its code page
	if o.Local {
		env.propose("CDK_VALIDATION", "false")
	}
	overflow, err = env.setContext(conf.Context)
	return env, overflow, err
}

// setContext puts the context into the environment. What does not fit goes to a
// file, the largest values first: apps that read the variable themselves look for
// small ones.
func (e environment) setContext(context map[string]json.RawMessage) (file string, err error) {
	small, large := splitContext(context)
	data, err := json.Marshal(small)
	if err != nil {
		return "", err
	}
	e["CDK_CONTEXT_JSON"] = string(data)
	delete(e, "CONTEXT_OVERFLOW_LOCATION_ENV")
	if len(large) == 0 {
		return "", nil
	}
	if data, err = json.Marshal(large); err != nil {
		return "", err
	}
	f, err := os.CreateTemp("", "bailey-context-*.json")
	if err != nil {
		return "", err
	}
	defer f.Close()
	e["CONTEXT_OVERFLOW_LOCATION_ENV"] = f.Name()
	_, err = f.Write(data)
	return f.Name(), err
}

func splitContext(context map[string]json.RawMessage) (small, large map[string]json.RawMessage) {
	size := func(key string) int { return len(quote(key)) + len(context[key]) + len(":,") }
	keys := slices.SortedFunc(maps.Keys(context), func(a, b string) int {
		return cmp.Or(cmp.Compare(size(a), size(b)), cmp.Compare(a, b))
	})
	small, large = map[string]json.RawMessage{}, map[string]json.RawMessage{}
	total := len("{}")
	for _, key := range keys {
		if total += size(key); total > contextLimit {
			large[key] = context[key]
		} else {
			small[key] = context[key]
		}
	}
	return small, large
}

// region is the one that the AWS tools would use.
func (e environment) region() string {
	profile := cmp.Or(e["AWS_PROFILE"], e["AWS_DEFAULT_PROFILE"], "default")
	return cmp.Or(
		e["AWS_REGION"], e["AMAZON_REGION"], e["AWS_DEFAULT_REGION"], e["AMAZON_DEFAULT_REGION"],
		e.profileRegion(profile), e.profileRegion("default"),
		"us-east-1",
	)
}

// profileRegion looks in the two files of the AWS tools. A file that can't be
// read says nothing: most developers have none.
func (e environment) profileRegion(profile string) string {
	home, _ := os.UserHomeDir()
	config := cmp.Or(e["AWS_CONFIG_FILE"], filepath.Join(home, ".aws", "config"))
	credentials := cmp.Or(e["AWS_SHARED_CREDENTIALS_FILE"], filepath.Join(home, ".aws", "credentials"))
	return cmp.Or(
		iniValue(config, "profile "+profile, "region"),
		iniValue(config, profile, "region"), // [default] has no prefix
		iniValue(credentials, profile, "region"),
	)
}

func iniValue(file, section, key string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	inside := false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			name := strings.Trim(line, "[]")
			inside = strings.Join(strings.Fields(name), " ") == section
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if inside && ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
