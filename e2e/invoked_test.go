//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// sampled are the cases whose functions an ordinary run invokes, with what
// they answer. All cases are invoked where the table is rewritten.
var sampled = map[string]string{
	"go-http":        `{"event": {"n": 1}, "table": null}`,
	"inline-code":    `{"from": "node", "event": {"n": 1}}`,
	"layers-shared":  `"HELLO FROM A LAYER"`,
	"path-metadata":  `{"event": {"n": 1}, "table": "Shop-Data-Orders"}`,
	"python-table":   `{"event": {"n": 1}, "table": "Shop-Orders"}`,
	"python-bundled": `"hello from a package"`,
	"pipeline":       `{"event": {"n": 1}, "table": null}`,
	"zip-asset":      `"hello from a zipped layer"`,
}

// notInvoked are the cases that no engine can run without the network, and why.
var notInvoked = map[string]string{
	"go-bundled":    "is for arm64, and what emulates that cannot be pulled here",
	"layers-inline": "has a layer of AWS's, which takes an account to download",
}

const invokedColumns = `
| case | function | plain SAM CLI | Bailey |
|---|---|---|---|
`

const invokedIntroduction = `
## Invoked

` + "`sam local invoke`" + ` in a container, with the event ` + "`{\"n\": 1}`" + `: by the CDK's own template and the function's logical id, and by Bailey's template and the function's construct path. It is the first function of each case that is no container image.
`

// invocation is one function of a case, on both sides.
type invocation struct {
	*testCase
	stage, function string
	// template is the CDK's, and id the function's logical id in it.
	template, id string
	cells        [2]string
}

// TestCompatibilityInvoked runs functions of the cases. Bailey's side must
// answer as the embedded engine does, and as the function's code says.
func TestCompatibilityInvoked(t *testing.T) {
	baseImages(t)
	all := firstFunctions(t)
	t.Run("all", func(t *testing.T) {
		for _, v := range all {
			for side, arguments := range [2][]string{
				{v.id, "--template", v.template},
				{v.function, "--template", filepath.Join(formats[0].folder, v.stage, "template.yaml")},
			} {
				t.Run(fmt.Sprint(v.name, " ", side), func(t *testing.T) {
					t.Parallel()
					o := execute(t, v.dir, `{"n": 1}`, e2e.SAM(t), append([]string{"local", "invoke", "--event", "-", "--skip-pull-image"}, arguments...)...)
					v.cells[side] = answer(o, v.dir)
					if side == 1 {
						v.compare(t, o)
					}
				})
			}
		}
	})
	var text strings.Builder
	text.WriteString(invokedIntroduction)
	for _, name := range slices.Sorted(maps.Keys(notInvoked)) {
		fmt.Fprintf(&text, "\n%s is not invoked: it %s.\n", name, notInvoked[name])
	}
	text.WriteString(invokedColumns)
	for _, v := range all {
		if v.cells[0] == v.cells[1] {
			v.cells[0] = "the same"
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", v.name, v.function, v.cells[0], v.cells[1])
	}
	if *update {
		compareSection(t, text.String(), false)
		return
	}
	_, committed := sections(t)
	for row := range strings.Lines(text.String()) {
		if !strings.Contains(committed, row) {
			t.Errorf("COMPATIBILITY.md lacks what this run found; make compatibility, and read the diff:\n%s", row)
		}
	}
}

// firstFunctions are the first function of each case, of the sampled cases alone
// in an ordinary run.
func firstFunctions(t *testing.T) []*invocation {
	t.Helper()
	var all []*invocation
	for _, c := range prepareCases(t) {
		if _, ok := sampled[c.name]; !ok && !*update || notInvoked[c.name] != "" {
			continue
		}
		for _, function := range c.want.functions {
			if v := c.invocation(function); v != nil {
				all = append(all, v)
				break
			}
		}
	}
	return all
}

// invocation is how a function is invoked by the CDK's template, nil for a
// container image.
func (c *testCase) invocation(function string) *invocation {
	if d := c.resources[function]; d == nil || d.image {
		return nil
	}
	for _, r := range c.plain {
		for place, path := range r.paths {
			if path == function {
				_, id, _ := strings.Cut(place, " ")
				return &invocation{testCase: c, stage: r.stage, function: function, template: r.Template, id: id}
			}
		}
	}
	return nil
}

// compare compares an answer of the SAM CLI with the embedded engine's.
func (v *invocation) compare(t *testing.T, o output) {
	t.Helper()
	want, ok := sampled[v.name]
	switch {
	case v.name == "unstaged": // asks for /opt, which the embedded engine has not
		want = `"from a layer that was not staged"`
	case !ok:
		want = execute(t, v.dir, `{"n": 1}`, bailey(t), "local", "invoke", v.function, "--event", "-", "--assembly", "cdk.out", "--stage", v.stage).stdout
	}
	if !reflect.DeepEqual(payloadOf(o.stdout), payloadOf(want)) {
		t.Errorf("by Bailey's template, %s answered %q, want %s\n%s", v.function, o.stdout, want, o.stderr)
	}
}

// answer is a cell: the payload, or the last line of what sam said.
func answer(o output, dir string) string {
	if text := strings.TrimSpace(o.stdout); o.status == 0 && text != "" {
		return "`" + oneLine(text, dir) + "`"
	}
	lines := strings.Split(strings.TrimSpace(o.stderr), "\n")
	return "fails: " + oneLine(lines[len(lines)-1], dir)
}
