// Package e2e holds the end-to-end tests: what the bridge writes runs in the
// real SAM CLI as it does in the embedded engine. They are built with the tag
// e2e, and are run by
//
//	go run ./internal/e2e/tools
//	scripts/with-docker go test -tags e2e ./e2e
//
// What AWS documents of APIs, and which of the two servers answers so, is in
// APIS.md, which TestAPIRules rewrites with -update. BAILEY_SOAK_API=10m has
// TestAPISoak take ten minutes in place of three seconds.
//
// Where there is no container engine, the tests that need one skip with the
// reason, and those of the SAM CLI's own reading of the templates remain.
package e2e
