// Package jsonapi reads and writes JSON for the functions behind the HTTP API:
// strict about what comes in, and with errors as RFC 9457 describes them.
package jsonapi
