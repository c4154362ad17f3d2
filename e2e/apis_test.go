//go:build e2e

package e2e

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

var apisProject struct {
	sync.Mutex
	dir string
}

// apis is the folder of a copy of testdata/apps/apis, bridged: an HTTP API, a
// REST API, a function URL and a WebSocket API over functions that do what a
// request asks. Its assembly is written by hand.
func apis(t testing.TB) string {
	t.Helper()
	apisProject.Lock()
	defer apisProject.Unlock()
	if apisProject.dir != "" {
		return apisProject.dir
	}
	command := bailey(t)
	dir := filepath.Join(work, "apis")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "apps", "apis"))); err != nil {
		t.Fatal(err)
	}
	node, _ := hosts(t)
	replaceIn(t, filepath.Join(dir, "cdk.out", "Apis.template.json"), "nodejs20.x", node, "x86_64", e2e.Architecture())
	succeed(t, dir, command, "bridge", "cdk.out")
	apisProject.dir = dir
	return dir
}

// gateway is a bailey local start-api, with the addresses of its APIs by name.
type gateway struct {
	*server
	urls map[string]string
}

var gateways = struct {
	sync.Mutex
	running map[string]*gateway
}{running: map[string]*gateway{}}

// startGateway is the server of a project, started at its first use; it ends
// with the run.
func startGateway(t testing.TB, project string, flags ...string) *gateway {
	t.Helper()
	gateways.Lock()
	defer gateways.Unlock()
	if g := gateways.running[project]; g != nil {
		return g
	}
	g := newGateway(t, project, append([]string{"--port", "0"}, flags...)...)
	gateways.running[project] = g
	servers.Lock()
	defer servers.Unlock()
	servers.running["bailey local start-api "+project] = g.server
	return g
}

// newGateway starts a server that its caller ends.
func newGateway(t testing.TB, project string, flags ...string) *gateway {
	t.Helper()
	log, err := os.CreateTemp(work, "start-api-*.log")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{ended: make(chan struct{}), log: log.Name()}
	s.process = exec.Command(bailey(t), append([]string{"local", "start-api", "--assembly", "cdk.out", "--json"}, flags...)...)
	s.process.Dir, s.process.Env, s.process.Stderr = project, e2e.Environment(t), log
	stdout, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	var table []struct{ Name, URL string }
	err = json.NewDecoder(stdout).Decode(&table)
	go func() {
		_, _ = io.Copy(io.Discard, stdout)
		_ = s.process.Wait() // how it ended is for who asks
		_ = log.Close()
		close(s.ended)
	}()
	if err != nil {
		<-s.ended
		t.Fatalf("bailey local start-api ended: %v\n%s", err, s.tail())
	}
	g := &gateway{server: s, urls: map[string]string{}}
	for _, api := range table {
		g.urls[api.Name] = api.URL
	}
	return g
}

// issuer signs tokens. Its keys are what --jwt-keys names.
type issuer struct {
	key  *rsa.PrivateKey
	file string
}

var newIssuer = sync.OnceValues(func() (*issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	i := &issuer{key, filepath.Join(work, "keys.json")}
	number := base64.RawURLEncoding
	set, err := json.Marshal(map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "one",
		"n": number.EncodeToString(key.N.Bytes()), "e": number.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}}})
	if err != nil {
		return nil, err
	}
	return i, os.WriteFile(i.file, set, 0o644)
})

// token is a signed one with these claims beside the usual.
func (i *issuer) token(t testing.TB, claims map[string]any) string {
	t.Helper()
	all := map[string]any{
		"iss": "https://issuer.example", "aud": "shop", "sub": "ann",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	for name, value := range claims {
		all[name] = value
	}
	payload, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"one","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// apisGateway is the server of the apis project.
func apisGateway(t testing.TB) *gateway {
	t.Helper()
	i, err := newIssuer()
	if err != nil {
		t.Fatal(err)
	}
	return startGateway(t, apis(t), "--jwt-keys", i.file)
}

// answering is the value of the header x-answer that has the echo function
// return exactly this JSON.
func answering(payload string) string {
	return base64.StdEncoding.EncodeToString([]byte(payload))
}

// picture is bytes that are no text.
var picture = func() string {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n\x00\xff\xfe")
	_ = binary.Write(&b, binary.BigEndian, uint32(1<<31))
	return b.String()
}()
