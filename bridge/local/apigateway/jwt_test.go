//go:build unix

package apigateway

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/bailey-cdk/bailey/bridge/model"
)

const (
	jwtPage     = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html"
	jwtTrouble  = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html"
	cognitoPage = "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html"
)

// issuer signs tokens, and publishes its keys.
type issuer struct {
	*httptest.Server
	key   *rsa.PrivateKey
	id    atomic.Value // the key id that it publishes
	asked atomic.Int64
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	i.id.Store("k1")
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(i.keys()) })
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

// keys is its JSON Web Key Set.
func (i *issuer) keys() []byte {
	set, _ := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: i.id.Load().(string), Algorithm: "RS256", Use: "sig"}}})
	return set
}

// sign makes a token of claims over those that are valid.
func (i *issuer) sign(t *testing.T, iss, id string, claims map[string]any) string {
	t.Helper()
	return signWith(t, jose.SigningKey{Algorithm: jose.RS256, Key: i.key}, iss, id, claims)
}

func signWith(t *testing.T, key jose.SigningKey, iss, id string, claims map[string]any) string {
	t.Helper()
	now := time.Now()
	all := map[string]any{"iss": iss, "aud": "shop", "sub": "me", "iat": now.Unix() - 10, "exp": now.Add(time.Hour).Unix()}
	for name, value := range claims {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	options := &jose.SignerOptions{}
	if id != "" {
		options.WithHeader("kid", id)
	}
	signer, err := jose.NewSigner(key, options.WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func jwtAPI(issuer string, scopes ...string) *model.API {
	api := apiOf(model.HTTP, "GET /x")
	api.Routes[0].AuthorizationType = "JWT"
	api.Routes[0].Scopes = scopes
	api.Routes[0].Authorizer = &model.Authorizer{Type: "JWT", Issuer: issuer, Audience: []string{"other", "shop"}, IdentitySource: []string{"$request.header.Authorization"}}
	return api
}

func TestJWT(t *testing.T) {
	i, other := newIssuer(t), newIssuer(t)
	ec := jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat("k", 32))}
	past := time.Now().Add(-time.Minute).Unix()
	token := func(claims map[string]any) string { return "Bearer " + i.sign(t, i.URL, "k1", claims) }
	tampered := token(nil)
	tampered = tampered[:len(tampered)-6] + "AAAAAA"
	for _, test := range []struct {
		page, name, header string
		scopes             []string
		want, challenge    string
	}{
		{jwtPage, "a good one", token(nil), nil, httpIn, ""},
		{jwtPage, "without Bearer", strings.TrimPrefix(token(nil), "Bearer "), nil, httpIn, ""},
		{jwtPage, "none", "", nil, http401, "Bearer"},
		{jwtPage, "no token at all", "token", nil, http401, "unable to decode"},
		{jwtPage, "expired", token(map[string]any{"exp": past}), nil, http401, "expired"},
		{jwtPage, "without expiry", token(map[string]any{"exp": nil}), nil, http401, "exp"},
		{jwtPage, "not valid yet", token(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}), nil, http401, "nbf"},
		{jwtPage, "issued in the future", token(map[string]any{"iat": time.Now().Add(time.Hour).Unix()}), nil, http401, "iat"},
		{jwtTrouble, "another audience", token(map[string]any{"aud": "else"}), nil, http401, `Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"`},
		{jwtPage, "one audience of several", token(map[string]any{"aud": []string{"else", "shop"}}), nil, httpIn, ""},
		{jwtPage, "client_id in place of aud", token(map[string]any{"aud": nil, "client_id": "shop"}), nil, httpIn, ""},
		{jwtPage, "another issuer", "Bearer " + i.sign(t, "https://else.example", "k1", nil), nil, http401, "issuer"},
		{jwtPage, "another's signature", "Bearer " + other.sign(t, i.URL, "k1", nil), nil, http401, "signature"},
		{jwtPage, "a signature that was changed", tampered, nil, http401, "signature"},
		{jwtPage, "an unknown key", "Bearer " + i.sign(t, i.URL, "k9", nil), nil, http401, "signing key"},
		{jwtPage, "without a key id", "Bearer " + i.sign(t, i.URL, "", nil), nil, http401, "kid"},
		{jwtPage, "an algorithm that is not RSA", "Bearer " + signWith(t, ec, i.URL, "k1", nil), nil, http401, "RSA"},
		{jwtPage, "no algorithm", "Bearer eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.e30.", nil, http401, "RSA"},
		{jwtPage, "one of the scopes", token(map[string]any{"scope": "a write"}), []string{"read", "write"}, httpIn, ""},
		{jwtPage, "scopes in scp", token(map[string]any{"scp": []string{"a", "read"}}), []string{"read"}, httpIn, ""},
		{jwtPage, "none of the scopes", token(map[string]any{"scope": "a"}), []string{"read"}, http403, "insufficient_scope"},
		{jwtPage, "no scope", token(nil), []string{"read"}, http403, "insufficient_scope"},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := &guard{}
			log := &logBuffer{}
			address, _ := serve(t, Options{Application: application(jwtAPI(i.URL, test.scopes...)), Invoke: g.invoke, Logs: log})
			head := "GET /x HTTP/1.1\nHost: localhost\n"
			if test.header != "" {
				head += "Authorization: " + test.header + "\n"
			}
			reply, body := exchangeRaw(t, address, head+"\n")
			if got := told(reply, body).with(""); got != test.want || !strings.Contains(reply.Header.Get("Www-Authenticate"), test.challenge) {
				t.Errorf("%s\ngot  %s, challenge %q\nwant %s, %q\n%s", test.page, got, reply.Header.Get("Www-Authenticate"), test.want, test.challenge, log)
			}
		})
	}
}

// Claims are texts in the event, and scopes are there where the route has any.
func TestJWTClaims(t *testing.T) {
	i := newIssuer(t)
	g := &guard{}
	for _, scopes := range [][]string{nil, {"read"}} {
		for format, name := range map[string]string{payload2: "requestContext.authorizer.jwt", payload1: "requestContext.authorizer"} {
			api := jwtAPI(i.URL, scopes...)
			api.Routes[0].PayloadFormatVersion = format
			address, _ := serve(t, Options{Application: application(api), Invoke: g.invoke})
			token := i.sign(t, i.URL, "k1", map[string]any{"exp": 99999999999, "iat": 1, "groups": []string{"a", "b"}, "admin": true, "scope": "read write", "deep": map[string]int{"x": 1}})
			if reply, body := exchangeRaw(t, address, "GET /x HTTP/1.1\nHost: localhost\nAuthorization: "+token+"\n\n"); reply.StatusCode != 200 {
				t.Fatalf("%s %s", reply.Status, body)
			}
			got := field(t, g.function.Load().(string), name)
			want := `{"claims":{"admin":"true","aud":"shop","deep":"{\"x\":1}","exp":"99999999999","groups":"[a b]","iat":"1","iss":"` + i.URL + `","scope":"read write","sub":"me"},"scopes":`
			want += map[bool]string{true: "null}", false: `["read","write"]}`}[scopes == nil]
			if got != want {
				t.Errorf("%s\nformat %s: %s\nwant %s", jwtPage, format, got, want)
			}
		}
	}
}

// Keys are asked for once, and again where a token names a new one, but not as
// often as a client can send tokens.
func TestKeysAreKept(t *testing.T) {
	i := newIssuer(t)
	s, err := newKeySource("")
	if err != nil {
		t.Fatal(err)
	}
	verify := func(id string) error {
		_, err := s.verify(t.Context(), i.sign(t, i.URL, id, nil), i.URL, time.Now())
		return err
	}
	for range 3 {
		if err := verify("k1"); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := verify("k2"); err == nil {
			t.Fatal("a key that is not there")
		}
	}
	if n := i.asked.Load(); n != 1 {
		t.Errorf("the issuer was asked %d times", n)
	}
	i.id.Store("k2")
	s.issuers[i.URL].asked = time.Now().Add(-keysPause)
	if err := verify("k2"); err != nil {
		t.Errorf("after a change of keys: %v", err)
	}
	if n := i.asked.Load(); n != 2 {
		t.Errorf("the issuer was asked %d times", n)
	}
	if _, err := s.verify(t.Context(), i.sign(t, "http://127.0.0.1:1", "k1", nil), "http://127.0.0.1:1", time.Now()); err == nil || !strings.Contains(err.Error(), "discovery") {
		t.Errorf("an issuer that is not there gave %v", err)
	}
}

// A Cognito authorizer of a REST API, with keys from a file.
func TestCognito(t *testing.T) {
	i := newIssuer(t)
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(file, i.keys(), 0o600); err != nil {
		t.Fatal(err)
	}
	const pool = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc"
	sign := func(claims map[string]any) string { return i.sign(t, pool, "k1", claims) }
	for _, test := range []struct {
		name, token string
		scopes      []string
		want        string
	}{
		{"an identity token", sign(map[string]any{"token_use": "id"}), nil, restIn},
		{"with Bearer", "Bearer " + sign(map[string]any{"token_use": "id"}), nil, restIn},
		{"none", "", nil, http401},
		{"an access token without scopes", sign(map[string]any{"token_use": "access"}), nil, http401},
		{"an access token with a scope", sign(map[string]any{"token_use": "access", "scope": "shop/read"}), []string{"shop/read"}, restIn},
		{"with another", sign(map[string]any{"token_use": "access", "scope": "shop/write"}), []string{"shop/read"}, http401},
		{"expired", sign(map[string]any{"token_use": "id", "exp": 1}), nil, `401 application/json {"message":"The incoming token has expired"}`},
		{"another pool", i.sign(t, "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_xyz", "k1", map[string]any{"token_use": "id"}), nil, http401},
	} {
		t.Run(test.name, func(t *testing.T) {
			api := apiOf(model.REST, "GET /x")
			api.Routes[0].AuthorizationType, api.Routes[0].Scopes = "COGNITO_USER_POOLS", test.scopes
			api.Routes[0].Authorizer = &model.Authorizer{Type: "COGNITO_USER_POOLS", Audience: []string{"arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_abc"}}
			g := &guard{}
			log := &logBuffer{}
			address, _ := serve(t, Options{Application: application(api), Invoke: g.invoke, KeySet: file, Logs: log})
			head := "GET /x HTTP/1.1\nHost: localhost\n"
			if test.token != "" {
				head += "Authorization: " + test.token + "\n"
			}
			if got := told(exchangeRaw(t, address, head+"\n")).with(""); got != test.want {
				t.Errorf("%s\ngot %s, want %s\n%s", cognitoPage, got, test.want, log)
			}
			if test.want == restIn {
				if sub := field(t, g.function.Load().(string), "requestContext.authorizer.claims.sub"); sub != `"me"` {
					t.Errorf("claims.sub is %s", sub)
				}
			}
		})
	}
}

func TestKeySetFiles(t *testing.T) {
	for _, text := range []string{"", "{}", `{"keys":[]}`, "keys"} {
		file := filepath.Join(t.TempDir(), "keys.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{KeySet: file}); err == nil || !strings.Contains(err.Error(), "JSON Web Key Set") {
			t.Errorf("%q gave %v", text, err)
		}
	}
	if _, err := New(Options{KeySet: "/nowhere/keys.json"}); err == nil {
		t.Error("a file that is not there is taken")
	}
}
