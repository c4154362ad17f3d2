package model

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// gatewayResponses reads what a REST API answers in place of API Gateway's own
// answers. See AWS::ApiGateway::GatewayResponse in the AWS CloudFormation
// Template Reference.
func (r *reader) gatewayResponses(resources []*resource) []*GatewayResponse {
	var all []*GatewayResponse
	for _, res := range resources {
		g := &GatewayResponse{Type: r.text(res, "ResponseType"), StatusCode: r.number(res, "StatusCode", 0)}
		g.Parameters = parameters(r.textMap(res, "ResponseParameters"))
		g.Templates = r.textMap(res, "ResponseTemplates")
		all = append(all, g)
	}
	return all
}

// openAPIGatewayResponses is the same of an OpenAPI document.
func openAPIGatewayResponses(body map[string]any) []*GatewayResponse {
	objects, _ := body["x-amazon-apigateway-gateway-responses"].(map[string]any)
	var all []*GatewayResponse
	for _, kind := range slices.Sorted(maps.Keys(objects)) {
		object, _ := objects[kind].(map[string]any)
		g := &GatewayResponse{Type: kind, Parameters: parameters(texts(object["responseParameters"])), Templates: texts(object["responseTemplates"])}
		g.StatusCode, _ = strconv.Atoi(textOf(object["statusCode"]))
		all = append(all, g)
	}
	return all
}

// parameters are the mapped headers of a gateway response, by header.
func parameters(mapped map[string]string) map[string]string {
	headers := map[string]string{}
	for name, value := range mapped {
		if header, ok := strings.CutPrefix(name, "gatewayresponse.header."); ok {
			headers[header] = value
		}
	}
	return headers
}

// texts is an object of texts.
func texts(v any) map[string]string {
	object, _ := v.(map[string]any)
	all := make(map[string]string, len(object))
	for name, value := range object {
		all[name] = textOf(value)
	}
	return all
}

// validation reads what a method checks of a request before it goes to the
// function, nil where it checks nothing. See "Request validation for REST APIs
// in API Gateway" in the Amazon API Gateway Developer Guide.
func (r *reader) validation(res *resource, validators []*resource) *Validation {
	validator := r.find(validators, r.text(res, "RequestValidatorId"))
	if validator == nil {
		return nil
	}
	v := &Validation{}
	if r.text(validator, "ValidateRequestParameters") == "true" {
		for name, required := range r.textMap(res, "RequestParameters") {
			if required == "true" {
				v.Parameters = append(v.Parameters, name)
			}
		}
	}
	if r.text(validator, "ValidateRequestBody") == "true" {
		v.Models = r.textMap(res, "RequestModels")
	}
	slices.Sort(v.Parameters)
	return v.orNil()
}

func (v *Validation) orNil() *Validation {
	if len(v.Parameters) == 0 && len(v.Models) == 0 {
		return nil
	}
	return v
}

// models are the schemas of a REST API's models by name, JSON texts.
func (r *reader) models(resources []*resource) map[string]string {
	schemas := map[string]string{}
	for _, res := range resources {
		if schema := r.property(res, "Schema"); schema != nil {
			schemas[r.ref(res)] = schemaText(schema)
		}
	}
	return schemas
}

// schemaText is a schema as a JSON text, which a template may give as one.
func schemaText(schema any) string {
	if text, ok := schema.(string); ok {
		return text
	}
	text, err := json.Marshal(schema)
	if err != nil {
		return "" // what was evaluated encodes
	}
	return string(text)
}

// openAPIModels are the schemas of a document.
func openAPIModels(body map[string]any) map[string]string {
	objects, _ := body["definitions"].(map[string]any)
	if components, ok := body["components"].(map[string]any); ok {
		objects, _ = components["schemas"].(map[string]any)
	}
	schemas := map[string]string{}
	for name, schema := range objects {
		schemas[name] = schemaText(schema)
	}
	return schemas
}

// openAPIValidation is validation for an operation of a document. A schema
// that stands in the operation is a model of the API under a name of its own.
func openAPIValidation(api *API, body, operation map[string]any, route *Route) *Validation {
	name := textOf(operation["x-amazon-apigateway-request-validator"])
	if name == "" {
		name = textOf(body["x-amazon-apigateway-request-validator"])
	}
	validators, _ := body["x-amazon-apigateway-request-validators"].(map[string]any)
	validator, _ := validators[name].(map[string]any)
	v := &Validation{}
	if textOf(validator["validateRequestParameters"]) == "true" {
		v.Parameters = requiredParameters(operation)
	}
	if textOf(validator["validateRequestBody"]) == "true" {
		v.Models = map[string]string{}
		for contentType, schema := range bodySchemas(operation) {
			object, _ := schema.(map[string]any)
			reference := textOf(object["$ref"])
			model := reference[strings.LastIndex(reference, "/")+1:]
			if reference == "" {
				model = route.Method + " " + route.Path + " " + contentType
				api.Models[model] = schemaText(schema)
			}
			v.Models[contentType] = model
		}
	}
	return v.orNil()
}

// requiredParameters are an operation's, as a method names them:
// "method.request.querystring.q".
func requiredParameters(operation map[string]any) []string {
	places := map[string]string{"query": "querystring", "header": "header", "path": "path"}
	var all []string
	for _, p := range listOf(operation["parameters"]) {
		parameter, _ := p.(map[string]any)
		if place := places[textOf(parameter["in"])]; place != "" && textOf(parameter["required"]) == "true" {
			all = append(all, "method.request."+place+"."+textOf(parameter["name"]))
		}
	}
	slices.Sort(all)
	return all
}

// bodySchemas are the schemas of an operation's body by content type, of
// OpenAPI 3 or 2.
func bodySchemas(operation map[string]any) map[string]any {
	schemas := map[string]any{}
	if request, ok := operation["requestBody"].(map[string]any); ok {
		contents, _ := request["content"].(map[string]any)
		for contentType, content := range contents {
			if object, ok := content.(map[string]any); ok && object["schema"] != nil {
				schemas[contentType] = object["schema"]
			}
		}
	}
	for _, p := range listOf(operation["parameters"]) {
		parameter, _ := p.(map[string]any)
		if textOf(parameter["in"]) != "body" || parameter["schema"] == nil {
			continue
		}
		consumes := listOf(operation["consumes"])
		if len(consumes) == 0 {
			consumes = []any{"application/json"}
		}
		for _, contentType := range consumes {
			schemas[textOf(contentType)] = parameter["schema"]
		}
	}
	return schemas
}
