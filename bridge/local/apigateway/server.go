package apigateway

import (
	"io"
	"log"
	"net/http"
	"time"
)

// Server gives a server for a handler with the bounds that one on a
// developer's machine needs: a client that is slow with its header, or that
// keeps a connection without a request, is let go, and a header of more than
// 64 KB is refused. Logs gets what the server itself has to say.
func Server(handler http.Handler, logs io.Writer) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       75 * time.Second, // as API Gateway's keep-alive
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(logs, "bailey: ", 0),
	}
}
