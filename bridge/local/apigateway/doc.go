// Package apigateway serves HTTP APIs, REST APIs and function URLs on this
// machine as API Gateway and Lambda serve them.
package apigateway
