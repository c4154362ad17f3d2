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
	// ServedEmbedded is what the embedded engine alone runs.
	ServedEmbedded Fate = "embedded"
	// Known is what is in the model, with its wiring, and no engine runs.
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

// alone is what the embedded engine runs and the SAM CLI does not, with why.
var alone = map[string]string{
	"AWS::Lambda::Function":  "it is not in the template; bailey local invoke runs it where its code is on this machine",
	"AWS::ApiGatewayV2::Api": "the SAM CLI serves no WebSocket API; bailey local start-api does",

	"AWS::DynamoDB::GlobalTable":           eventPlane,
	"AWS::DynamoDB::Table":                 eventPlane,
	"AWS::Events::EventBus":                eventPlane,
	"AWS::Events::Rule":                    eventPlane,
	"AWS::KinesisFirehose::DeliveryStream": eventPlane,
	"AWS::Lambda::EventInvokeConfig":       eventPlane,
	"AWS::Lambda::EventSourceMapping":      eventPlane,
	"AWS::S3::Bucket":                      eventPlane,
	"AWS::SNS::Subscription":               eventPlane,
	"AWS::SNS::Topic":                      eventPlane,
	"AWS::SQS::Queue":                      eventPlane,
	"AWS::Scheduler::Schedule":             eventPlane,
}

const (
	eventPlane = "bailey local start-events and bailey dev serve it"
	notRun     = "it is in the model with what it is wired to; no engine runs it"
)

func fateOf(r *model.Resource, served map[string]bool) (Fate, string) {
	if served[r.Path] {
		return ServedBySAM, ""
	}
	if why, ok := alone[r.Type]; ok {
		return ServedEmbedded, why
	}
	switch r.Type {
	case "AWS::Lambda::LayerVersion":
		return Known, "no function in the template uses it"
	case "AWS::Lambda::Alias":
		return Known, "its function answers to it"
	}
	return Known, notRun
}
