package apigateway

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// preflight answers an OPTIONS request of a browser by the API's own
// configuration of CORS. An HTTP API does so where no route takes the request:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
// A function URL always does:
// https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors
func (x *exchange) preflight() bool {
	cors := x.api.CORS
	if cors == nil || x.api.Protocol == model.REST || !isPreflight(x.r) {
		return false
	}
	status := http.StatusNoContent
	if x.api.Protocol == model.FunctionURL {
		status = http.StatusOK
	} else if x.route() {
		return false
	}
	h := x.w.Header()
	x.id.set(h)
	if x.corsHeaders(h) {
		set := func(name string, values []string) {
			if len(values) > 0 {
				h.Set(name, strings.Join(values, ","))
			}
		}
		set("Access-Control-Allow-Methods", cors.AllowMethods)
		set("Access-Control-Allow-Headers", cors.AllowHeaders)
		if cors.MaxAge > 0 {
			h.Set("Access-Control-Max-Age", strconv.Itoa(cors.MaxAge))
		}
	}
	x.send(status, nil)
	return true
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// corsHeaders puts the headers of the API's own configuration into an answer,
// in place of the function's. It reports whether the origin is allowed.
func (x *exchange) corsHeaders(h http.Header) bool {
	cors := x.api.CORS
	if cors == nil || x.api.Protocol == model.REST {
		return false
	}
	if x.api.Protocol == model.HTTP {
		for name := range h {
			if strings.HasPrefix(name, "Access-Control-") {
				delete(h, name)
			}
		}
	}
	origin := x.r.Header.Get("Origin")
	allowed := allowedOrigin(cors, origin)
	if origin == "" || allowed == "" {
		return false
	}
	h.Set("Access-Control-Allow-Origin", allowed)
	if allowed != "*" && !contains(h.Values("Vary"), "Origin") {
		h.Add("Vary", "Origin")
	}
	if cors.AllowCredentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(cors.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(cors.ExposeHeaders, ","))
	}
	return true
}

// allowedOrigin is the value of Access-Control-Allow-Origin, "" where the
// origin is not allowed. An entry may be "*", a scheme with it ("https://*"),
// or an origin.
func allowedOrigin(cors *model.CORS, origin string) string {
	for _, allowed := range cors.AllowOrigins {
		if allowed == "*" {
			if cors.AllowCredentials {
				return origin // a browser takes no "*" together with credentials
			}
			return "*"
		}
		if strings.EqualFold(allowed, origin) || matchesWildcard(allowed, origin) {
			return origin
		}
	}
	return ""
}

func matchesWildcard(pattern, origin string) bool {
	before, after, ok := strings.Cut(pattern, "*")
	return ok && len(origin) >= len(before)+len(after) && strings.HasPrefix(origin, before) && strings.HasSuffix(origin, after)
}

// foreignOrigin reports whether a web page from elsewhere makes the request,
// and nothing in the application speaks of other origins: the API would be
// called from any page that its user looks at, with the user's credentials
// behind it. API Gateway cannot know such a case, as it answers the world.
func (x *exchange) foreignOrigin() bool {
	origin := x.r.Header.Get("Origin")
	if origin == "" || x.api.CORS != nil {
		return false
	}
	u, err := url.Parse(origin)
	if err == nil && u.Host != "" {
		host := strings.ToLower(u.Hostname())
		ip := net.ParseIP(host)
		if host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback() || strings.EqualFold(u.Host, x.r.Host) {
			return false
		}
	}
	for _, allowed := range x.gateway.options.Origins {
		if allowed == "*" || strings.EqualFold(allowed, origin) {
			return false
		}
	}
	return !x.router.crossOrigin
}
