//go:build unix

package local

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// environOf runs a function to see its environment.
func environOf(t *testing.T, e *Engine, fn *model.Function) map[string]string {
	t.Helper()
	return parseEnvironment(decode[[]string](t, invoke(t, e, fn, `{"do": "environ"}`)))
}

// host is a host's environment with things that no function may see.
var host = []string{
	"PATH=/usr/bin:/bin", "HOME=/nowhere", "TMPDIR=/var/tmp", "LD_LIBRARY_PATH=/opt/lib",
	"GITHUB_TOKEN=secret", "LC_ALL=de_DE.UTF-8", "TZ=Europe/Berlin", "AWS_REGION=us-west-2", "DISPLAY=:0",
}

func TestEnvironment(t *testing.T) {
	e, log := newEngine(t, Options{Environ: host})
	fn := goFunction("acts")
	fn.Environment = map[string]string{"TABLE": "orders", "EMPTY": "", "MULTI": "a\nb=c"}
	got := environOf(t, e, fn)
	if stream := got["AWS_LAMBDA_LOG_STREAM_NAME"]; !strings.Contains(stream, "/[$LATEST]") {
		t.Errorf("log stream %q", stream)
	}
	api, token, _ := strings.Cut(got["AWS_LAMBDA_RUNTIME_API"], "/")
	if api != e.api.address || len(token) != 32 {
		t.Errorf("AWS_LAMBDA_RUNTIME_API=%s/%s", api, token)
	}
	if !strings.HasPrefix(got["_X_AMZN_TRACE_ID"], "Root=1-") { // aws-lambda-go sets it
		t.Errorf("trace id %q", got["_X_AMZN_TRACE_ID"])
	}
	for _, name := range []string{"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "_X_AMZN_TRACE_ID"} {
		delete(got, name)
	}
	dir := fn.Code.Path
	want := map[string]string{
		"TABLE": "orders", "EMPTY": "", "MULTI": "a\nb=c",
		"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "TMPDIR": "/var/tmp",
		"LD_LIBRARY_PATH":                 dir + ":" + dir + "/lib:/opt/lib",
		"LANG":                            "en_US.UTF-8",
		"TZ":                              ":UTC",
		"_HANDLER":                        "bootstrap",
		"AWS_REGION":                      "eu-west-1",
		"AWS_DEFAULT_REGION":              "eu-west-1",
		"AWS_ACCESS_KEY_ID":               "defaultkey",
		"AWS_SECRET_ACCESS_KEY":           "defaultsecret",
		"AWS_EC2_METADATA_DISABLED":       "true",
		"AWS_LAMBDA_FUNCTION_NAME":        "acts",
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/acts",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_SAM_LOCAL":                   "true",
		"AWS_XRAY_CONTEXT_MISSING":        "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":         "127.0.0.1:2000",
		"_AWS_XRAY_DAEMON_ADDRESS":        "127.0.0.1",
		"_AWS_XRAY_DAEMON_PORT":           "2000",
		"LAMBDA_TASK_ROOT":                dir,
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if value, set := got[name]; !set || value != want[name] {
			t.Errorf("%s=%q, want %q", name, value, want[name])
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("more than wanted: %v", got)
	}
	if strings.Contains(log.String(), "bailey:") {
		t.Errorf("log:\n%s", log)
	}
}

// A function that works on an emulated AWS must reach it.
func TestEndpoints(t *testing.T) {
	endpoints := []string{
		"AWS_ENDPOINT_URL=http://127.0.0.1:4566", "AWS_ENDPOINT_URL_SQS=http://127.0.0.1:9324", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false",
		"AWS_ENDPOINT_URL_S3=", "AWS_ENDPOINT=x", "AWS_ENDPOINT_URLS=x",
	}
	e, _ := newEngine(t, Options{Environ: slices.Concat(host, endpoints)})
	fn := goFunction("acts")
	fn.Environment = map[string]string{"AWS_ENDPOINT_URL_SNS": "http://127.0.0.1:1"}
	got := environOf(t, e, fn)
	for name, want := range map[string]string{
		"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9324",
		"AWS_ENDPOINT_URL_SNS": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
	} {
		if got[name] != want {
			t.Errorf("%s=%q, want %q", name, got[name], want)
		}
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT", "AWS_ENDPOINT_URLS"} {
		if value, set := got[name]; set {
			t.Errorf("%s=%q got through", name, value)
		}
	}
}

func TestReservedVariables(t *testing.T) {
	e, log := newEngine(t, Options{Environ: host})
	fn := goFunction("acts")
	fn.Environment = map[string]string{
		"AWS_REGION": "mars-1", "AWS_ACCESS_KEY_ID": "mine", "_HANDLER": "other", "AWS_LAMBDA_RUNTIME_API": "example.com",
		"PATH": "/opt/bin", "TZ": "Europe/Paris", "LANG": "C", // these may be set
	}
	got := environOf(t, e, fn)
	for name, want := range map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "defaultkey", "_HANDLER": "bootstrap",
		"PATH": "/opt/bin", "TZ": "Europe/Paris", "LANG": "C",
	} {
		if got[name] != want {
			t.Errorf("%s=%q, want %q", name, got[name], want)
		}
	}
	invoke(t, e, fn, `{"do": "exit"}`)
	invoke(t, e, fn, `{}`)
	const note = "bailey: acts: Lambda reserves AWS_ACCESS_KEY_ID, AWS_LAMBDA_RUNTIME_API, AWS_REGION, _HANDLER " +
		"and refuses a function that sets it; the template's value is ignored\n"
	if strings.Count(log.String(), note) != 1 {
		t.Errorf("log:\n%s\nwant once:\n%s", log, note)
	}
}

func TestExecWrapper(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := inNode(t, `exports.handler = async () => 1`)
	fn.Environment = map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-handler"}
	wantPayload(t, invoke(t, e, fn, `{}`), `1`)
	const note = "bailey: Code: AWS_LAMBDA_EXEC_WRAPPER (/opt/otel-handler) is not run: there is no /opt here; run it with --engine sam where it matters\n"
	if !strings.Contains(log.String(), note) {
		t.Errorf("log:\n%s", log)
	}
}

func TestManagedRuntimeEnvironment(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := inNode(t, `exports.handler = async () => process.env`)
	fn.LogFormat = "JSON"
	layers := []string{t.TempDir(), t.TempDir()}
	fn.Layers = []*model.Layer{{Path: layers[0]}, {Path: layers[1]}}
	got := decode[map[string]string](t, invoke(t, e, fn, `{}`))
	version := strings.TrimSuffix(fn.Runtime, ".x")
	version = strings.TrimPrefix(version, "nodejs")
	dir := fn.Code.Path
	for name, want := range map[string]string{
		"AWS_EXECUTION_ENV": "AWS_Lambda_" + fn.Runtime, "AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO",
		"NODE_PATH": layers[1] + "/nodejs/node" + version + "/node_modules:" + layers[0] + "/nodejs/node" + version + "/node_modules:" +
			layers[1] + "/nodejs/node_modules:" + layers[0] + "/nodejs/node_modules",
		"LD_LIBRARY_PATH": strings.TrimSuffix(dir+":"+dir+"/lib:"+layers[1]+"/lib:"+layers[0]+"/lib:"+os.Getenv("LD_LIBRARY_PATH"), ":"),
	} {
		if got[name] != want {
			t.Errorf("%s=%q, want %q", name, got[name], want)
		}
	}
	if !strings.HasPrefix(got["PATH"], layers[1]+"/bin:"+layers[0]+"/bin:") {
		t.Errorf("PATH=%q", got["PATH"])
	}
	if _, err := os.Stat(filepath.Join(got["LAMBDA_RUNTIME_DIR"], "bootstrap.mjs")); err != nil {
		t.Error(err)
	}
}

func TestCredentials(t *testing.T) {
	home := writeFiles(t, map[string]string{".aws/credentials": "[default]\n"})
	file := filepath.Join(home, ".aws", "credentials")
	for _, test := range []struct {
		name string
		host []string
		want map[string]string
	}{
		{"none", nil, map[string]string{"AWS_ACCESS_KEY_ID": "defaultkey", "AWS_SECRET_ACCESS_KEY": "defaultsecret"}},
		{"keys", []string{"AWS_ACCESS_KEY_ID=k", "AWS_SECRET_ACCESS_KEY=s"}, map[string]string{"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}},
		{
			"session",
			[]string{"AWS_ACCESS_KEY_ID=k", "AWS_SECRET_ACCESS_KEY=s", "AWS_SESSION_TOKEN=t"},
			map[string]string{"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"},
		},
		{"half a key", []string{"AWS_ACCESS_KEY_ID=k"}, map[string]string{"AWS_ACCESS_KEY_ID": "defaultkey", "AWS_SECRET_ACCESS_KEY": "defaultsecret"}},
		{"profile", []string{"AWS_PROFILE=shop"}, map[string]string{"AWS_PROFILE": "shop"}},
		{"file", []string{"HOME=" + home}, map[string]string{"HOME": home}},
		{"file elsewhere", []string{"AWS_SHARED_CREDENTIALS_FILE=" + file}, map[string]string{"AWS_SHARED_CREDENTIALS_FILE": file}},
		{"web identity", []string{"AWS_WEB_IDENTITY_TOKEN_FILE=/t", "AWS_ROLE_ARN=r"}, map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "r"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := settings{fn: function("F"), host: parseEnvironment(test.host), taskRoot: "/code"}
			env, _ := s.environment()
			for _, name := range slices.Concat(passedOn, []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}) {
				if name == "PATH" || name == "LD_LIBRARY_PATH" {
					continue
				}
				if value, set := env[name]; set != (test.want[name] != "") || value != test.want[name] {
					t.Errorf("%s=%q, want %q", name, value, test.want[name])
				}
			}
		})
	}
}

func TestRegionAndAccount(t *testing.T) {
	for arn, want := range map[string][2]string{
		"arn:aws:lambda:eu-west-1:123456789012:function:F": {"eu-west-1", "123456789012"},
		"arn:aws-cn:lambda:cn-north-1:1:function:F:alias":  {"cn-north-1", "1"},
		"arn:aws:lambda:::function:F":                      {"us-east-1", ""},
		"F":                                                {"us-east-1", ""},
	} {
		if region, account := regionAndAccount(arn); region != want[0] || account != want[1] {
			t.Errorf("%s: %q, %q", arn, region, account)
		}
	}
}
