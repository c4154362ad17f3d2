package dev

import (
	"time"
)

// Kind says what an event is about.
type Kind string

// The kinds of events.
const (
	// Ready comes once, when all is served, and again when an infrastructure
	// change has added or removed something: Served says what.
	Ready Kind = "ready"
	// Log is a line of a function.
	Log Kind = "log"
	// Request is one that an API has answered.
	Request Kind = "request"
	// Build is a function that was built, or failed to.
	Build Kind = "build"
	// Reload is a change that was taken over.
	Reload Kind = "reload"
	// Failed is a change that could not be taken over; what was good serves on.
	Failed Kind = "error"
	// Mended says that what had failed is as it was when it was good.
	Mended Kind = "mended"
	// Note is anything else that a user should know.
	Note Kind = "note"
)

// Event is something that happened. Its JSON form is a line of bailey dev --json.
type Event struct {
	Time time.Time `json:"time"`
	Kind Kind      `json:"type"`
	// Function is the name of the function that it is about.
	Function string `json:"function,omitempty"`
	// RequestID is that of a log line, "" outside a request.
	RequestID string `json:"requestId,omitempty"`
	// Message is text for a person: a line, or several.
	Message string `json:"message,omitempty"`

	// API, Method, Path and Status are a request's.
	API    string `json:"api,omitempty"`
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Status int    `json:"status,omitempty"`

	// Infrastructure says of a reload that the CDK app was run, and Functions
	// which functions were replaced.
	Infrastructure bool     `json:"infrastructure,omitempty"`
	Functions      []string `json:"functions,omitempty"`
	// Milliseconds is how long a request, a build or a reload took: of a reload,
	// since its files were saved.
	Milliseconds float64 `json:"milliseconds,omitempty"`
	// Phases say where the time of a reload went.
	Phases []Phase `json:"phases,omitempty"`

	Served *Served `json:"served,omitempty"`
}

// Phase is a part of the work, and what it took.
type Phase struct {
	Name         string  `json:"name"`
	Milliseconds float64 `json:"milliseconds"`
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Served is where everything is.
type Served struct {
	APIs []ServedAPI `json:"apis"`
	// Lambda is the endpoint of the Invoke API, Events that of the event plane,
	// "" where it is off.
	Lambda string `json:"lambda"`
	Events string `json:"events,omitempty"`
	// Functions, Queues, Topics and so on are names.
	Functions []string `json:"functions"`
	Queues    []string `json:"queues,omitempty"`
	Topics    []string `json:"topics,omitempty"`
	Buses     []string `json:"buses,omitempty"`
	Buckets   []string `json:"buckets,omitempty"`
	Streams   []string `json:"streams,omitempty"`
}

// ServedAPI is an API at its address.
type ServedAPI struct {
	Name     string `json:"name"`
	Path     string `json:"path"`
	Protocol string `json:"protocol"`
	URL      string `json:"url"`
}
