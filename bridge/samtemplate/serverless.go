package samtemplate

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// serverless are the resources of the SAM format.
func (w *writer) serverless(functions []*model.Function, apis []*model.API) section {
	events := w.events(apis)
	var s section
	for _, f := range functions {
		s = append(s, entry{w.names.logicalID(f), resource("AWS::Serverless::Function", w.serverlessFunction(f, events[f]), w.metadata(f))})
	}
	for _, layer := range w.layersOf(functions) {
		properties := section{{"ContentUri", w.relative(layer.Path)}}
		if len(layer.CompatibleRuntimes) > 0 {
			properties = append(properties, entry{"CompatibleRuntimes", layer.CompatibleRuntimes})
		}
		s = append(s, entry{w.names.logicalID(layer), resource("AWS::Serverless::LayerVersion", properties, layerMetadata(layer))})
	}
	for _, api := range apis {
		s = append(s, entry{w.names.logicalID(api), w.serverlessAPI(api)})
	}
	return s
}

func (w *writer) serverlessAPI(api *model.API) section {
	properties := section{{"StageName", api.StageName}}
	authorizers := section{}
	for _, route := range api.Routes {
		if a := route.Authorizer; w.servesAuthorizer(a) && authorizers.get(a.Name) == nil {
			authorizers = append(authorizers, entry{a.Name, w.serverlessAuthorizer(api, a)})
		}
	}
	auth := func() {
		if len(authorizers) > 0 {
			properties = append(properties, entry{"Auth", section{{"Authorizers", authorizers}}})
		}
	}
	if api.Protocol == model.REST {
		if len(api.StageVariables) > 0 {
			properties = append(properties, entry{"Variables", api.StageVariables})
		}
		if len(api.BinaryMediaTypes) > 0 {
			properties = append(properties, entry{"BinaryMediaTypes", api.BinaryMediaTypes})
		}
		if api.CORS != nil {
			properties = append(properties, entry{"Cors", restCORSConfiguration(api.CORS)})
		}
		auth()
		return resource("AWS::Serverless::Api", properties, nil)
	}
	if len(api.StageVariables) > 0 {
		properties = append(properties, entry{"StageVariables", api.StageVariables})
	}
	if api.CORS != nil {
		properties = append(properties, entry{"CorsConfiguration", corsConfiguration(api.CORS)})
	}
	auth()
	return resource("AWS::Serverless::HttpApi", properties, nil)
}

// restCORSConfiguration is the Cors of an AWS::Serverless::Api, whose values
// stand in quotes inside the text.
func restCORSConfiguration(c *model.CORS) section {
	quoted := func(values []string) string { return "'" + strings.Join(values, ",") + "'" }
	s := section{{"AllowOrigin", quoted(c.AllowOrigins[:min(1, len(c.AllowOrigins))])}}
	if len(c.AllowMethods) > 0 {
		s = append(s, entry{"AllowMethods", quoted(c.AllowMethods)})
	}
	if len(c.AllowHeaders) > 0 {
		s = append(s, entry{"AllowHeaders", quoted(c.AllowHeaders)})
	}
	return s
}

// serverlessAuthorizer is a Lambda authorizer as SAM spells it: its identity
// sources by kind, without API Gateway's expressions around them.
func (w *writer) serverlessAuthorizer(api *model.API, a *model.Authorizer) section {
	arn := map[string]any{"Fn::GetAtt": []string{w.names.logicalID(a.Function), "Arn"}}
	s := section{{"FunctionArn", arn}}
	if api.Protocol == model.REST {
		s = append(s, entry{"FunctionPayloadType", a.Type})
	} else {
		s = append(s, entry{"AuthorizerPayloadFormatVersion", a.PayloadFormatVersion}, entry{"EnableSimpleResponses", a.EnableSimpleResponses})
	}
	headers, queries, stages := []string{}, []string{}, []string{}
	for _, source := range a.IdentitySource {
		name := source[strings.LastIndex(source, ".")+1:]
		switch {
		case strings.Contains(source, ".header."):
			headers = append(headers, name)
		case strings.Contains(source, ".querystring."):
			queries = append(queries, name)
		case strings.HasPrefix(strings.TrimPrefix(source, "$"), "stageVariables."):
			stages = append(stages, name)
		}
	}
	identity := section{}
	if a.Type == "TOKEN" && len(headers) > 0 {
		return append(s, entry{"Identity", section{{"Header", headers[0]}}})
	}
	for _, kind := range []entry{{"Headers", headers}, {"QueryStrings", queries}, {"StageVariables", stages}} {
		if len(kind.Value.([]string)) > 0 {
			identity = append(identity, kind)
		}
	}
	if len(identity) > 0 {
		s = append(s, entry{"Identity", identity})
	}
	return s
}

func (w *writer) serverlessFunction(f *model.Function, events section) section {
	p := section{{"FunctionName", w.names.functionName(f)}}
	if f.Description != "" {
		p = append(p, entry{"Description", f.Description})
	}
	if f.Code.Image != nil {
		p = append(p, entry{"PackageType", "Image"}, entry{"ImageUri", w.imageTag(f)})
	} else {
		p = append(p, entry{"CodeUri", w.codePath(f)})
	}
	p = w.settings(p, f)
	if f.EphemeralStorage != 512 {
		p = append(p, entry{"EphemeralStorage", section{{"Size", f.EphemeralStorage}}})
	}
	if f.ReservedConcurrency >= 0 {
		p = append(p, entry{"ReservedConcurrentExecutions", f.ReservedConcurrency})
	}
	p = append(p, entry{"Tracing", f.Tracing})
	if config := w.functionURLConfig(f); config != nil {
		p = append(p, entry{"FunctionUrlConfig", config})
	}
	if len(events) > 0 {
		p = append(p, entry{"Events", events})
	}
	return p
}

// functionURLConfig is a function's own endpoint. The SAM CLI does not serve
// it: the template of its own, an HTTP API, is for that.
func (w *writer) functionURLConfig(f *model.Function) section {
	for _, api := range w.app.APIs {
		if api.Protocol != model.FunctionURL || api.Routes[0].Function != f {
			continue
		}
		config := section{{"AuthType", api.Routes[0].AuthorizationType}}
		if api.CORS != nil {
			config = append(config, entry{"Cors", corsConfiguration(api.CORS)})
		}
		if api.ResponseStream {
			config = append(config, entry{"InvokeMode", "RESPONSE_STREAM"})
		}
		return config
	}
	return nil
}

// events are the event sources of each function.
func (w *writer) events(apis []*model.API) map[*model.Function]section {
	events := map[*model.Function]section{}
	add := func(f *model.Function, id, kind string, properties section) {
		events[f] = append(events[f], entry{id, section{{"Type", kind}, {"Properties", properties}}})
	}
	for _, api := range apis {
		w.noteMerged(api)
		for _, route := range w.routes(api) {
			add(route.Function, w.names.take(w.names.logicalID(api)+routeName(route), "Event"), eventType(api), w.apiEvent(api, route))
		}
	}
	for _, m := range w.app.EventSourceMappings {
		kind, properties := sourceEvent(m)
		if kind == "" {
			w.warn(m.Path, "the event source %s is left out of the SAM format", m.EventSourceARN)
			continue
		}
		add(m.Function, w.names.take(m.Name, "Event"), kind, properties)
	}
	w.ruleEvents(add)
	for _, s := range w.app.Schedules {
		if f := s.Target.Function; f != nil {
			add(f, w.names.take(s.Name, "Event"), "ScheduleV2", scheduleV2Event(s))
		}
	}
	return events
}

// noteMerged tells of routes that the SAM CLI takes for one in this format:
// those of a function on one path. The CloudFormation format keeps them apart.
func (w *writer) noteMerged(api *model.API) {
	type place struct {
		path     string
		function *model.Function
	}
	first := map[place]*model.Route{}
	for _, route := range api.Routes {
		at := place{route.Path, route.Function}
		other, seen := first[at]
		if !seen {
			first[at] = route
		} else if other.PayloadFormatVersion != route.PayloadFormatVersion || other.Authorizer != route.Authorizer {
			w.warn(api.Path, "in this format the SAM CLI gives routes %q and %q the same payload version and authorizer: those of one of them", routeKey(other), routeKey(route))
		}
	}
}

func eventType(api *model.API) string {
	if api.Protocol == model.REST {
		return "Api"
	}
	return "HttpApi"
}

func (w *writer) apiEvent(api *model.API, route *model.Route) section {
	ref := map[string]string{"Ref": w.names.logicalID(api)}
	var p section
	if api.Protocol == model.REST {
		p = section{{"RestApiId", ref}, {"Path", route.Path}, {"Method", strings.ToLower(route.Method)}}
	} else {
		p = section{{"ApiId", ref}}
		if route.Path != "$default" {
			p = append(p, entry{"Path", route.Path}, entry{"Method", strings.ToLower(route.Method)})
		}
		p = append(p, entry{"PayloadFormatVersion", route.PayloadFormatVersion}, entry{"TimeoutInMillis", min(route.TimeoutMillis, 30000)})
	}
	if w.servesAuthorizer(route.Authorizer) {
		p = append(p, entry{"Auth", section{{"Authorizer", route.Authorizer.Name}}})
	}
	return p
}

// ruleEvents are the rules of EventBridge whose targets are functions.
func (w *writer) ruleEvents(add func(f *model.Function, id, kind string, properties section)) {
	for _, rule := range w.app.Rules {
		for _, target := range rule.Targets {
			switch {
			case target.Function == nil:
			case rule.Expression != "":
				add(target.Function, w.names.take(rule.Name, "Event"), "Schedule", scheduleEvent(rule, target))
			default:
				if !rule.Enabled {
					w.warn(rule.Path, "the rule is disabled, which an event of SAM cannot say: it is left out of the SAM format")
					continue
				}
				p := section{{"EventBusName", rule.BusName}, {"Pattern", json.RawMessage(rule.Pattern)}}
				if target.Input != "" {
					p = append(p, entry{"Input", target.Input})
				}
				add(target.Function, w.names.take(rule.Name, "Event"), "EventBridgeRule", p)
			}
		}
	}
}

func state(enabled bool) string {
	if enabled {
		return "ENABLED"
	}
	return "DISABLED"
}

func scheduleEvent(rule *model.Rule, target model.Target) section {
	p := section{{"Schedule", rule.Expression}}
	if rule.Description != "" {
		p = append(p, entry{"Description", rule.Description})
	}
	if target.Input != "" {
		p = append(p, entry{"Input", target.Input})
	}
	return append(p, entry{"Enabled", rule.Enabled})
}

func scheduleV2Event(s *model.Schedule) section {
	p := section{{"ScheduleExpression", s.Expression}}
	if s.Timezone != "" {
		p = append(p, entry{"ScheduleExpressionTimezone", s.Timezone})
	}
	if s.Target.Input != "" {
		p = append(p, entry{"Input", s.Target.Input})
	}
	return append(p, entry{"State", state(s.Enabled)})
}

// sourceEvent is an event source mapping as an event of SAM. The kind is ""
// for services that SAM wants more of than a mapping's ARN.
func sourceEvent(m *model.EventSourceMapping) (kind string, p section) {
	switch service(m.EventSourceARN) {
	case "sqs":
		kind, p = "SQS", section{{"Queue", m.EventSourceARN}}
	case "kinesis":
		kind, p = "Kinesis", section{{"Stream", m.EventSourceARN}}
	case "dynamodb":
		kind, p = "DynamoDB", section{{"Stream", m.EventSourceARN}}
	default:
		return "", nil
	}
	if m.StartingPosition != "" {
		p = append(p, entry{"StartingPosition", m.StartingPosition})
	}
	if m.BatchSize > 0 {
		p = append(p, entry{"BatchSize", m.BatchSize})
	}
	if m.MaximumBatchingWindow > 0 {
		p = append(p, entry{"MaximumBatchingWindowInSeconds", int(m.MaximumBatchingWindow / time.Second)})
	}
	if len(m.FunctionResponseTypes) > 0 {
		p = append(p, entry{"FunctionResponseTypes", m.FunctionResponseTypes})
	}
	if len(m.FilterPatterns) > 0 {
		var filters []section
		for _, pattern := range m.FilterPatterns {
			filters = append(filters, section{{"Pattern", pattern}})
		}
		p = append(p, entry{"FilterCriteria", section{{"Filters", filters}}})
	}
	if m.MaximumConcurrency > 0 {
		p = append(p, entry{"ScalingConfig", section{{"MaximumConcurrency", m.MaximumConcurrency}}})
	}
	return kind, append(p, entry{"Enabled", m.Enabled})
}

func service(arn string) string {
	if parts := strings.SplitN(arn, ":", 4); len(parts) == 4 {
		return parts[2]
	}
	return ""
}
