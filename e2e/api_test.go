//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A call of the mixed app's API, and what the function behind it must see.
type call struct {
	method, path, body string
	want               seen
}

// seen is the part of the event that the functions send back.
type seen struct {
	From       string            `json:"-"`
	Version    string            `json:"version"`
	Route      string            `json:"route"`
	Method     string            `json:"method"`
	Path       string            `json:"path"`
	Parameters map[string]string `json:"parameters"`
	Query      map[string]string `json:"query"`
	Body       string            `json:"body"`
}

// calls are the same for each language, and some to the routes beside those.
func calls() []call {
	none := map[string]string{}
	var all []call
	for _, language := range []string{"go", "node", "python"} {
		base := "/" + language
		all = append(all,
			call{method: "GET", path: base + "/42?q=a%20b&empty=", want: seen{
				language, "2.0", "GET " + base + "/{id}", "GET", base + "/42",
				map[string]string{"id": "42"},
				map[string]string{"q": "a b", "empty": ""},
				"",
			}},
			call{method: "POST", path: base, body: `{"id": "ü"}`, want: seen{language, "2.0", "POST " + base, "POST", base, none, none, `{"id": "ü"}`}},
			call{method: "GET", path: base, want: seen{language, "1.0", base, "GET", base, none, none, ""}},
			call{method: "PUT", path: base + "/files/a/b%20c", body: "text", want: seen{
				language, "2.0", "PUT " + base + "/files/{proxy+}", "PUT", base + "/files/a/b c",
				map[string]string{"proxy": "a/b c"},
				none, "text",
			}},
		)
	}
	return append(all,
		call{method: "GET", path: "/users/7", want: seen{"node", "2.0", "GET /users/{user_id}", "GET", "/users/7", map[string]string{"user_id": "7"}, none, ""}},
		call{method: "DELETE", path: "/any", want: seen{"python", "2.0", "DELETE /any", "DELETE", "/any", none, none, ""}},
		call{method: "GET", path: "/no/such", want: seen{"go", "2.0", "$default", "GET", "/no/such", map[string]string{"any_path": "no/such"}, none, ""}},
		call{method: "PATCH", path: "/go/42", want: seen{"go", "2.0", "$default", "PATCH", "/go/42", map[string]string{"any_path": "go/42"}, none, ""}},
	)
}

// TestStartAPI calls every route in both formats, those of different functions
// side by side: see [TestInvoke].
func TestStartAPI(t *testing.T) {
	for _, format := range formats {
		t.Run(format.name, func(t *testing.T) {
			baseImages(t)
			t.Parallel()
			s := startAPI(t, format.name)
			for _, language := range languages {
				t.Run(language, func(t *testing.T) {
					t.Parallel()
					callAll(t, s, strings.ToLower(language), format.name == "sam")
				})
			}
		})
	}
}

func callAll(t *testing.T, s *server, function string, merges bool) {
	for _, c := range calls() {
		if c.want.From != function {
			continue
		}
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			answer, body := s.request(t, c.method, c.path, c.body, map[string]string{"Content-Type": "application/json"})
			checkAnswer(t, answer, body, c.want, merges && c.path == "/"+function)
			if t.Failed() {
				t.Log(s.tail())
			}
		})
	}
}

// checkAnswer compares an answer; where merged, the payload version is that of
// another route of the same path, and so is not compared.
func checkAnswer(t *testing.T, answer *http.Response, body []byte, want seen, merged bool) {
	t.Helper()
	if answer.StatusCode != 201 || answer.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("answered %s, Content-Type %q: %s", answer.Status, answer.Header.Get("Content-Type"), body)
	}
	got := seen{From: answer.Header.Get("X-From")}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if merged {
		got.Version, got.Route = want.Version, want.Route
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the function saw %+v\nwant %+v", got, want)
	}
	cookies := answer.Header.Values("Set-Cookie")
	if wanted := []string{"a=1; HttpOnly", "b=2"}; want.Version == "2.0" && !merged && !slices.Equal(cookies, wanted) {
		t.Errorf("cookies %q, want %q", cookies, wanted)
	}
}

// TestCORS asks for a preflight, and for the headers of a plain answer.
func TestCORS(t *testing.T) {
	for _, format := range formats {
		t.Run(format.name, func(t *testing.T) {
			baseImages(t)
			s := startAPI(t, format.name)
			origin := map[string]string{"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
			for _, method := range []string{"OPTIONS", "GET"} {
				answer, _ := s.request(t, method, "/go/1", "", origin)
				if got := answer.Header.Get("Access-Control-Allow-Origin"); got != "https://shop.example" {
					t.Errorf("%s: Access-Control-Allow-Origin %q", method, got)
				}
				if got := answer.Header.Get("Access-Control-Max-Age"); got != "600" {
					t.Errorf("%s: Access-Control-Max-Age %q", method, got)
				}
			}
		})
	}
}

// TestAPIEvents sends the event of an HTTP API through the embedded engine:
// what start-api makes of a call must be what the function answers there.
func TestAPIEvents(t *testing.T) {
	baseImages(t)
	project := mixed(t)
	s := startAPI(t, formats[0].name)
	for _, language := range languages {
		t.Run(language, func(t *testing.T) {
			path := "/" + strings.ToLower(language)
			answer, body := s.request(t, "POST", path, "hello", map[string]string{"Content-Type": "text/plain"})
			got := embedded.invoke(t, project, language, `{
				"version": "2.0", "routeKey": "POST `+path+`", "rawPath": "`+path+`", "rawQueryString": "", "body": "hello", "isBase64Encoded": false,
				"headers": {"content-type": "text/plain"},
				"requestContext": {"http": {"method": "POST", "path": "`+path+`"}, "stage": "$default"}}`)
			object, _ := got.payload.(map[string]any)
			text, _ := object["body"].(string)
			if object["statusCode"] != float64(answer.StatusCode) || !reflect.DeepEqual(payloadOf(text), payloadOf(string(body))) {
				t.Errorf("the embedded engine's function answered %s\nstart-api %s %s", short(got.payload), answer.Status, body)
			}
		})
	}
}
