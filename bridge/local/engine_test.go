//go:build unix

package local

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestInvoke(t *testing.T) {
	e, log := newEngine(t, Options{})
	r := invoke(t, e, goFunction("echo"), `{"order": 17}`)
	wantPayload(t, r, `{"order":17}`)
	if r.ContentType != "application/json" {
		t.Errorf("content type %q", r.ContentType)
	}
	want := regexp.MustCompile(`^START RequestId: ID Version: \$LATEST
END RequestId: ID
REPORT RequestId: ID	Duration: \d+\.\d\d ms	Billed Duration: \d+ ms	Memory Size: 256 MB	Max Memory Used: \d+ MB	Init Duration: \d+\.\d\d ms	
$`)
	if got := strings.ReplaceAll(log.String(), r.RequestID, "ID"); !want.MatchString(got) {
		t.Errorf("log:\n%q", got)
	}
	fmt.Println(log.String())
}
