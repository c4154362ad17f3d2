package model

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// unserved keeps a route that goes to no function, so that a local server can
// say why it does not answer.
func (api *API) unserved(route *Route, why string) {
	api.StaticRoutes = append(api.StaticRoutes, &StaticRoute{Method: route.Method, Path: route.Path, Unserved: why})
}

// mockMethod reads a method that API Gateway answers by itself.
func (r *reader) mockMethod(res *resource, api *API, route *Route) {
	if route.Method == "OPTIONS" {
		r.corsMethod(res, api)
	}
	templates, _ := r.property(res, "Integration.RequestTemplates").(map[string]any)
	var responses []mockResponse
	for _, object := range r.objects(res, "Integration.IntegrationResponses") {
		responses = append(responses, mockResponseOf(object, "StatusCode", "SelectionPattern", "ResponseParameters", "ResponseTemplates"))
	}
	static := staticRoute(route, textOf(templates["application/json"]), responses)
	if static.Unserved != "" {
		r.leave(res, "Integration", "route %q is left out: %s", route.key(), static.Unserved)
	}
	api.StaticRoutes = append(api.StaticRoutes, static)
}

// mockOperation is mockMethod for an operation of an OpenAPI document. See
// "x-amazon-apigateway-integration object" in the Amazon API Gateway Developer
// Guide.
func (r *reader) mockOperation(res *resource, api *API, route *Route, integration map[string]any) {
	templates, _ := integration["requestTemplates"].(map[string]any)
	objects, _ := integration["responses"].(map[string]any)
	var responses []mockResponse
	for pattern, object := range objects {
		fields, _ := object.(map[string]any)
		response := mockResponseOf(fields, "statusCode", "", "responseParameters", "responseTemplates")
		if pattern != "default" {
			response.pattern = pattern
		}
		responses = append(responses, response)
	}
	slices.SortFunc(responses, func(a, b mockResponse) int { return strings.Compare(a.pattern, b.pattern) })
	static := staticRoute(route, textOf(templates["application/json"]), responses)
	if static.Unserved != "" {
		r.warn(res, "Body", "route %q is left out: %s", route.key(), static.Unserved)
	}
	api.StaticRoutes = append(api.StaticRoutes, static)
}

// mockResponse is an integration response of a MOCK integration. The pattern
// is what the status code of the request template must match, "" for the
// default.
type mockResponse struct {
	pattern, status, template string
	headers                   map[string]string
}

func mockResponseOf(object map[string]any, status, pattern, parameters, templates string) mockResponse {
	m := mockResponse{status: textOf(object[status]), headers: map[string]string{}}
	if pattern != "" {
		m.pattern = textOf(object[pattern])
	}
	mapped, _ := object[parameters].(map[string]any)
	for name, value := range mapped {
		header, ok := strings.CutPrefix(name, "method.response.header.")
		literal := textOf(value)
		if ok && len(literal) >= 2 && literal[0] == '\'' && literal[len(literal)-1] == '\'' {
			m.headers[header] = literal[1 : len(literal)-1]
		}
	}
	bodies, _ := object[templates].(map[string]any)
	m.template = textOf(bodies["application/json"])
	return m
}

var (
	mockStatus = regexp.MustCompile(`["']?statusCode["']?\s*:\s*["']?([0-9]{3})`)
	// corsTemplate is the template that the CDK gives a preflight for several
	// origins, and corsOrigin one of them.
	corsTemplate = regexp.MustCompile(`^#set\(\$origin = \$input\.params\(\)\.header\.get\("Origin"\)\)`)
	corsOrigin   = regexp.MustCompile(`\$origin == "([^"]+)"`)
)

// staticRoute chooses the response by the status code that the request
// template gives.
func staticRoute(route *Route, request string, responses []mockResponse) *StaticRoute {
	static := &StaticRoute{Method: route.Method, Path: route.Path}
	status := "200"
	if match := mockStatus.FindStringSubmatch(request); match != nil {
		status = match[1]
	}
	response := selectResponse(responses, status)
	if response == nil {
		static.Unserved = "its MOCK integration has no response for the status code " + status
		return static
	}
	static.StatusCode, _ = strconv.Atoi(cmp.Or(response.status, "200"))
	static.Headers = response.headers
	switch template := strings.TrimSpace(response.template); {
	case corsTemplate.MatchString(template):
		for _, match := range corsOrigin.FindAllStringSubmatch(template, -1) {
			static.Origins = append(static.Origins, match[1])
		}
		static.Origins = append(static.Origins, strings.Fields(static.Headers["Access-Control-Allow-Origin"])...)
	case strings.ContainsAny(template, "#$"):
		static.Unserved = "its MOCK integration answers by a template (VTL), which is not run"
	default:
		static.Body = response.template
	}
	return static
}

func selectResponse(responses []mockResponse, status string) *mockResponse {
	var fallback *mockResponse
	for i := range responses {
		m := &responses[i]
		if m.pattern == "" {
			fallback = cmp.Or(fallback, m)
			continue
		}
		if expression, err := regexp.Compile("^(?:" + m.pattern + ")$"); err == nil && expression.MatchString(status) {
			return m
		}
	}
	return fallback
}

// apiKeys are the values of the keys that a usage plan gives access to the
// API. Keys whose value AWS makes are not known.
func (r *reader) apiKeys(api *API) []string {
	keys := map[string]string{}
	plans := map[string]bool{}
	var members []*resource
	for _, res := range r.resources {
		if !strings.HasPrefix(res.r.Type, "AWS::ApiGateway::") || !r.active(res) {
			continue
		}
		switch res.r.Type {
		case "AWS::ApiGateway::ApiKey":
			if value := r.text(res, "Value"); value != "" && r.text(res, "Enabled") != "false" {
				keys[r.ref(res)] = value
			}
		case "AWS::ApiGateway::UsagePlan":
			for _, stage := range r.objects(res, "ApiStages") {
				if textOf(stage["ApiId"]) == api.APIID {
					plans[r.ref(res)] = true
				}
			}
		case "AWS::ApiGateway::UsagePlanKey":
			members = append(members, res)
		}
	}
	var values []string
	for _, res := range members {
		if value := keys[r.text(res, "KeyId")]; value != "" && plans[r.text(res, "UsagePlanId")] {
			values = append(values, value)
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}
