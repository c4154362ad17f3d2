package service

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is an error as AWS's APIs have it.
type Error struct {
	// Code is the name of the error: the shape's in JSON ("QueueDoesNotExist").
	Code string
	// QueryCode is the query protocol's name where it is another
	// ("AWS.SimpleQueueService.NonExistentQueue").
	QueryCode string
	Message   string
	// Status is the HTTP status, 0 for 400.
	Status int
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an Error that is the sender's fault, with status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// ErrorOf is err as an Error: an InternalFailure with status 500 where it is
// none.
func ErrorOf(err error) *Error {
	e := &Error{}
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: "InternalFailure", Message: err.Error(), Status: http.StatusInternalServerError}
}

func (e *Error) status() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// fault is whose it is in the words of the query protocol.
func (e *Error) fault() string {
	if e.status() >= 500 {
		return "Receiver"
	}
	return "Sender"
}

func (e *Error) queryCode() string {
	if e.QueryCode != "" {
		return e.QueryCode
	}
	return e.Code
}
