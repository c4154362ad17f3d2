package apigateway

import (
	"net/http"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// rules are what differs between the kinds of API, as far as it is a matter of
// values. The sources:
//
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
//   - https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
//
// and, where these say nothing, what API Gateway was seen to answer.
type rules struct {
	// maxBody is the most bytes of a request's body, maxHeaders of its header
	// names and values, with the request line where requestLine is set.
	maxBody, maxHeaders int
	requestLine         bool

	noRoute, tooLarge, headersTooLarge answer
	// lambdaTooLarge answers an event that is over Lambda's own limit.
	lambdaTooLarge answer
	// functionFailed answers an error of the function, malformed what is no
	// proxy response, notInvoked an invocation that Lambda refused, and
	// throttled one that it refused for its concurrency.
	functionFailed, malformed, notInvoked, throttled answer
	timedOut                                         answer
	// contentType is the one of a response without any.
	contentType string
}

// answer is what the gateway answers by itself.
type answer struct {
	status int
	body   string
	// errorType is the x-amzn-ErrorType header, "" for none.
	errorType string
	// kind is the type of a REST API's gateway response, "" for one that has
	// none of its own.
	kind string
}

var httpRules = &rules{
	maxBody: 10 << 20, maxHeaders: 10240, requestLine: true,
	noRoute:         answer{http.StatusNotFound, `{"message":"Not Found"}`, "", ""},
	tooLarge:        answer{http.StatusRequestEntityTooLarge, `{"message":"Request Entity Too Large"}`, "", ""},
	headersTooLarge: answer{http.StatusRequestHeaderFieldsTooLarge, `{"message":"Request Header Fields Too Large"}`, "", ""},
	lambdaTooLarge:  answer{http.StatusRequestEntityTooLarge, `{"message":"Request Entity Too Large"}`, "", ""},
	functionFailed:  answer{http.StatusInternalServerError, `{"message":"Internal Server Error"}`, "", ""},
	malformed:       answer{http.StatusInternalServerError, `{"message":"Internal Server Error"}`, "", ""},
	notInvoked:      answer{http.StatusInternalServerError, `{"message":"Internal Server Error"}`, "", ""},
	throttled:       answer{http.StatusServiceUnavailable, `{"message":"Service Unavailable"}`, "", ""},
	timedOut:        answer{http.StatusServiceUnavailable, `{"message":"Service Unavailable"}`, "", ""},
	contentType:     "text/plain; charset=utf-8",
}

var restRules = &rules{
	maxBody: 10 << 20, maxHeaders: 10240,
	noRoute:         answer{http.StatusForbidden, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException", "MISSING_AUTHENTICATION_TOKEN"},
	tooLarge:        answer{http.StatusRequestEntityTooLarge, `{"message":"Request Too Long"}`, "RequestTooLargeException", "REQUEST_TOO_LARGE"},
	headersTooLarge: answer{http.StatusRequestHeaderFieldsTooLarge, `{"message":"Request Header Fields Too Large"}`, "", ""},
	lambdaTooLarge:  answer{http.StatusRequestEntityTooLarge, `{"message":"Request Too Long"}`, "RequestTooLargeException", "REQUEST_TOO_LARGE"},
	functionFailed:  answer{http.StatusBadGateway, `{"message": "Internal server error"}`, "InternalServerErrorException", ""},
	malformed:       answer{http.StatusBadGateway, `{"message": "Internal server error"}`, "InternalServerErrorException", ""},
	notInvoked:      answer{http.StatusInternalServerError, `{"message": "Internal server error"}`, "InternalServerErrorException", "API_CONFIGURATION_ERROR"},
	throttled:       answer{http.StatusInternalServerError, `{"message": "Internal server error"}`, "InternalServerErrorException", "API_CONFIGURATION_ERROR"},
	timedOut:        answer{http.StatusGatewayTimeout, `{"message": "Endpoint request timed out"}`, "InternalServerErrorException", "INTEGRATION_TIMEOUT"},
	contentType:     "application/json",
}

var urlRules = &rules{
	maxBody: 6 << 20, maxHeaders: 10240, requestLine: true,
	noRoute:         answer{http.StatusNotFound, `{"Message":null}`, "", ""},
	tooLarge:        answer{http.StatusRequestEntityTooLarge, `{"Message":"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}`, "RequestEntityTooLargeException", ""},
	headersTooLarge: answer{http.StatusRequestHeaderFieldsTooLarge, `{"Message":"Request Header Fields Too Large"}`, "", ""},
	lambdaTooLarge:  answer{http.StatusRequestEntityTooLarge, `{"Message":"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}`, "RequestEntityTooLargeException", ""},
	functionFailed:  answer{http.StatusBadGateway, "Internal Server Error", "", ""},
	malformed:       answer{http.StatusBadGateway, "Internal Server Error", "", ""},
	notInvoked:      answer{http.StatusBadGateway, "Internal Server Error", "", ""},
	throttled:       answer{http.StatusTooManyRequests, `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`, "TooManyRequestsException", ""},
	timedOut:        answer{http.StatusGatewayTimeout, "Internal Server Error", "", ""},
	contentType:     "application/json",
}

func rulesOf(protocol model.Protocol) *rules {
	switch protocol {
	case model.REST:
		return restRules
	case model.FunctionURL:
		return urlRules
	default:
		return httpRules
	}
}
