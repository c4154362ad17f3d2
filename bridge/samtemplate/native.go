package samtemplate

import (
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// native are the resources of the CloudFormation format: what the SAM CLI
// reads, and nothing else.
func (w *writer) native(functions []*model.Function, apis []*model.API) section {
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
		if api.Protocol == model.REST {
			s = append(s, w.nativeREST(api)...)
		} else {
			s = append(s, w.nativeHTTP(api)...)
		}
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

// mostProperties is how many properties most functions have at the most.
const mostProperties = 10

func (w *writer) nativeFunction(f *model.Function) section {
	p := append(make(section, 0, mostProperties), entry{"FunctionName", w.names.functionName(f)})
	if f.Code.Image != nil {
		p = append(p, entry{"PackageType", "Image"}, entry{"Code", section{{"ImageUri", w.imageTag(f)}}})
	} else {
		p = append(p, entry{"Code", w.codePath(f)})
	}
	return w.settings(p, f)
}

// settings adds the properties that both formats have.
func (w *writer) settings(p section, f *model.Function) section {
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
