//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// invoked are the functions of some telling cases that sam local invoke runs,
// once by the CDK's own template and once by Bailey's.
var invoked = []struct {
	name, stage, function string
	// template and id are the CDK's.
	template, id string
	want         string
}{
	{"go-http", "", "Shop/Hello", "Shop", "Hello4A628BD4", `{"event": {"n": 1}, "table": null}`},
	{"inline-code", "", "Shop/InPython", "Shop", "InPythonE0E95396", `{"from": "python", "event": {"n": 1}}`},
	{"layers-shared", "", "Shop/Hello", "Shop", "Hello4A628BD4", `"HELLO FROM A LAYER"`},
	{"path-metadata", "", "Shop/Logic/Hello", "Shop", "Hello4A628BD4", `{"event": {"n": 1}, "table": "Shop-Data-Orders"}`},
	{"python-table", "", "Shop/Hello", "Shop", "Hello4A628BD4", `{"event": {"n": 1}, "table": "Shop-Orders"}`},
	{"python-bundled", "", "Shop/Hello", "Shop", "Hello4A628BD4", `"hello from a package"`},
	{"pipeline", "Live", "Live/Shop/Hello", filepath.Join("assembly-Live", "LiveShop4BBEA859"), "Hello4A628BD4", `{"event": {"n": 1}, "table": null}`},
	{"zip-asset", "", "Shop/Hello", "Shop", "Hello4A628BD4", `"hello from a zipped layer"`},
}

const invokedHead = invokedIntroduction + `
| case | function | plain SAM CLI | Bailey |
|---|---|---|---|
`

const invokedIntroduction = `
## Invoked

` + "`sam local invoke`" + ` in a container, with the event ` + "`{\"n\": 1}`" + `: by the CDK's own template and the function's logical id, and by Bailey's template and the function's construct path.
`

// TestCompatibilityInvoked runs functions of the cases. Bailey's side must
// answer as the function's code says.
func TestCompatibilityInvoked(t *testing.T) {
	baseImages(t)
	answers := make([][2]string, len(invoked))
	t.Run("all", func(t *testing.T) {
		for i, v := range invoked {
			dir := copyCase(t, v.name)
			out := filepath.Join("invoked", v.stage)
			succeed(t, dir, bailey(t), "bridge", "cdk.out", "--stage", v.stage, "--output-dir", out)
			for side, arguments := range [2][]string{
				{v.id, "--template", filepath.Join("cdk.out", v.template+".template.json")},
				{v.function, "--template", filepath.Join(out, "template.yaml")},
			} {
				t.Run(fmt.Sprint(v.name, " ", side), func(t *testing.T) {
					t.Parallel()
					o := execute(t, dir, `{"n": 1}`, e2e.SAM(t), append([]string{"local", "invoke", "--event", "-", "--skip-pull-image"}, arguments...)...)
					answers[i][side] = answer(o, dir)
					if side == 1 && !reflect.DeepEqual(payloadOf(o.stdout), payloadOf(v.want)) {
						t.Errorf("by Bailey, %s answered %q, want %s\n%s", v.function, o.stdout, v.want, o.stderr)
					}
				})
			}
		}
	})
	var text strings.Builder
	text.WriteString(invokedHead)
	for i, v := range invoked {
		plain := answers[i][0]
		if plain == "`"+v.want+"`" {
			plain = "the same"
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", v.name, v.function, plain, answers[i][1])
	}
	compareSection(t, text.String(), false)
}

// answer is a cell: the payload, or the last line of what sam said.
func answer(o output, dir string) string {
	if text := strings.TrimSpace(o.stdout); o.status == 0 && text != "" {
		return "`" + oneLine(text, dir) + "`"
	}
	lines := strings.Split(strings.TrimSpace(o.stderr), "\n")
	return "fails: " + oneLine(lines[len(lines)-1], dir)
}
