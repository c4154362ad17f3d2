package build

import (
	"encoding/json"
	"strings"
	"testing"
)

const goodRecord = `{"Version":1,"Flags":["linux","arm64"],"Toolchain":"t","Env":{"GOFLAGS":"-mod=mod"},` +
	`"GoMod":"go.mod","GoWork":"","Packages":[{"Dir":".","Embed":["all:web"]}],"Files":["go.mod"],` +
	`"Inputs":{"go.mod":"1"},"Output":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}`

func TestParseRecord(t *testing.T) {
	r, err := parseRecord([]byte(goodRecord))
	if err != nil {
		t.Fatal(err)
	}
	if r.Packages[0].Embed[0] != "all:web" || r.Inputs["go.mod"] != "1" || r.Env["GOFLAGS"] != "-mod=mod" {
		t.Errorf("%+v", r)
	}
	for name, data := range map[string]string{
		"empty":         "",
		"null":          "null",
		"cut":           goodRecord[:len(goodRecord)-2],
		"two":           goodRecord + goodRecord,
		"other version": strings.Replace(goodRecord, `"Version":1`, `"Version":2`, 1),
		"no version":    strings.Replace(goodRecord, `"Version":1,`, ``, 1),
		"unknown field": strings.Replace(goodRecord, `"Version"`, `"More":1,"Version"`, 1),
		"no output":     strings.Replace(goodRecord, `0123456789`, ``, 1),
		"no inputs":     strings.Replace(strings.Replace(goodRecord, `{"Dir":".","Embed":["all:web"]}`, ``, 1), `"Files":["go.mod"]`, `"Files":[]`, 1),
	} {
		if r, err := parseRecord([]byte(data)); err == nil {
			t.Errorf("%s: accepted as %+v", name, r)
		}
	}
}

// FuzzParseRecord: whatever lies on the disk, a record is read whole or not at
// all, and one that is read survives being written.
func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(goodRecord))
	f.Add([]byte(`{"Version":1}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRecord(data)
		if err != nil {
			return
		}
		if len(r.Output) != 64 || r.Version != recordVersion {
			t.Fatalf("accepted %+v", r)
		}
		written, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseRecord(written)
		if err != nil || !again.equal(r) || again.Output != r.Output {
			t.Fatalf("%+v was read again as %+v (%v)", r, again, err)
		}
	})
}
