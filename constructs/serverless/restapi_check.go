package serverless

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// cacheSizes are those of API Gateway's cache, in GB.
var cacheSizes = []string{"0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"}

// check fills the defaults in, records the faults and repairs the props.
func (p *RestApiProps) check(faults *prop.Faults) {
	found := prop.NilPointers(p)
	p.setDefaults()
	for _, check := range []func() []string{p.checkStage, p.checkEndpoint, p.checkContent, p.checkLimits} {
		found = append(found, check()...)
	}
	for _, message := range found {
		faults.Add("%s", message)
	}
}

func (p *RestApiProps) checkStage() (found []string) {
	if problem := stageNameProblem(p.StageName); problem != "" || p.StageName == defaultStage {
		found = append(found, fmt.Sprintf("StageName %q is none for API Gateway: use at most 128 letters, digits, - and _", p.StageName))
		p.StageName = DefaultStageName
	}
	found = append(found, checkVariables(p.Variables, func() { p.Variables = nil })...)
	found = append(found, checkTagsOf(p.Tags, func() { p.Tags = nil })...)
	if problems := prop.CheckRetention("AccessLogRetention", p.AccessLogRetention); len(problems) > 0 {
		found = append(found, problems...)
		p.AccessLogRetention = DefaultLogRetention
	}
	if !strings.Contains(p.AccessLogFormat, "$context.requestId") && !strings.Contains(p.AccessLogFormat, "$context.extendedRequestId") {
		found = append(found, "AccessLogFormat has no $context.requestId, without which API Gateway takes none")
		p.AccessLogFormat = restAccessLogFormat()
	}
	if c := p.CanarySetting; c != nil {
		if c.PercentTraffic < 0 || c.PercentTraffic > 100 {
			found = append(found, fmt.Sprintf("CanarySetting.PercentTraffic is %v: allowed are 0 to 100", c.PercentTraffic))
			p.CanarySetting = nil
		} else if problems := checkVariables(c.StageVariableOverrides, func() { p.CanarySetting = nil }); len(problems) > 0 {
			found = append(found, problems...)
		}
	}
	return found
}

func (p *RestApiProps) checkEndpoint() (found []string) {
	if problems := prop.OneOf("EndpointConfiguration", p.EndpointConfiguration, "REGIONAL", "EDGE", "PRIVATE"); len(problems) > 0 {
		found, p.EndpointConfiguration = problems, "REGIONAL"
	}
	switch {
	case p.EndpointConfiguration != "PRIVATE" && len(p.VPCEndpoints) > 0:
		found = append(found, `VPCEndpoints need the EndpointConfiguration "PRIVATE"`)
		p.VPCEndpoints = nil
	case p.EndpointConfiguration == "PRIVATE" && len(p.VPCEndpoints) == 0 && prop.IsNil(p.ResourcePolicy):
		found = append(found, "nobody may call a private API without VPCEndpoints or a ResourcePolicy: set one of them")
		p.EndpointConfiguration = "REGIONAL"
	}
	if p.Domain != nil && p.EndpointConfiguration == "PRIVATE" {
		found = append(found, "Domain: a private API has none here: make an awsapigateway.DomainName of its own")
		p.Domain = nil
	}
	if p.Domain != nil {
		p.Domain, found = p.Domain.checked(found, true)
	}
	if p.Domain != nil && p.Domain.MutualTlsAuthentication != nil {
		p.DisableExecuteApiEndpoint = true
	}
	return found
}

func (p *RestApiProps) checkLimits() (found []string) {
	if p.ThrottlingRateLimit < 0 || p.ThrottlingBurstLimit < 0 {
		found = append(found, fmt.Sprintf("throttling is %d requests a second and %d at once: give positive numbers", p.ThrottlingRateLimit, p.ThrottlingBurstLimit))
		p.ThrottlingRateLimit, p.ThrottlingBurstLimit = DefaultThrottlingRateLimit, DefaultThrottlingBurstLimit
	}
	for _, key := range slices.Sorted(maps.Keys(p.MethodSettings)) {
		problems := p.MethodSettings[key].check()
		if methodPath(key) == "" {
			problems = append(problems, `write a method and a path, such as "GET /orders"`)
		}
		for _, problem := range problems {
			found = append(found, fmt.Sprintf("MethodSettings %q: %s", key, problem))
		}
	}
	if len(found) > 0 {
		p.MethodSettings = nil
	}
	if p.CacheClusterSize != "" {
		if problems := prop.OneOf("CacheClusterSize", p.CacheClusterSize, cacheSizes...); len(problems) > 0 {
			found, p.CacheClusterSize = append(found, problems...), ""
		}
	}
	if p.MinimumCompressionSize != 0 {
		if problems := prop.InRange("MinimumCompressionSize", p.MinimumCompressionSize, 1, 10<<20, " bytes"); len(problems) > 0 {
			found, p.MinimumCompressionSize = append(found, problems...), 0
		}
	}
	return found
}

var (
	modelName = regexp.MustCompile(`^[a-zA-Z0-9]+$`)
	mediaType = regexp.MustCompile(`^[\w.+*-]+/[\w.+*-]+$`)
)

func (p *RestApiProps) checkContent() (found []string) {
	if p.Cors != nil {
		if problems := p.Cors.check(); len(problems) > 0 {
			found, p.Cors = append(found, problems...), nil
		}
	}
	p.Models, p.GatewayResponses = maps.Clone(p.Models), maps.Clone(p.GatewayResponses)
	for _, name := range slices.Sorted(maps.Keys(p.Models)) {
		switch {
		case !modelName.MatchString(name):
			found = append(found, fmt.Sprintf("the model %q has a name that API Gateway refuses: use letters and digits", name))
			delete(p.Models, name)
		case len(p.Models[name]) == 0:
			found = append(found, fmt.Sprintf("the model %q is empty: give a JSON schema", name))
			delete(p.Models, name)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(p.GatewayResponses)) {
		r := p.GatewayResponses[kind]
		switch {
		case !slices.Contains(responseTypes, kind):
			found = append(found, fmt.Sprintf("the gateway response %q is none of API Gateway's: use one of %s", kind, strings.Join(responseTypes, ", ")))
			delete(p.GatewayResponses, kind)
		case r.StatusCode != 0 && (r.StatusCode < 100 || r.StatusCode > 599):
			found = append(found, fmt.Sprintf("the gateway response %s has the status %d: allowed are 100 to 599", kind, r.StatusCode))
			delete(p.GatewayResponses, kind)
		}
	}
	for _, t := range p.BinaryMediaTypes {
		if !mediaType.MatchString(t) {
			found = append(found, fmt.Sprintf(`the binary media type %q is none: write "image/png", or "*/*" for all`, t))
			p.BinaryMediaTypes = nil
		}
	}
	return append(found, p.Auth.check()...)
}

// responseTypes are what API Gateway answers by itself. Source: "Gateway
// response types for API Gateway",
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
var responseTypes = []string{
	"ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE",
	"BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN",
	"INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "INVALID_API_KEY", "INVALID_SIGNATURE",
	"MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND",
	"THROTTLED", "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED",
}

// methodPath is the CDK's way to name a method of a stage, "/orders/GET", of
// ours, "GET /orders"; "" for what is none.
func methodPath(key string) string {
	name, path, found := strings.Cut(key, " ")
	if !found || !strings.HasPrefix(path, "/") || !isMethod(strings.ToUpper(name)) {
		return ""
	}
	name = strings.ToUpper(name)
	if name == "ANY" {
		name = "*"
	}
	return strings.TrimSuffix(path, "/") + "/" + name
}

// quoted writes literal header values as API Gateway wants them.
func quoted(headers map[string]string) map[string]string {
	all := map[string]string{}
	for name, value := range headers {
		if !strings.HasPrefix(value, "'") && !strings.HasPrefix(value, "context.") && !strings.HasPrefix(value, "method.") && !strings.HasPrefix(value, "stageVariables.") {
			value = "'" + value + "'"
		}
		all[name] = value
	}
	return all
}

// readDocument is the REST API's, which says some of what the API's own
// properties say otherwise.
func (a *RestApi) readDocument() {
	var found []string
	p := &a.props
	a.document = readDocument(p.DefinitionBody, p.DefinitionUri, &found)
	if d := a.document; d != nil {
		for _, other := range []struct {
			name  string
			set   bool
			clear func()
		}{
			{"Cors", p.Cors != nil, func() { p.Cors = nil }},
			{"Models", len(p.Models) > 0, func() { p.Models = nil }},
		} {
			if other.set {
				found = append(found, fmt.Sprintf("%s and %s are both set: an API with a document has its own there", other.name, d.where))
				other.clear()
			}
		}
		if len(p.BinaryMediaTypes) > 0 {
			d.body[binaryExtension] = p.BinaryMediaTypes
		}
		if p.Auth.ApiKeySourceType != "" {
			d.body["x-amazon-apigateway-api-key-source"] = p.Auth.ApiKeySourceType
		}
	}
	for _, problem := range found {
		a.faults.Add("%s", problem)
	}
}
