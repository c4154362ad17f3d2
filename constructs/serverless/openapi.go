package serverless

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
	"github.com/goccy/go-yaml"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// The extensions of OpenAPI by which API Gateway is told what to do. Source:
// "OpenAPI extensions for API Gateway",
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
const (
	integrationExtension = "x-amazon-apigateway-integration"
	corsExtension        = "x-amazon-apigateway-cors"
	endpointExtension    = "x-amazon-apigateway-endpoint-configuration"
	anyExtension         = "x-amazon-apigateway-any-method"
	binaryExtension      = "x-amazon-apigateway-binary-media-types"
)

// document is the OpenAPI document of an API. Events of functions give its
// operations what calls the functions; the document says everything else.
type document struct {
	body map[string]any
	// where is how messages name it.
	where string
}

// readDocument reads DefinitionBody or DefinitionUri. It is nil where there is
// none, or where what is there is none.
func readDocument(body map[string]any, uri string, found *[]string) *document {
	d := &document{body: copied(body).(map[string]any), where: "DefinitionBody"}
	switch {
	case len(body) > 0 && uri != "":
		*found = append(*found, "DefinitionBody and DefinitionUri are both set: choose one")
		return nil
	case uri != "":
		d.where = fmt.Sprintf("DefinitionUri %q", uri)
		text, err := os.ReadFile(uri)
		if err != nil {
			*found = append(*found, fmt.Sprintf("%s can't be read: name a file, relative to the folder of cdk.json", d.where))
			return nil
		}
		if d.body, err = parseDocument(text); err != nil {
			*found = append(*found, fmt.Sprintf("%s is neither JSON nor YAML: %v", d.where, err))
			return nil
		}
	case len(body) == 0:
		return nil
	}
	if d.body["openapi"] == nil && d.body["swagger"] == nil {
		*found = append(*found, fmt.Sprintf(`%s is no OpenAPI document: it begins with "openapi" and a version`, d.where))
		return nil
	}
	if _, ok := d.body["paths"].(map[string]any); !ok {
		*found = append(*found, fmt.Sprintf("%s has no paths", d.where))
		return nil
	}
	return d
}

func parseDocument(text []byte) (body map[string]any, err error) {
	if !json.Valid(text) {
		if text, err = yaml.YAMLToJSON(text); err != nil {
			first, _, _ := strings.Cut(err.Error(), "\n")
			return nil, fmt.Errorf("%s", first)
		}
	}
	return body, json.Unmarshal(text, &body)
}

// copied copies the maps and lists of a document, which is changed here and
// may be used elsewhere. What it holds of the CDK's stays as it is.
func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, value := range v {
			m[key] = copied(value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, value := range v {
			list[i] = copied(value)
		}
		return list
	}
	return v
}

// operation is that of a route key, nil where the document has none.
func (d *document) operation(key string) map[string]any {
	if d == nil {
		return nil
	}
	method, path, found := strings.Cut(key, " ")
	if !found {
		method, path = anyExtension, "/"+key
	}
	method = strings.ToLower(method)
	if method == "any" {
		method = anyExtension
	}
	item, _ := d.body["paths"].(map[string]any)[path].(map[string]any)
	operation, _ := item[method].(map[string]any)
	return operation
}

func (d *document) has(key string) bool { return d.operation(key) != nil }

// keys are the route keys of all operations, sorted.
func (d *document) keys() (keys []string) {
	paths := d.body["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item, _ := paths[path].(map[string]any)
		for _, method := range slices.Sorted(maps.Keys(item)) {
			switch {
			case method == anyExtension && path == "/"+catchAll:
				keys = append(keys, catchAll)
			case method == anyExtension:
				keys = append(keys, "ANY "+path)
			case slices.Contains(methods, awsapigatewayv2.HttpMethod(strings.ToUpper(method))):
				keys = append(keys, strings.ToUpper(method)+" "+path)
			}
		}
	}
	return keys
}

// integrate has an operation call a function. It tells what is wrong.
func (d *document) integrate(key string, integration map[string]any) string {
	operation := d.operation(key)
	switch {
	case operation == nil:
		return fmt.Sprintf("%s has no operation %s: add it there, or change the event", d.where, key)
	case operation[integrationExtension] != nil:
		return fmt.Sprintf("the operation %s of %s has an %s of its own: remove that, or the event", key, d.where, integrationExtension)
	}
	operation[integrationExtension] = integration
	return ""
}

// answer has an operation call a function for who may.
func (d *document) answer(key string, integration map[string]any, who decision, named bool) string {
	if problem := d.integrate(key, integration); problem != "" {
		return problem
	}
	return d.secure(key, who, named)
}

// checkIntegrations finds operations that nothing answers, which API Gateway
// refuses or drops.
func (d *document) checkIntegrations(faults *prop.Faults) {
	for _, key := range d.keys() {
		if d.operation(key)[integrationExtension] == nil {
			faults.Add("nothing answers the operation %s of %s: give a function an event for it, or the operation an %s", key, d.where, integrationExtension)
		}
	}
}

// readDocument is the HTTP API's, which says all that the API's own properties
// say otherwise: CloudFormation takes one or the other.
func (a *HttpApi) readDocument() {
	var found []string
	d := readDocument(a.props.DefinitionBody, a.props.DefinitionUri, &found)
	if d != nil && d.body["openapi"] == nil {
		found = append(found, fmt.Sprintf("%s is of Swagger 2.0: an HTTP API takes OpenAPI 3.0", d.where))
		d = nil
	}
	if d != nil && a.props.Cors != nil && d.body[corsExtension] != nil {
		found = append(found, fmt.Sprintf("Cors and the %s of %s are both set: choose one", corsExtension, d.where))
		a.props.Cors = nil
	}
	for _, problem := range found {
		a.faults.Add("%s", problem)
	}
	a.document = d
}

// importDocument makes the API one of its document.
func (a *HttpApi) importDocument() {
	if a.document == nil {
		return
	}
	body, p := a.document.body, a.props
	if p.Cors != nil && len(p.Cors.check()) == 0 {
		body[corsExtension] = p.Cors.extension()
	}
	if p.DisableExecuteApiEndpoint {
		body[endpointExtension] = map[string]any{"disableExecuteApiEndpoint": true}
	}
	info, _ := body["info"].(map[string]any)
	if info == nil {
		info = map[string]any{"version": "1.0"}
		body["info"] = info
	}
	if p.Name != "" || info["title"] == nil {
		prop.SetDefault(&p.Name, *a.Node().Id())
		info["title"] = p.Name
	}
	if p.Description != "" {
		info["description"] = p.Description
	}
	api := a.Node().DefaultChild().(awsapigatewayv2.CfnApi)
	for _, property := range []string{"Name", "ProtocolType", "Description", "CorsConfiguration", "DisableExecuteApiEndpoint"} {
		api.AddPropertyDeletionOverride(&property)
	}
	if p.FailOnWarnings {
		api.SetFailOnWarnings(true)
	}
	api.SetBody(body)
}

// extension is the configuration as a document has it.
func (c *Cors) extension() map[string]any {
	cors := map[string]any{"allowOrigins": c.AllowOrigins}
	for name, values := range map[string][]string{
		"allowMethods": c.AllowMethods, "allowHeaders": c.AllowHeaders, "exposeHeaders": c.ExposeHeaders,
	} {
		if len(values) > 0 {
			cors[name] = values
		}
	}
	if c.AllowCredentials {
		cors["allowCredentials"] = true
	}
	if c.MaxAge != 0 {
		cors["maxAge"] = c.MaxAge.Seconds()
	}
	return cors
}

// integrate makes a route of an operation of the API's document. It tells what
// is wrong.
func (a *HttpApi) integrate(r route, key string, who decision) string {
	if !prop.IsNil(r.Authorizer) {
		return fmt.Sprintf("an API of %s can't have an authorizer of the CDK: add it to Auth.Authorizers and name it", a.document.where)
	}
	integration := map[string]any{
		"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": r.PayloadFormatVersion,
		"uri": invocationURI(a, r.function),
	}
	if r.TimeoutMillis != 0 {
		integration["timeoutInMillis"] = r.TimeoutMillis
	}
	if problem := a.document.answer(key, integration, who, r.AuthorizerName != ""); problem != "" {
		return problem
	}
	a.Node().DefaultChild().(awsapigatewayv2.CfnApi).SetBody(a.document.body)
	path := r.Path
	if key == catchAll {
		path = ""
	}
	allowRoute(a, a.ApiId(), key, "*/*"+path, r.function)
	return ""
}

// allowRoute lets an API call a function for a route; arn is what follows the
// API's id in the ARN of an execution.
func allowRoute(api awscdk.Resource, apiID *string, key, arn string, function awslambda.IFunction) {
	function.AddPermission(jsii.String(key+" Permission"), &awslambda.Permission{
		Scope:     api,
		Principal: awsiam.NewServicePrincipal(jsii.String("apigateway.amazonaws.com"), nil),
		SourceArn: api.Stack().FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("execute-api"), Resource: apiID, ResourceName: &arn,
		}),
	})
}
