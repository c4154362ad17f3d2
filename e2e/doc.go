// Package e2e holds the end-to-end tests: what the bridge writes runs in the
// real SAM CLI as it does in the embedded engine. They are built with the tag
// e2e, and are run by
//
//	go run ./internal/e2e/tools
//	scripts/with-docker go test -tags e2e ./e2e
//
// Where there is no container engine, the tests that need one skip with the
// reason, and those of the SAM CLI's own reading of the templates remain.
package e2e
