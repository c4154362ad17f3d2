package local

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// The environment of a function's process is made of five parts, a later one
// over an earlier:
//
//  1. of the host, what a program needs to run and to find AWS credentials,
//     [passedOn], and where an emulated AWS is, [hostEnvironment.endpoints].
//     Nothing else of the host's environment gets through.
//  2. what Lambda sets and a function may set otherwise: [defaults].
//  3. the function's own variables, from the template.
//  4. what Lambda reserves, and refuses a function that sets it: [reserved].
//  5. what belongs to the one process: [program.launch].
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html

// passedOn are the host's variables that a function gets, where the host has
// them. The access keys are not among them: see [hostEnvironment.credentials].
var passedOn = []string{
	"PATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR",
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
	"AWS_SDK_LOAD_CONFIG", "AWS_CA_BUNDLE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
	"AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
}

// credentialSources are those of passedOn that lead an SDK to credentials.
var credentialSources = []string{
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
}

// reservedNames are what Lambda refuses in a template. They keep Lambda's
// values here.
var reservedNames = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

// settings is what a function's environment depends on.
type settings struct {
	fn       *model.Function
	host     hostEnvironment
	kind     runtimeKind
	taskRoot string
	// runtimeDir holds the bootstrap of an interpreted runtime.
	runtimeDir string
	// layers are the folders of the layers, the one on top first.
	layers []string
}

// environment is everything but what belongs to one process, and the reserved
// names that the function set in vain.
func (s settings) environment() (env map[string]string, ignored []string) {
	env = map[string]string{}
	for _, name := range passedOn {
		if value := s.host[name]; value != "" {
			env[name] = value
		}
	}
	maps.Copy(env, s.host.endpoints())
	maps.Copy(env, s.defaults())
	for name, value := range s.fn.Environment {
		if slices.Contains(reservedNames, name) {
			ignored = append(ignored, name)
			continue
		}
		env[name] = value
	}
	slices.Sort(ignored)
	maps.Copy(env, s.reserved())
	return env, ignored
}

// defaults are the variables that Lambda sets and a function may replace.
func (s settings) defaults() map[string]string {
	env := map[string]string{
		"LANG": "en_US.UTF-8",
		"TZ":   ":UTC",
		// No daemon listens: the X-Ray SDKs send by UDP and never notice.
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":  "127.0.0.1:2000",
		"_AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1",
		"_AWS_XRAY_DAEMON_PORT":    "2000",
		// An SDK without credentials would wait for an EC2 instance's.
		"AWS_EC2_METADATA_DISABLED": "true",
		"PATH":                      s.path("PATH", under(s.layers, "bin")),
		"LD_LIBRARY_PATH": s.path("LD_LIBRARY_PATH",
			[]string{s.taskRoot, filepath.Join(s.taskRoot, "lib")}, under(s.layers, "lib")),
	}
	switch {
	case s.kind.family == familyPython && len(s.layers) > 0:
		env["PYTHONPATH"] = join(
			under(s.layers, "python/lib/python"+s.kind.version+"/site-packages"),
			under(s.layers, "python"))
	case s.kind.family == familyNode && len(s.layers) > 0:
		env["NODE_PATH"] = join(
			under(s.layers, "nodejs/node"+s.kind.version+"/node_modules"),
			under(s.layers, "nodejs/node_modules"))
	}
	return env
}

// reserved are the variables that a function cannot replace.
func (s settings) reserved() map[string]string {
	region, _ := regionAndAccount(s.fn.ARN)
	env := map[string]string{
		"_HANDLER":                        s.fn.Handler,
		"AWS_REGION":                      region,
		"AWS_DEFAULT_REGION":              region,
		"AWS_LAMBDA_FUNCTION_NAME":        s.fn.FunctionName,
		"AWS_LAMBDA_FUNCTION_VERSION":     functionVersion,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(memorySizeOf(s.fn)),
		"AWS_LAMBDA_LOG_GROUP_NAME":       logGroupOf(s.fn),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"LAMBDA_TASK_ROOT":                s.taskRoot,
		"LAMBDA_RUNTIME_DIR":              s.runtimeDir,
		// The SAM CLI's sign of a local run, which user code looks for.
		"AWS_SAM_LOCAL": "true",
	}
	if s.kind.family != familyProvided { // an OS-only runtime has none on Lambda
		env["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + s.fn.Runtime
	}
	if s.fn.LogFormat == "JSON" {
		env["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
		env["AWS_LAMBDA_LOG_LEVEL"] = orElse(s.fn.ApplicationLogLevel, "INFO")
	}
	maps.Copy(env, s.host.credentials())
	return env
}

// path puts folders in front of what the host has.
func (s settings) path(name string, folders ...[]string) string {
	return join(append(folders, []string{s.host[name]})...)
}

// join makes a search path, without empty parts: those would stand for the
// working folder.
func join(folders ...[]string) string {
	all := slices.DeleteFunc(slices.Concat(folders...), func(f string) bool { return f == "" })
	return strings.Join(all, string(os.PathListSeparator))
}

func under(folders []string, sub string) []string {
	all := make([]string, len(folders))
	for n, folder := range folders {
		all[n] = filepath.Join(folder, filepath.FromSlash(sub))
	}
	return all
}

// hostEnvironment is the host's environment by name.
type hostEnvironment map[string]string

func parseEnvironment(environ []string) hostEnvironment {
	env := make(hostEnvironment, len(environ))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	return env
}

// endpoints are where the host's AWS SDKs go in place of AWS: AWS_ENDPOINT_URL
// and, for single services, AWS_ENDPOINT_URL_SQS and so on.
func (h hostEnvironment) endpoints() map[string]string {
	env := map[string]string{}
	for name, value := range h {
		if value != "" && (name == "AWS_ENDPOINT_URL" || strings.HasPrefix(name, "AWS_ENDPOINT_URL_")) {
			env[name] = value
		}
	}
	return env
}

// credentials are the host's access keys. Where it has none, and nothing that
// leads an SDK to some, they are the two words that the SAM CLI sets then: an
// SDK signs with them and does not search.
func (h hostEnvironment) credentials() map[string]string {
	if h["AWS_ACCESS_KEY_ID"] != "" && h["AWS_SECRET_ACCESS_KEY"] != "" {
		keys := map[string]string{
			"AWS_ACCESS_KEY_ID":     h["AWS_ACCESS_KEY_ID"],
			"AWS_SECRET_ACCESS_KEY": h["AWS_SECRET_ACCESS_KEY"],
		}
		if token := h["AWS_SESSION_TOKEN"]; token != "" {
			keys["AWS_SESSION_TOKEN"] = token
		}
		return keys
	}
	if h.leadsToCredentials() {
		return nil
	}
	return map[string]string{"AWS_ACCESS_KEY_ID": "defaultkey", "AWS_SECRET_ACCESS_KEY": "defaultsecret"}
}

func (h hostEnvironment) leadsToCredentials() bool {
	for _, name := range credentialSources {
		if h[name] != "" {
			return true
		}
	}
	home := orElse(h["HOME"], string(filepath.Separator))
	for _, file := range []string{
		orElse(h["AWS_SHARED_CREDENTIALS_FILE"], filepath.Join(home, ".aws", "credentials")),
		orElse(h["AWS_CONFIG_FILE"], filepath.Join(home, ".aws", "config")),
	} {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

// list is the form that a process takes, in a fixed order.
func list(env map[string]string) []string {
	entries := make([]string, 0, len(env))
	for name, value := range env {
		entries = append(entries, name+"="+value)
	}
	slices.Sort(entries)
	return entries
}

// regionAndAccount are parts of a function's ARN:
// arn:aws:lambda:REGION:ACCOUNT:function:NAME.
func regionAndAccount(arn string) (region, account string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return "us-east-1", ""
	}
	return orElse(parts[3], "us-east-1"), parts[4]
}

func logGroupOf(fn *model.Function) string {
	return orElse(fn.LogGroup, "/aws/lambda/"+fn.FunctionName)
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
