package model

import (
	"encoding/json"
	"time"
)

func (r *reader) eventSourceMapping(res *resource) {
	if !r.active(res) {
		return
	}
	name := r.text(res, "FunctionName")
	f := r.functionByARN(name)
	if f == nil {
		f = r.functionByName(res, name)
	}
	if f == nil {
		r.warn(res, "FunctionName", "it invokes %s, which is no function of the application; it is left out", name)
		return
	}
	r.app.EventSourceMappings = append(r.app.EventSourceMappings, &EventSourceMapping{
		ID:                    res.identity(),
		Function:              f,
		EventSourceARN:        r.text(res, "EventSourceArn"),
		BatchSize:             r.number(res, "BatchSize", 0),
		MaximumBatchingWindow: time.Duration(r.number(res, "MaximumBatchingWindowInSeconds", 0)) * time.Second,
		Enabled:               r.text(res, "Enabled") != "false",
		FunctionResponseTypes: r.texts(res, "FunctionResponseTypes"),
		FilterPatterns:        r.filterPatterns(res),
		MaximumConcurrency:    r.number(res, "ScalingConfig.MaximumConcurrency", 0),
		StartingPosition:      r.text(res, "StartingPosition"),
	})
}

// functionByName finds the function that a name means in the resource's own
// region and account.
func (r *reader) functionByName(res *resource, name string) *Function {
	p := res.scope.Pseudo
	return r.functionByARN("arn:" + p.Partition + ":lambda:" + p.Region + ":" + p.AccountID + ":function:" + name)
}

func (r *reader) filterPatterns(res *resource) []string {
	filters, _ := r.property(res, "FilterCriteria.Filters").([]any)
	var patterns []string
	for _, f := range filters {
		filter, _ := f.(map[string]any)
		if pattern, ok := filter["Pattern"].(string); ok {
			patterns = append(patterns, pattern)
		}
	}
	return patterns
}

// schedule reads a rule that invokes functions by time. A rule with an event
// pattern invokes nothing in a run without a bus.
func (r *reader) schedule(res *resource) {
	if !r.active(res) {
		return
	}
	expression := r.text(res, "ScheduleExpression")
	if expression == "" {
		r.report(Diagnostic{Note, res.path, res.where("EventPattern"), "a rule with an event pattern is not run locally yet; its targets can be invoked by name"})
		return
	}
	targets, _ := r.property(res, "Targets").([]any)
	for _, t := range targets {
		target, _ := t.(map[string]any)
		arn, _ := target["Arn"].(string)
		f := r.functionByARN(arn)
		if f == nil {
			continue
		}
		input, _ := target["Input"].(string)
		if !json.Valid([]byte(input)) {
			input = ""
		}
		r.app.Schedules = append(r.app.Schedules, &Schedule{
			ID: res.identity(), Function: f, Expression: expression,
			Description: r.text(res, "Description"),
			Enabled:     r.text(res, "State") != "DISABLED",
			Input:       input,
		})
	}
}
