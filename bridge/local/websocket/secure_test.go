package websocket_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	ws "github.com/coder/websocket"

	"github.com/bailey-cdk/bailey/bridge/local/websocket"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// secured serves the chat on a port that takes both, and gives its address and
// a pool with the authority that is in the file.
func secured(t *testing.T, f *fixture) (string, *x509.CertPool) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	certificate, err := websocket.NewCertificate(dir, "box.lan")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(certificate.Environ()["NODE_EXTRA_CA_CERTS"])
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "PRIVATE") {
		t.Error("the file has a key")
	}
	if bundle := certificate.Environ()["AWS_CA_BUNDLE"]; bundle != "" {
		all, err := os.ReadFile(bundle)
		if err != nil || !strings.Contains(string(all), string(text)) || len(all) == len(text) {
			t.Errorf("the bundle has %d bytes, %v", len(all), err)
		}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("the file has no certificate")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: f.server.Handler("Chat/Api")}
	go func() { _ = server.Serve(certificate.Listen(l)) }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String(), pool
}

// TestHTTPS: a function that writes https before domainName, as on AWS, reaches
// its client; on the same port as http and ws.
func TestHTTPS(t *testing.T) {
	f := start(t, chat(), nil)
	address, pool := secured(t, f)
	c, _, err := ws.Dial(t.Context(), "ws://"+address+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	rc := object(f.next(t, "Connect").event["requestContext"])
	id := rc["connectionId"].(string)
	trusting := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) { tr.TLSClientConfig = &tls.Config{RootCAs: pool} })
	api := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("https://" + rc["domainName"].(string) + "/" + rc["stage"].(string)),
		Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""), HTTPClient: trusting,
	})
	for range 3 {
		if _, err := api.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte("hello")}); err != nil {
			t.Fatal(err)
		}
		if got := read(t, c); got != "hello" {
			t.Errorf("got %q", got)
		}
	}
	secure, _, err := ws.Dial(t.Context(), "wss://"+address+"/live", &ws.DialOptions{HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer secure.CloseNow()
	f.next(t, "Connect")
	write(t, secure, `{"action":"say"}`)
	f.next(t, "Say")
	if _, err := http.Get("https://" + address + "/live"); err == nil {
		t.Error("a client that was not told trusts the certificate")
	}
	for _, name := range []string{"localhost", "api.localhost", "box.lan", "127.0.0.1", "::1"} {
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool, ServerName: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = conn.Close()
	}
}

// TestTrust: functions are told, but for what they say themselves.
func TestTrust(t *testing.T) {
	certificate, err := websocket.NewCertificate(t.TempDir(), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	app := &model.Application{Functions: []*model.Function{{}, {Environment: map[string]string{"NODE_EXTRA_CA_CERTS": "mine"}}}}
	certificate.Trust(app)
	if got := app.Functions[0].Environment["NODE_EXTRA_CA_CERTS"]; got != certificate.Environ()["NODE_EXTRA_CA_CERTS"] {
		t.Errorf("a function has %q", got)
	}
	if got := app.Functions[1].Environment["NODE_EXTRA_CA_CERTS"]; got != "mine" {
		t.Errorf("a function with its own has %q", got)
	}
	var none *websocket.Certificate
	none.Trust(app)
}

// TestCertificatesOfProcesses: a server leaves those of servers beside it alone,
// and removes those of servers that are gone.
func TestCertificatesOfProcesses(t *testing.T) {
	dir := t.TempDir()
	beside, gone := exec.Command("sleep", "60"), exec.Command("true")
	if err := errors.Join(beside.Start(), gone.Run()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = beside.Process.Kill()
		_ = beside.Wait() // it was killed
	}()
	for _, process := range []*exec.Cmd{beside, gone} {
		if err := os.Mkdir(filepath.Join(dir, fmt.Sprint("certificate-", process.Process.Pid)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	certificate, err := websocket.NewCertificate(dir, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, e := range entries {
		got[e.Name()] = true
	}
	own := filepath.Base(filepath.Dir(certificate.Environ()["NODE_EXTRA_CA_CERTS"]))
	if want := fmt.Sprint("certificate-", beside.Process.Pid); len(got) != 2 || !got[want] || !got[own] {
		t.Errorf("there are %v: want %s and %s", got, want, own)
	}
}

// TestEitherManyAtATime: both kinds side by side, with clients that say nothing
// and such that break off.
func TestEitherManyAtATime(t *testing.T) {
	f := start(t, chat(), nil)
	address, pool := secured(t, f)
	plain, secure := &http.Client{}, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			switch i % 4 {
			case 0:
				c, err := net.Dial("tcp", address)
				if err == nil {
					_, _ = io.WriteString(c, "\x16\x03")
					_ = c.Close()
				}
				return
			case 1:
				c, err := net.Dial("tcp", address)
				if err == nil {
					defer c.Close()
				}
				return
			}
			client, scheme := plain, "http://"
			if i%4 == 3 {
				client, scheme = secure, "https://"
			}
			for range 5 {
				response, err := client.Post(scheme+address+"/live/@connections/nobody", "", strings.NewReader("x"))
				if err != nil {
					t.Error(err)
					return
				}
				_ = response.Body.Close()
				if response.StatusCode != http.StatusGone {
					t.Errorf("%s: %s", scheme, response.Status)
				}
			}
		})
	}
	all.Wait()
}
