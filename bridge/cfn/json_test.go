package cfn

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// FuzzDecodeFast: what decodeFast reads is what encoding/json reads.
func FuzzDecodeFast(f *testing.F) {
	templates, err := filepath.Glob(filepath.Join("..", "testdata", "apps", "*", "cdk.out", "*.template.json"))
	if err != nil || len(templates) == 0 {
		f.Fatal("no templates", err)
	}
	for _, file := range templates {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, text := range []string{
		everything,
		`{"Resources": {}}`,
		`{"Resources": {"A": {"Type": "T"}, "A": {"Type": "U", "Properties": {"x": 1, "x": 2}}}}`,
		`{"Resources": {"A": {"Type": "T", "Properties": {"x": 1}, "Properties": {"y": 1}}}}`,
		`{"Resources": {"A": {"type": "T", "PROPERTIES": {"x": -1.5e+3}}}, "resources": {"B": {"Type": "T"}}}`,
		`{"Resources": {"A": {"Type": "T"}}, "Resources": {"B": {"Type": "T"}}}`,
		`{"Resources": {"A": {"Type": "T"}}, "Resources": null}`,
		`{"Resources": {"A": {"Type": null, "Condition": null, "Properties": null}}}`,
		`{"Resources": {"A": {"Type": "T", "DependsOn": ["B"], "Metadata": {"n": [null, true, false, 0, [], {}]}}}}`,
		`{"Resources": {"\u0041\n": {"Type": "\ud83d\ude00 \ud83d é", "Properties": {"\"": "\\"}}}}`,
		"{\"Resources\": {\"\xff\": {\"Type\": \"\xfe\"}}}",
		"{\"Resources\": {\"A\": {\"Type\": \"a\x01\"}}}",
		`{"Resources": {"A": {"Type": "T", "Properties": {"x": 01}}}}`,
		`{"Resources": {"A": {"Type": "T", "Properties": {"x": [1,]}}}}`,
		`{"Resources": {"A": {"Type": "T", "Properties": {"x": nul}}}}`,
		`{"Resources": {"A": {"Type": "T", "Properties": {"x": ]}}}}`,
		`{"Resources": {"A": {"Type": "T"},}}`,
		`{"Resources": {"A": {"Type": "T"}}} {}`,
		`{"Resources": {"A": {"Type": "T", "Properties": {"x": ` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}}}}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fast, ok := decodeFast([]byte(text))
		if !ok {
			return
		}
		slow := &Template{}
		if err := DecodeJSON("t.json", []byte(text), slow); err != nil {
			t.Fatalf("it reads what encoding/json does not: %v", err)
		}
		if !reflect.DeepEqual(fast, slow) {
			t.Errorf("it reads %#v, and encoding/json %#v", fast, slow)
		}
	})
}

// TestDecodeFast: the templates that the CDK writes need no second reading.
func TestDecodeFast(t *testing.T) {
	templates, _ := filepath.Glob(filepath.Join("..", "testdata", "apps", "*", "cdk.out", "*.template.json"))
	if len(templates) == 0 {
		t.Fatal("no templates")
	}
	for _, file := range templates {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := decodeFast(text); !ok && strings.Contains(string(text), `"Resources"`) {
			t.Errorf("%s is read by encoding/json", file)
		}
	}
}
