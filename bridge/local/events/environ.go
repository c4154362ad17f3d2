package events

import (
	"slices"
	"strings"
)

// elsewhere are the beginnings of variables that lead an SDK away from the
// plane, or to credentials that it need not have. The SDK for JavaScript prefers
// a profile to keys, for one.
var elsewhere = []string{
	"AWS_PROFILE=", "AWS_DEFAULT_PROFILE=", "AWS_ENDPOINT_URL", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=",
	"AWS_ROLE_ARN=", "AWS_ROLE_SESSION_NAME=", "AWS_WEB_IDENTITY_TOKEN_FILE=", "AWS_CONTAINER_",
}

// EnvironOver is a host's environment ("NAME=value") in which SDKs find the
// plane, as [Plane.Environ] says, and nothing that leads them elsewhere: what an
// engine's functions get.
func (p *Plane) EnvironOver(host []string) []string {
	kept := slices.DeleteFunc(slices.Clone(host), func(variable string) bool {
		return slices.ContainsFunc(elsewhere, func(beginning string) bool { return strings.HasPrefix(variable, beginning) })
	})
	return append(kept, p.Environ()...)
}
