package samtemplate

import (
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// serverless are the resources of the SAM format.
func (w *writer) serverless(functions []*model.Function, apis []*model.HTTPAPI) section {
	events := w.events(functions, apis)
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
		properties := section{{"StageName", api.StageName}}
		if len(api.StageVariables) > 0 {
			properties = append(properties, entry{"StageVariables", api.StageVariables})
		}
		if api.CORS != nil {
			properties = append(properties, entry{"CorsConfiguration", corsConfiguration(api.CORS)})
		}
		s = append(s, entry{w.names.logicalID(api), resource("AWS::Serverless::HttpApi", properties, nil)})
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
	p = append(p, w.settings(f)...)
	if f.EphemeralStorage != 512 {
		p = append(p, entry{"EphemeralStorage", section{{"Size", f.EphemeralStorage}}})
	}
	if f.ReservedConcurrency >= 0 {
		p = append(p, entry{"ReservedConcurrentExecutions", f.ReservedConcurrency})
	}
	p = append(p, entry{"Tracing", f.Tracing})
	if len(events) > 0 {
		p = append(p, entry{"Events", events})
	}
	return p
}

// events are the event sources of each function.
func (w *writer) events(functions []*model.Function, apis []*model.HTTPAPI) map[*model.Function]section {
	events := map[*model.Function]section{}
	add := func(f *model.Function, id, kind string, properties section) {
		events[f] = append(events[f], entry{id, section{{"Type", kind}, {"Properties", properties}}})
	}
	for _, api := range apis {
		for _, route := range w.routes(api, functions) {
			add(route.Function, w.names.take(w.names.logicalID(api)+routeName(route), "Event"), "HttpApi", w.httpAPIEvent(api, route))
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
	for _, s := range w.app.Schedules {
		add(s.Function, w.names.take(s.Name, "Event"), "Schedule", scheduleEvent(s))
	}
	return events
}

func (w *writer) httpAPIEvent(api *model.HTTPAPI, route *model.Route) section {
	p := section{{"ApiId", map[string]string{"Ref": w.names.logicalID(api)}}}
	if route.Path != "$default" {
		p = append(p, entry{"Path", route.Path}, entry{"Method", strings.ToLower(route.Method)})
	}
	return append(p, entry{"PayloadFormatVersion", route.PayloadFormatVersion}, entry{"TimeoutInMillis", route.TimeoutMillis})
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

func scheduleEvent(s *model.Schedule) section {
	p := section{{"Schedule", s.Expression}}
	if s.Description != "" {
		p = append(p, entry{"Description", s.Description})
	}
	if s.Input != "" {
		p = append(p, entry{"Input", s.Input})
	}
	return append(p, entry{"Enabled", s.Enabled})
}
