package websocket

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"
)

// newID is an id as API Gateway gives them to connections, messages and
// requests: "L0SM9cOFvHcCIhw=", fifteen characters that may stand in a URL,
// and "=".
func newID() string {
	b := make([]byte, 11)
	_, _ = rand.Read(b) // never fails
	return base64.URLEncoding.EncodeToString(b)
}

// newTrace is the root of a trace, as the header X-Amzn-Trace-Id has it.
func newTrace(now time.Time) string {
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails
	return fmt.Sprintf("Root=1-%08x-%s", now.Unix(), hex.EncodeToString(b))
}
