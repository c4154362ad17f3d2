package apigateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The bounds that API Gateway has for an issuer's keys:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const (
	keysTimeout = 1500 * time.Millisecond
	maxKeys     = 150000 // bytes
	// keysLife is how long keys are kept. API Gateway keeps them for up to two
	// hours: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
	keysLife = 2 * time.Hour
	// keysPause is how long an issuer is left alone after it was asked, also
	// where a token names a key that it does not have.
	keysPause = 10 * time.Second
)

// keySource finds the keys that tokens are signed with: those of a file, or
// those that an issuer publishes.
type keySource struct {
	local  *jose.JSONWebKeySet
	client *http.Client

	mu      sync.Mutex
	issuers map[string]*issuerKeys
}

// issuerKeys are the keys of one issuer.
type issuerKeys struct {
	mu    sync.Mutex
	asked time.Time
	set   *jose.JSONWebKeySet
	err   error
}

func newKeySource(path string) (*keySource, error) {
	s := &keySource{client: &http.Client{Timeout: keysTimeout}, issuers: map[string]*issuerKeys{}}
	if path == "" {
		return s, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the key set for tokens: %w", err)
	}
	s.local = &jose.JSONWebKeySet{}
	if err := json.Unmarshal(data, s.local); err != nil || len(s.local.Keys) == 0 {
		return nil, fmt.Errorf("the key set for tokens: %s is no JSON Web Key Set ({\"keys\": [...]}) with a key in it", path)
	}
	return s, nil
}

// find gives the key of an issuer by its id, nil where the issuer has none.
func (s *keySource) find(ctx context.Context, issuer, id string) (*jose.JSONWebKey, error) {
	if s.local != nil {
		return keyIn(s.local, id), nil
	}
	s.mu.Lock()
	keys := s.issuers[issuer]
	if keys == nil {
		keys = &issuerKeys{}
		s.issuers[issuer] = keys
	}
	s.mu.Unlock()

	keys.mu.Lock()
	defer keys.mu.Unlock()
	age := time.Since(keys.asked)
	if keys.set != nil && age < keysLife {
		if key := keyIn(keys.set, id); key != nil {
			return key, nil
		}
	}
	if !keys.asked.IsZero() && age < keysPause {
		return nil, keys.err
	}
	set, err := s.fetch(ctx, issuer)
	keys.asked, keys.err = time.Now(), err
	if err != nil {
		return nil, err
	}
	keys.set = set
	return keyIn(set, id), nil
}

func keyIn(set *jose.JSONWebKeySet, id string) *jose.JSONWebKey {
	for _, key := range set.Key(id) {
		if key.Use == "" || key.Use == "sig" {
			public := key.Public() // of a private key in a file, its public part
			return &public
		}
	}
	return nil
}

// fetch asks an issuer for its keys, by OpenID Connect Discovery:
// https://openid.net/specs/openid-connect-discovery-1_0.html
func (s *keySource) fetch(ctx context.Context, issuer string) (*jose.JSONWebKeySet, error) {
	var discovery struct {
		JWKS string `json:"jwks_uri"`
	}
	address := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	if err := s.getJSON(ctx, address, &discovery); err != nil {
		return nil, err
	}
	if discovery.JWKS == "" {
		return nil, fmt.Errorf("%s names no jwks_uri", address)
	}
	var set jose.JSONWebKeySet
	return &set, s.getJSON(ctx, discovery.JWKS, &set)
}

func (s *keySource) getJSON(ctx context.Context, address string, into any) error {
	// The keys serve other requests too, so that a client that goes away must
	// not end the call.
	request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	reply, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", address, reply.Status)
	}
	body, err := io.ReadAll(io.LimitReader(reply.Body, maxKeys+1))
	switch {
	case err != nil:
		return err
	case len(body) > maxKeys:
		return errors.New(address + " answered more than 150,000 bytes")
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s answered no JSON: %w", address, err)
	}
	return nil
}
