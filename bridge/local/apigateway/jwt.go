package apigateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// tokenAlgorithms are those that API Gateway takes: "only RSA-based algorithms
// are supported".
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
var tokenAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512}

// errNoKey says that the keys could not be had; errExpired that a token was
// valid once.
var errExpired = errors.New("the token has expired")

// authorizeJWT evaluates the token of a request to an HTTP API:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html
func (x *exchange) authorizeJWT(a *model.Authorizer) bool {
	source := "$request.header.Authorization"
	if len(a.IdentitySource) > 0 {
		source = a.IdentitySource[0]
	}
	token := bearer(x.identitySource(source))
	if token == "" {
		x.w.Header().Set("Www-Authenticate", "Bearer")
		x.fail(unauthorized, "the request has no token in "+source)
		return false
	}
	claims, err := x.gateway.keys.verify(x.r.Context(), token, a.Issuer, x.began)
	if err == nil {
		err = checkAudience(claims, a.Audience)
	}
	if err != nil {
		x.challenge("invalid_token", err.Error())
		x.fail(unauthorized, "the token is not valid: "+err.Error())
		return false
	}
	x.identity.jwt = &jwtIdentity{Claims: claims.texts(goList)}
	if wanted := x.match.route.Scopes; len(wanted) > 0 {
		scopes := claims.scopes()
		if !intersects(scopes, wanted) {
			x.challenge("insufficient_scope", "the token does not have a required scope")
			x.fail(forbidden, "the token has none of the scopes "+strings.Join(wanted, ", "))
			return false
		}
		x.identity.jwt.Scopes = scopes
	}
	return true
}

func (x *exchange) challenge(code, description string) {
	description = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, description)
	x.w.Header().Set("Www-Authenticate", fmt.Sprintf(`Bearer scope="%s" error="%s" error_description="%s"`,
		strings.Join(x.match.route.Scopes, " "), code, description))
}

// authorizeCognito evaluates the token of a user pool for a REST API. Without
// scopes it must be an identity token, with them an access token:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
func (x *exchange) authorizeCognito(a *model.Authorizer) bool {
	source := "method.request.header.Authorization"
	if len(a.IdentitySource) > 0 {
		source = a.IdentitySource[0]
	}
	token := bearer(x.identitySource(source))
	if token == "" || !validToken(a.IdentityValidation, token) {
		x.fail(restUnauthorized, "the request has no token in "+source)
		return false
	}
	claims, err := x.verifyByPools(a, token)
	if err == nil {
		err = checkUse(claims, x.match.route.Scopes)
	}
	switch {
	case errors.Is(err, errExpired):
		x.fail(answer{http.StatusUnauthorized, `{"message":"The incoming token has expired"}`, "UnauthorizedException", "UNAUTHORIZED"}, err.Error())
		return false
	case err != nil:
		x.fail(restUnauthorized, "the token is not valid: "+err.Error())
		return false
	}
	x.identity.claims = map[string]any{}
	for name, text := range claims.texts(commaList) {
		x.identity.claims[name] = text
	}
	return true
}

// verifyByPools verifies a token with the user pool that issued it, if it is
// one of the authorizer's.
func (x *exchange) verifyByPools(a *model.Authorizer, token string) (claims, error) {
	err := errors.New("the authorizer has no user pool")
	for _, arn := range a.Audience {
		issuer, ok := issuerOfPool(arn)
		if !ok {
			continue
		}
		var c claims
		if c, err = x.gateway.keys.verify(x.r.Context(), token, issuer, x.began); err == nil || errors.Is(err, errExpired) {
			return c, err
		}
	}
	return nil, err
}

// issuerOfPool is the issuer of a user pool's tokens:
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
func issuerOfPool(arn string) (string, bool) {
	parts := strings.SplitN(arn, ":", 6) // arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID
	if len(parts) != 6 || !strings.HasPrefix(parts[5], "userpool/") {
		return "", false
	}
	suffix := "amazonaws.com"
	if parts[1] == "aws-cn" {
		suffix = "amazonaws.com.cn"
	}
	return "https://cognito-idp." + parts[3] + "." + suffix + "/" + strings.TrimPrefix(parts[5], "userpool/"), true
}

func checkUse(c claims, scopes []string) error {
	use, _ := c["token_use"].(string)
	switch {
	case len(scopes) == 0 && use != "id":
		return fmt.Errorf("a method without scopes takes an identity token, and its token_use is %q", use)
	case len(scopes) > 0 && use != "access":
		return fmt.Errorf("a method with scopes takes an access token, and its token_use is %q", use)
	case len(scopes) > 0 && !intersects(c.scopes(), scopes):
		return errors.New("it has none of the scopes " + strings.Join(scopes, ", "))
	}
	return nil
}

// bearer is the token of a header's value, which may name its scheme.
func bearer(value string) string {
	if len(value) > 7 && strings.EqualFold(value[:7], "bearer ") {
		value = value[7:]
	}
	return strings.TrimSpace(value)
}

// verify checks a token's signature, issuer and times. An error is worded for
// the error_description of a challenge.
func (s *keySource) verify(ctx context.Context, token, issuer string, now time.Time) (claims, error) {
	parsed, err := jwt.ParseSigned(token, tokenAlgorithms)
	if err != nil || len(parsed.Headers) != 1 {
		return nil, errors.New("unable to decode the token, or its algorithm is not RSA-based")
	}
	id := parsed.Headers[0].KeyID
	if id == "" {
		return nil, errors.New("the token has no key id (kid)")
	}
	key, err := s.find(ctx, issuer, id)
	if err != nil {
		return nil, fmt.Errorf("OIDC discovery endpoint communication error: %w", err)
	}
	if key == nil {
		return nil, errors.New("signing key not found")
	}
	var c claims
	if err := parsed.Claims(key.Key, &c); err != nil {
		return nil, errors.New("invalid signature")
	}
	if c["iss"] != issuer {
		return nil, errors.New("the token does not have a valid issuer")
	}
	return c, c.checkTimes(now)
}

// claims are a token's.
type claims map[string]any

// UnmarshalJSON keeps numbers as they are written.
func (c *claims) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder.Decode((*map[string]any)(c))
}

func (c claims) checkTimes(now time.Time) error {
	expires, ok := c.time("exp")
	switch {
	case !ok:
		return errors.New("the token has no expiry (exp)")
	case !now.Before(expires):
		return errExpired
	}
	for _, name := range []string{"nbf", "iat"} {
		if at, ok := c.time(name); ok && at.After(now.Add(time.Second)) {
			return errors.New("the token is not valid yet (" + name + ")")
		}
	}
	return nil
}

func (c claims) time(name string) (time.Time, bool) {
	number, ok := c[name].(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := number.Float64()
	return time.Unix(int64(seconds), 0), err == nil
}

// checkAudience asks for one of the audiences in aud or, where a token has no
// aud, in client_id.
func checkAudience(c claims, audiences []string) error {
	claimed := c.list("aud")
	if c["aud"] == nil {
		claimed = c.list("client_id")
	}
	if !intersects(claimed, audiences) {
		return errors.New("the token does not have a valid audience")
	}
	return nil
}

// list is a claim that is a text or a list of texts.
func (c claims) list(name string) []string {
	switch value := c[name].(type) {
	case string:
		return []string{value}
	case []any:
		var all []string
		for _, v := range value {
			if text, ok := v.(string); ok {
				all = append(all, text)
			}
		}
		return all
	}
	return nil
}

// scopes are those of scope, words in a text, or of scp.
func (c claims) scopes() []string {
	var all []string
	for _, name := range []string{"scope", "scp"} {
		for _, text := range c.list(name) {
			all = append(all, strings.Fields(text)...)
		}
	}
	return all
}

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(v string) bool { return contains(b, v) })
}

// How the two kinds of API put a list into a claim's text: "[a b]" and "a,b".
func goList(values []string) string    { return "[" + strings.Join(values, " ") + "]" }
func commaList(values []string) string { return strings.Join(values, ",") }

// texts are the claims as events have them, texts all.
func (c claims) texts(list func([]string) string) map[string]string {
	all := make(map[string]string, len(c))
	for name, value := range c {
		all[name] = claimText(value, list)
	}
	return all
}

func claimText(value any, list func([]string) string) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case []any:
		var elements []string
		for _, element := range v {
			elements = append(elements, claimText(element, list))
		}
		return list(elements)
	case nil:
		return ""
	}
	text, _ := json.Marshal(value) // what was decoded from JSON encodes
	return string(text)
}
