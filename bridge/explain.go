package bridge

import (
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/bridge/samtemplate"
)

// Fate says what runs a resource locally.
type Fate string

// The fates, from the most to the least.
const (
	// ServedBySAM is what the SAM CLI runs.
	ServedBySAM Fate = "sam"
	// ServedEmbedded is a function that the embedded engine alone runs.
	ServedEmbedded Fate = "embedded"
	// Known is what is in the model, with its wiring, and not run yet.
	Known Fate = "known"
	// PartOf is read with another resource and shares its fate.
	PartOf Fate = "part"
	// Left is ignored, absent or not read.
	Left Fate = "ignored"
)

// Explanation is what became of one resource, and why.
type Explanation struct {
	*model.Resource
	Fate Fate
	// Reason says why it is not served by the SAM CLI, "" where it is.
	Reason string
}

// Explain says for each resource of an application what became of it in a
// template that was written.
func Explain(app *model.Application, written *samtemplate.Result) []Explanation {
	served := map[string]bool{}
	for _, f := range written.Functions {
		served[f.Path] = true
		for _, layer := range f.Layers {
			if layer.ARN == "" {
				served[layer.ID.Path] = true
			}
		}
	}
	for _, api := range app.APIs {
		served[api.Path] = true
	}
	all := make([]Explanation, 0, len(app.Resources))
	for _, r := range app.Resources {
		e := Explanation{Resource: r, Reason: r.Reason}
		switch r.Reading {
		case model.Part:
			e.Fate = PartOf
		case model.InModel:
			e.Fate, e.Reason = fateOf(r, served)
		default:
			e.Fate = Left
		}
		all = append(all, e)
	}
	return all
}

// notRun is the reason for what is in the model alone.
const notRun = "it is in the model with what it is wired to; no engine runs it yet"

func fateOf(r *model.Resource, served map[string]bool) (Fate, string) {
	switch r.Type {
	case "AWS::Lambda::Function":
		if served[r.Path] {
			return ServedBySAM, ""
		}
		return ServedEmbedded, "it is not in the template; bailey local invoke runs it where its code is on this machine"
	case "AWS::Lambda::LayerVersion":
		if served[r.Path] {
			return ServedBySAM, ""
		}
		return Known, "no function in the template uses it"
	case "AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi", "AWS::Lambda::Url":
		if served[r.Path] {
			return ServedBySAM, ""
		}
	}
	return Known, notRun
}
