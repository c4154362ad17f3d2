package websocket

import "time"

// API Gateway's quotas:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const (
	// maxMessage is the most bytes of a message, in either direction.
	maxMessage = 128 * 1024
	// maxFrame is the most bytes of a frame's payload.
	maxFrame = 32 * 1024
	// maxURL is the most characters of the address that a client connects to.
	maxURL = 4096
	// maxAuthorizerResult is the most bytes of an authorizer's answer.
	maxAuthorizerResult = 8 * 1024

	defaultIdleTimeout = 10 * time.Minute
	defaultMaxAge      = 2 * time.Hour
	// authorizerTimeout is how long an authorizer may take.
	authorizerTimeout = 29 * time.Second
)

const (
	// maxInFlight is how many messages of one connection are handled at a
	// time. More wait unread, which holds the client back.
	maxInFlight         = 100
	defaultWriteTimeout = 10 * time.Second
	// farewell is how long Close waits for the functions of $disconnect.
	farewell = 3 * time.Second
)
