//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

var languages = []string{"Go", "Node", "Python"}

// question is an event and what every function must answer. Where want is nil,
// the languages differ among themselves, and the engines must agree.
type question struct {
	name, event string
	want        any
	failed      bool
}

var questions = []question{
	{
		name: "object", event: `{"a": "ü🚀", "n": 12345.5, "z": null, "deep": [{"<&>": [1, -2e3, true]}]}`,
		want: object(`{"echo": {"a": "ü🚀", "n": 12345.5, "z": null, "deep": [{"<&>": [1, -2000, true]}]}}`),
	},
	{name: "null", event: `null`, want: object(`{"echo": null}`)},
	{name: "array", event: `[1, "two", [3]]`, want: object(`{"echo": [1, "two", [3]]}`)},
	{name: "string", event: `"text\nof \"two\" lines"`, want: object(`{"echo": "text\nof \"two\" lines"}`)},
	{name: "context", event: `{"action": "context"}`, want: object(`{"memory": 256, "version": "$LATEST", "id": 36, "left": true}`)},
	{name: "environment", event: `{"action": "environment"}`},
	{name: "failure", event: `{"action": "fail"}`, failed: true},
	{
		name: "exit", event: `{"action": "exit"}`, failed: true,
		want: object(`{"errorType": "Runtime.ExitError", "errorMessage": "RequestId: ID Error: Runtime exited with error: exit status 3"}`),
	},
	{name: "after an exit", event: `{}`, want: object(`{"echo": {}}`)},
	{name: "large response", event: `{"action": "big", "size": 5000000}`, want: strings.Repeat("x", 5000000)},
	{
		name: "too large response", event: `{"action": "big", "size": 7000000}`, failed: true,
		want: object(`{"errorType": "Function.ResponseSizeTooLarge", "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`),
	},
}

func object(text string) any {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	return v
}

// TestInvoke asks every function every question by the embedded engine, and
// then by the SAM CLI in both formats. The SAM CLI waits a second for a
// function's log after most calls, so that functions are asked side by side.
func TestInvoke(t *testing.T) {
	answers := map[string]any{}
	t.Run(embedded.name, func(t *testing.T) {
		for _, language := range languages {
			for _, q := range questions {
				t.Run(language+"/"+q.name, func(t *testing.T) {
					answers[language+q.event] = ask(t, embedded, language, q, q.want)
				})
			}
		}
	})
	for _, format := range formats {
		engine := startLambda(format.name)
		t.Run(engine.name, func(t *testing.T) {
			baseImages(t)
			t.Parallel()
			for _, language := range languages {
				t.Run(language, func(t *testing.T) {
					t.Parallel()
					for _, q := range questions {
						t.Run(q.name, func(t *testing.T) { ask(t, engine, language, q, answers[language+q.event]) })
					}
				})
			}
		})
	}
}

// ask asks one question and compares the answer with what is wanted, where
// anything is.
func ask(t *testing.T, engine engine, language string, q question, want any) any {
	t.Helper()
	got := engine.invoke(t, mixed(t), language, q.event)
	if got.failed != q.failed {
		t.Errorf("failed is %v, want %v", got.failed, q.failed)
	}
	payload := comparable(got.payload)
	if want != nil && !reflect.DeepEqual(payload, want) {
		t.Errorf("answered %s\nwant %s", short(payload), short(want))
	}
	return payload
}

func short(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(text) > 1000 {
		return fmt.Sprintf("%s... (%d bytes)", text[:1000], len(text))
	}
	return string(text)
}

// TestEnvironment says what the functions see of their template.
func TestEnvironment(t *testing.T) {
	want := object(`{
		"TABLE": "Data-Orders", "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/Data-Jobs",
		"TITLE": "mixed-us-east-1", "QUOTES": "\"double\" 'single' $dollar \\back", "UNICODE": "grüße 🚀", "EMPTY": "",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"
	}`).(map[string]any)
	handlers := map[string]string{"Go": "bootstrap", "Node": "index.handler", "Python": "app.handler"}
	for _, language := range languages {
		want["_HANDLER"] = handlers[language]
		got := embedded.invoke(t, mixed(t), language, `{"action": "environment"}`)
		if !reflect.DeepEqual(got.payload, any(want)) {
			t.Errorf("%s sees %s\nwant %s", language, short(got.payload), short(want))
		}
	}
}

// TestLayer runs functions whose code is partly in a layer.
func TestLayer(t *testing.T) {
	for _, engine := range []engine{embedded, startLambda(formats[0].name), startLambda(formats[1].name)} {
		t.Run(engine.name, func(t *testing.T) {
			if engine.docker {
				baseImages(t)
			}
			for _, language := range []string{"Node", "Python"} {
				if got := engine.invoke(t, mixed(t), language, `{"action": "layer"}`); got.payload != "hello from the layer" {
					t.Errorf("%s answered %v", language, got.payload)
				}
			}
		})
	}
}

// TestNames calls a function by each of its names, in each way that takes one.
// A call by sam local invoke takes seconds: each name is used once.
func TestNames(t *testing.T) {
	type use struct {
		engine   engine
		function string
	}
	var uses []use
	for _, name := range []string{"Python", "Service/Python", "mixed-python"} {
		uses = append(uses, use{embedded, name})
		for _, format := range formats {
			uses = append(uses, use{startLambda(format.name), name})
		}
	}
	uses = append(uses,
		use{samInvoke(formats[0].name), "Go"},
		use{samInvoke(formats[0].name), "Service/Node"},
		use{samInvoke(formats[0].name), "mixed-python"},
		use{samInvoke(formats[1].name), "Go"},
		use{samInvoke(formats[1].name), "Service/Node"},
		use{samInvoke(formats[1].name), "mixed-python"},
		use{samByBailey, "Service/Go"},
	)
	for _, u := range uses {
		t.Run(u.engine.name+"/"+u.function, func(t *testing.T) {
			if u.engine.docker {
				baseImages(t)
			}
			t.Parallel()
			got := u.engine.invoke(t, mixed(t), u.function, `{"by": "name"}`)
			if want := object(`{"echo": {"by": "name"}}`); !reflect.DeepEqual(got.payload, want) {
				t.Errorf("answered %s", short(got.payload))
			}
		})
	}
}

// TestTimeout lets a function run out of time. The SAM CLI answers with a text.
func TestTimeout(t *testing.T) {
	const want = "Task timed out after 3.00 seconds"
	for _, engine := range []engine{embedded, startLambda(formats[0].name)} {
		t.Run(engine.name, func(t *testing.T) {
			if engine.docker {
				baseImages(t)
			}
			t.Parallel()
			got := engine.invoke(t, mixed(t), "Impatient", `{"action": "sleep"}`)
			if !strings.Contains(fmt.Sprint(got.payload), want) {
				t.Errorf("answered %s, want %q in it", short(got.payload), want)
			}
		})
	}
}
