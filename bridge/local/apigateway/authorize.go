package apigateway

import (
	"net/http"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// The answers of API Gateway to a caller that it does not let through. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
var (
	unauthorized     = answer{http.StatusUnauthorized, `{"message":"Unauthorized"}`, "", ""}
	restUnauthorized = answer{http.StatusUnauthorized, `{"message":"Unauthorized"}`, "UnauthorizedException", "UNAUTHORIZED"}
	forbidden        = answer{http.StatusForbidden, `{"message":"Forbidden"}`, "", ""}
	urlForbidden     = answer{http.StatusForbidden, `{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}`, "AccessDeniedException", ""}
	restKeyForbidden = answer{http.StatusForbidden, `{"message":"Forbidden"}`, "ForbiddenException", "INVALID_API_KEY"}
	restNoToken      = answer{http.StatusForbidden, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException", "MISSING_AUTHENTICATION_TOKEN"}
	explicitDeny     = answer{http.StatusForbidden, `{"Message":"User is not authorized to access this resource with an explicit deny"}`, "AccessDeniedException", "ACCESS_DENIED"}
	implicitDeny     = answer{http.StatusForbidden, `{"Message":"User is not authorized to access this resource"}`, "AccessDeniedException", "ACCESS_DENIED"}
	// An authorizer that fails, or answers in no form that is known.
	authorizerFailed     = answer{http.StatusInternalServerError, `{"message":"Internal Server Error"}`, "", ""}
	restAuthorizerFailed = answer{http.StatusInternalServerError, `{"message":null}`, "AuthorizerConfigurationException", "AUTHORIZER_CONFIGURATION_ERROR"}
	uriTooLong           = answer{http.StatusRequestURITooLong, `{"message":"Request URI too long"}`, "", ""}
)

// maxMethodARN is the most bytes of the ARN of a method with authorization.
const maxMethodARN = 1600

// authorize lets the request through, or answers it and reports false.
func (x *exchange) authorize() bool {
	route := x.match.route
	kind := route.AuthorizationType
	if kind != "" && kind != "NONE" && x.api.Protocol == model.REST && len(x.methodARN()) > maxMethodARN {
		x.answer(uriTooLong)
		return false
	}
	if !x.gateway.options.DisableAuthorizers {
		switch {
		case kind == "AWS_IAM":
			if !x.authorizeIAM() {
				return false
			}
		case kind == "" || kind == "NONE":
		case route.Authorizer == nil:
			x.fail(x.authorizerFailure(), "the route asks for an authorizer ("+kind+") that the application does not have")
			return false
		case route.Authorizer.Type == "JWT":
			if !x.authorizeJWT(route.Authorizer) {
				return false
			}
		case route.Authorizer.Type == "COGNITO_USER_POOLS":
			if !x.authorizeCognito(route.Authorizer) {
				return false
			}
		default:
			if !x.authorizeLambda(route.Authorizer) {
				return false
			}
		}
	}
	return x.checkAPIKey()
}

func (x *exchange) authorizerFailure() answer {
	if x.api.Protocol == model.REST {
		return restAuthorizerFailed
	}
	return authorizerFailed
}

// unauthorized is the answer to a caller that says nothing of itself.
func (x *exchange) unauthorized() answer {
	if x.api.Protocol == model.REST {
		return restUnauthorized
	}
	return unauthorized
}

// checkAPIKey asks for an API key where the method does: that of the caller, or
// that of the authorizer (usageIdentifierKey) where it gives one. A key whose value the
// template does not give is made by AWS: then any key is taken. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-setup-api-key-with-console.html
func (x *exchange) checkAPIKey() bool {
	if !x.match.route.APIKeyRequired {
		return true
	}
	key := orElse(x.authorizerKey, x.r.Header.Get("X-Api-Key"))
	switch {
	case key == "":
		x.fail(restKeyForbidden, "the method asks for an API key (x-api-key)")
		return false
	case len(x.api.APIKeys) == 0:
		x.gateway.noteOnce("keys "+x.api.Path, "%s: the template gives no value of an API key, so that any x-api-key is taken", x.api.Name)
	case !contains(x.api.APIKeys, key):
		x.fail(restKeyForbidden, "the API key is none of the API's")
		return false
	}
	x.identity.apiKey = key
	x.identity.apiKeyID = "local"
	return true
}

// authorizeIAM asks for a signature. There are no credentials here to verify
// it with, so that its form is all that counts; what it says of the caller goes
// into the event.
func (x *exchange) authorizeIAM() bool {
	access, ok := signedBy(x.r)
	if !ok {
		x.fail(x.unsigned(), "the route asks for a request signed with SigV4 (AWS_IAM)")
		return false
	}
	x.gateway.noteOnce("iam", "AWS_IAM: signatures are not verified here, and every caller is let through")
	account := x.application.AccountID
	x.identity.iam = &iamIdentity{
		AccessKey: access, AccountID: account, CallerID: access, UserID: access,
		UserARN: "arn:" + partition(x.application.Region) + ":iam::" + account + ":user/local",
	}
	return true
}

func (x *exchange) unsigned() answer {
	switch x.api.Protocol {
	case model.REST:
		return restNoToken
	case model.FunctionURL:
		return urlForbidden
	}
	return forbidden
}

// signedBy is the access key of a request that is signed with SigV4, in its
// header or in its query string:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
func signedBy(r *http.Request) (accessKey string, ok bool) {
	credential, signed := "", false
	if fields, isSigV4 := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "); isSigV4 {
		parts := map[string]string{}
		for field := range strings.SplitSeq(fields, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
			parts[name] = value
		}
		credential = parts["Credential"]
		signed = parts["Signature"] != "" && parts["SignedHeaders"] != ""
	} else if q := r.URL.Query(); q.Get("X-Amz-Algorithm") == "AWS4-HMAC-SHA256" {
		credential = q.Get("X-Amz-Credential")
		signed = q.Get("X-Amz-Signature") != "" && q.Get("X-Amz-SignedHeaders") != ""
	}
	scope := strings.Split(credential, "/") // key/date/region/service/aws4_request
	if !signed || len(scope) != 5 || scope[0] == "" || scope[4] != "aws4_request" {
		return "", false
	}
	return scope[0], true
}
