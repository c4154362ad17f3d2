package apigateway

import "context"

func (x *exchange) streams() bool { return false }

func (x *exchange) stream(context.Context, []byte) {}
