package samtemplate

import (
	"fmt"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// native are the resources of the CloudFormation format: what the SAM CLI
// reads, and nothing else.
func (w *writer) native(functions []*model.Function, apis []*model.HTTPAPI) section {
	var s section
	for _, f := range functions {
		s = append(s, entry{w.names.logicalID(f), resource("AWS::Lambda::Function", w.nativeFunction(f), w.metadata(f))})
	}
	for _, layer := range w.layersOf(functions) {
		properties := section{{"Content", w.relative(layer.Path)}}
		if len(layer.CompatibleRuntimes) > 0 {
			properties = append(properties, entry{"CompatibleRuntimes", layer.CompatibleRuntimes})
		}
		s = append(s, entry{w.names.logicalID(layer), resource("AWS::Lambda::LayerVersion", properties, layerMetadata(layer))})
	}
	for _, api := range apis {
		s = append(s, w.nativeAPI(api, functions)...)
	}
	return s
}

func resource(kind string, properties, metadata section) section {
	s := section{{"Type", kind}, {"Properties", properties}}
	if len(metadata) > 0 {
		s = append(s, entry{"Metadata", metadata})
	}
	return s
}

// metadata names the function to the SAM CLI, and keeps sam build from
// building what is built.
func (w *writer) metadata(f *model.Function) section {
	m := section{{"SamResourceId", ResourceID(f.Path)}}
	if f.Code.Image != nil {
		return append(m, w.imageMetadata(f)...)
	}
	return append(m, entry{"SkipBuild", true})
}

func layerMetadata(layer *model.Layer) section {
	return section{{"SamResourceId", ResourceID(layer.ID.Path)}, {"SkipBuild", true}}
}

func (w *writer) nativeFunction(f *model.Function) section {
	p := section{{"FunctionName", w.names.functionName(f)}}
	if f.Code.Image != nil {
		p = append(p, entry{"PackageType", "Image"}, entry{"Code", section{{"ImageUri", w.imageTag(f)}}})
	} else {
		p = append(p, entry{"Code", w.codePath(f)})
	}
	return append(p, w.settings(f)...)
}

// settings are the properties that both formats have.
func (w *writer) settings(f *model.Function) section {
	var p section
	if f.Code.Image != nil {
		if c := imageConfig(f.Code.Image); len(c) > 0 {
			p = append(p, entry{"ImageConfig", c})
		}
	} else {
		p = append(p, entry{"Handler", handler(f)}, entry{"Runtime", f.Runtime})
	}
	p = append(p,
		entry{"Architectures", []string{f.Architecture}},
		entry{"MemorySize", f.MemorySize},
		entry{"Timeout", int(f.Timeout / time.Second)})
	if f.LogFormat == "JSON" {
		logging := section{{"LogFormat", f.LogFormat}}
		if f.ApplicationLogLevel != "" {
			logging = append(logging, entry{"ApplicationLogLevel", f.ApplicationLogLevel})
		}
		p = append(p, entry{"LoggingConfig", logging})
	}
	if len(f.Environment) > 0 {
		p = append(p, entry{"Environment", section{{"Variables", writableEnvironment(f)}}})
	}
	if layers := w.layerList(f); len(layers) > 0 {
		p = append(p, entry{"Layers", layers})
	}
	return p
}

// handler is never "": the SAM CLI refuses a whole template for one function
// without. A provided.* runtime does not look at it.
func handler(f *model.Function) string {
	if f.Handler == "" {
		return "bootstrap"
	}
	return f.Handler
}

// nativeAPI is an HTTP API as the SAM CLI reads it: the stage's variables are
// called Variables there, and each route has an OperationName of its own, since
// routes that share one are merged.
func (w *writer) nativeAPI(api *model.HTTPAPI, functions []*model.Function) section {
	id := w.names.logicalID(api)
	properties := section{{"Name", api.Name}, {"ProtocolType", "HTTP"}}
	if api.CORS != nil {
		properties = append(properties, entry{"CorsConfiguration", corsConfiguration(api.CORS)})
	}
	stage := section{{"ApiId", id}, {"StageName", api.StageName}}
	if len(api.StageVariables) > 0 {
		stage = append(stage, entry{"Variables", api.StageVariables})
	}
	s := section{
		{id, resource("AWS::ApiGatewayV2::Api", properties, nil)},
		{w.names.take(id+"Stage", ""), resource("AWS::ApiGatewayV2::Stage", stage, nil)},
	}
	for _, route := range w.routes(api, functions) {
		name := w.names.take(id+routeName(route), "Route")
		integration := name + "Integration"
		s = append(s,
			entry{integration, resource("AWS::ApiGatewayV2::Integration", section{
				{"ApiId", id},
				{"IntegrationType", "AWS_PROXY"},
				{"IntegrationUri", localARN(w.names.logicalID(route.Function))},
				{"PayloadFormatVersion", route.PayloadFormatVersion},
			}, nil)},
			entry{name, resource("AWS::ApiGatewayV2::Route", section{
				{"ApiId", id},
				{"RouteKey", routeKey(route)},
				{"OperationName", name},
				{"Target", "integrations/" + integration},
			}, nil)})
	}
	return s
}

// localARN is an ARN that the SAM CLI finds the function by. It reads ARNs of
// the aws partition alone, whatever the region of the stack.
func localARN(name string) string {
	return fmt.Sprintf("arn:aws:lambda:us-east-1:123456789012:function:%s", name)
}

func corsConfiguration(c *model.CORS) section {
	var s section
	add := func(key string, values []string) {
		if len(values) > 0 {
			s = append(s, entry{key, values})
		}
	}
	add("AllowOrigins", c.AllowOrigins)
	add("AllowMethods", c.AllowMethods)
	add("AllowHeaders", c.AllowHeaders)
	add("ExposeHeaders", c.ExposeHeaders)
	if c.AllowCredentials {
		s = append(s, entry{"AllowCredentials", true})
	}
	if c.MaxAge > 0 {
		s = append(s, entry{"MaxAge", c.MaxAge})
	}
	return s
}
