package websocket

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/internal/atomicfile"
)

// Certificate lets functions reach the management API by https, as they write
// it for AWS: "https://" + domainName + "/" + stage. Its authority is made anew
// for each server and its key never leaves this process, so that nobody else
// can use it; functions alone are told to trust it.
type Certificate struct {
	config *tls.Config
	// file has the authority alone, bundle also those that the system trusts,
	// "" where none were found.
	file, bundle string
}

// validity is how long a certificate is good, longer than a server runs.
const validity = 30 * 24 * time.Hour

// NewCertificate makes a certificate for localhost, the loopback addresses and
// host, and writes what functions need to trust it into a folder of this
// process in the folder dir: a second server of the same project has another.
func NewCertificate(dir, host string) (*Certificate, error) {
	authority, authorityKey, err := newAuthority()
	if err != nil {
		return nil, err
	}
	config, err := newServerCertificate(authority, authorityKey, host)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw})
	removeLeft(dir)
	dir = filepath.Join(dir, ofProcess+strconv.Itoa(os.Getpid()))
	c := &Certificate{config: config, file: filepath.Join(dir, "authority.pem")}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := atomicfile.Write(c.file, text); err != nil {
		return nil, err
	}
	if system := systemAuthorities(); system != nil {
		c.bundle = filepath.Join(dir, "authorities.pem")
		if err := atomicfile.Write(c.bundle, bytes.Join([][]byte{system, text}, []byte("\n"))); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// ofProcess begins the name of a process's folder, which its number ends.
const ofProcess = "certificate-"

// removeLeft removes the folders of processes that have ended.
func removeLeft(dir string) {
	folders, _ := filepath.Glob(filepath.Join(dir, ofProcess+"*")) // the pattern is a good one
	for _, folder := range folders {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(folder), ofProcess))
		if err != nil {
			continue
		}
		if process, err := os.FindProcess(pid); err == nil && errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone) {
			_ = os.RemoveAll(folder) // the next server tries again
		}
	}
}

// Environ are the variables by which the AWS SDKs and Node.js trust the
// certificate beside what they trust anyway.
func (c *Certificate) Environ() map[string]string {
	env := map[string]string{"NODE_EXTRA_CA_CERTS": c.file}
	if c.bundle != "" {
		env["AWS_CA_BUNDLE"] = c.bundle
	}
	return env
}

// Trust has all functions of the application trust the certificate, but for
// what they set themselves. Call it before a function runs. A nil Certificate
// does nothing.
func (c *Certificate) Trust(app *model.Application) {
	if c == nil {
		return
	}
	for _, f := range app.Functions {
		for name, value := range c.Environ() {
			if f.Environment[name] != "" {
				continue
			}
			if f.Environment == nil {
				f.Environment = map[string]string{}
			}
			f.Environment[name] = value
		}
	}
}

func newAuthority() (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "bailey, for functions on this machine"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(validity),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	authority, err := x509.ParseCertificate(raw)
	return authority, key, err
}

func newServerCertificate(authority *x509.Certificate, authorityKey *ecdsa.PrivateKey, host string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost", "*.localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	switch ip := net.ParseIP(host); {
	case ip != nil:
		template.IPAddresses = append(template.IPAddresses, ip)
	case host != "":
		template.DNSNames = append(template.DNSNames, host)
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, authority, key.Public(), authorityKey)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for %s: %w", host, err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}},
		NextProtos:   []string{"http/1.1"}, MinVersion: tls.VersionTLS12,
	}, nil
}

func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return new(big.Int).SetBytes(b)
}

// systemAuthorities are those that the user or the system trusts, in one file;
// the first of these that is there.
func systemAuthorities() []byte {
	for _, file := range []string{
		os.Getenv("AWS_CA_BUNDLE"),
		"/etc/ssl/certs/ca-certificates.crt", // Debian, Arch
		"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora, Amazon Linux
		"/etc/ssl/ca-bundle.pem",             // SUSE
		"/etc/ssl/cert.pem",                  // macOS, Alpine
	} {
		if text, err := os.ReadFile(file); file != "" && err == nil { //nolint:gosec // naming it is up to the user
			return text
		}
	}
	return nil
}

// Listen gives a listener that takes both http and https, whichever a client
// begins with. A nil Certificate gives l itself.
func (c *Certificate) Listen(l net.Listener) net.Listener {
	if c == nil {
		return l
	}
	return &eitherListener{l, c.config}
}

type eitherListener struct {
	net.Listener
	config *tls.Config
}

// Accept gives a connection at once; what it speaks is found out when it is
// first read, so that a client that says nothing holds up nobody.
func (l *eitherListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &eitherConn{Conn: conn, config: l.config}, nil
}

// eitherConn is a connection that may turn out to be one of TLS. It is read by
// one goroutine at a time, and before it is written to, as servers of HTTP do.
type eitherConn struct {
	net.Conn // as it comes
	config   *tls.Config
	known    bool
	secure   atomic.Pointer[tls.Conn]
}

// handshake is the first byte of TLS: no request of HTTP begins with it.
const handshake = 0x16

func (c *eitherConn) Read(p []byte) (int, error) {
	if !c.known && len(p) > 0 {
		n, err := c.Conn.Read(p[:1])
		if n == 0 {
			return 0, err
		}
		c.known = true
		if p[0] != handshake {
			return n, err
		}
		c.secure.Store(tls.Server(&pushedBack{c.Conn, p[0], true}, c.config))
	}
	if secure := c.secure.Load(); secure != nil {
		return secure.Read(p)
	}
	return c.Conn.Read(p)
}

func (c *eitherConn) Write(p []byte) (int, error) {
	if secure := c.secure.Load(); secure != nil {
		return secure.Write(p)
	}
	return c.Conn.Write(p)
}

// Close also says goodbye where TLS wants it.
func (c *eitherConn) Close() error {
	if secure := c.secure.Load(); secure != nil {
		return secure.Close()
	}
	return c.Conn.Close()
}

// pushedBack is a connection whose first byte has been read already.
type pushedBack struct {
	net.Conn
	first byte
	has   bool
}

func (c *pushedBack) Read(p []byte) (int, error) {
	if c.has && len(p) > 0 {
		c.has, p[0] = false, c.first
		return 1, nil
	}
	return c.Conn.Read(p)
}
