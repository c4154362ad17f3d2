# Targets for people. Each one works from a clean clone.

# Lambda's end-of-life banner of jsii and the validator of newer CDKs are noise
# in tests, and seconds of it.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := $(shell node -p 'process.versions.node.split(".")[0]' 2>/dev/null)
export CDK_VALIDATION := false

# The race detector needs a C compiler, and slows what it watches to a tenth: it
# watches what runs in several goroutines.
RACE := $(if $(shell command -v $${CC:-cc} 2>/dev/null),-race)

# What imports the CDK is compiled without it: jsii programs run in one
# goroutine, and compiling the CDK a second time takes minutes.
CDK_PACKAGES := ./constructs/... ./app/... ./examples/...
CONCURRENT   := ./bridge/local/... ./bridge/dev/... ./bridge/synth/... ./cmd/... ./internal/... ./batch ./idempotency ./eventhandler
OTHER        := ./bridge ./bridge/assembly ./bridge/cfn ./bridge/deployed ./bridge/model ./bridge/overrides ./bridge/samtemplate

BAILEY := .bailey/bin/bailey

.PHONY: demo test unit e2e e2e-cdk e2e-sam tools bench soak fuzz lint golden compatibility clean

# Build the storefront's functions, run its CDK app, write the SAM template and
# invoke a function.
demo: $(BAILEY)
	$(BAILEY) synth
	$(BAILEY) local invoke Quote --event app/events/quote.json

.PHONY: $(BAILEY)
$(BAILEY):
	go build -o $@ ./cmd/bailey

test: unit e2e

unit:
	go vet ./...
	go test $(RACE) $(CONCURRENT)
	go test $(OTHER)
	go test $(CDK_PACKAGES)

# Against the real tools. They are installed first, since the engine that
# with-docker may start has no network but its own. The two halves wait a lot,
# so they run side by side; what needs no container is in the one that is
# shorter.
WITHOUT_DOCKER := ^(TestKernels|TestDev|TestDelve)

e2e: tools
	$(MAKE) --no-print-directory --output-sync=target -j 2 e2e-cdk e2e-sam

e2e-cdk:
	go test -tags e2e -count 1 -skip 'TestHostile|TestGolden|Fuzz' ./bridge ./app ./examples/...
	go test -tags e2e -count 1 -run 'TestTemplatesAreValid|TestPolicyTemplatesAreThoseOfSAM|TestNag|TestLint' ./constructs/serverless ./constructs/graphql ./constructs/eventfork
	go test -tags e2e -count 1 -run '$(WITHOUT_DOCKER)' ./e2e

e2e-sam:
	scripts/with-docker go test -tags e2e -count 1 -timeout 30m -skip '$(WITHOUT_DOCKER)' ./e2e

tools:
	go run ./internal/e2e/tools

# One line a benchmark, and all of them in bench.json. The cdk command waits for
# the network where it has none, so it runs outside with-docker.
bench: SHELL := bash -o pipefail
bench: tools
	scripts/with-docker go test -tags 'e2e bench' -v -count 1 -timeout 60m -run '^TestBench' -skip 'TestBenchForkMemory|TestBenchSynth|TestBenchKernels' ./e2e | grep -v '^=== \|^--- PASS\|^PASS'
	go test -tags 'e2e bench' -v -count 1 -timeout 60m -run '^(TestBenchSynth|TestBenchKernels)' ./e2e | grep -v '^=== \|^--- PASS\|^PASS'

# What takes long: a million warm invocations, a hundred kills of the event plane
# under load, a million events, ten minutes of requests, five hundred reloads,
# with memory and answers counted.
soak: SHELL := bash -o pipefail
soak: tools
	BAILEY_SOAK=1000000 go test ./bridge/local -run Soak -v -timeout 60m
	BAILEY_SOAK=100000 go test ./bridge/local/events -run 'NothingIsLost|Accounted' -v -timeout 30m
	BAILEY_SOAK=100 go test ./bridge/local/events/... -run TestKilled -v -timeout 30m
	BAILEY_RELOADS=500 go test ./bridge/dev -run 'Reload|NoGrowth' -v -timeout 60m
	BAILEY_SOAK_API=10m go test -tags e2e -run TestAPISoak -v -timeout 20m ./e2e
	scripts/with-docker go test -tags 'e2e bench' -run TestBenchForkMemory -v -timeout 30m ./e2e

# A million executions of each fuzz target.
FUZZ_EXECUTIONS ?= 1000000
fuzz:
	@for package in $$(grep -rl '^func Fuzz' --include '*_test.go' . | xargs -n 1 dirname | sort -u); do \
		for target in $$(grep -ho '^func Fuzz[A-Za-z]*' $$package/*_test.go | cut -c 6-); do \
			echo "$$package $$target"; \
			go test ./$$package -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ_EXECUTIONS)x -fuzzminimizetime 10x || exit 1; \
		done; \
	done

lint:
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run --build-tags e2e,bench

# Synthesise the test apps anew and rewrite what the tests compare with. Read
# the diff.
golden:
	go run ./internal/e2e/synthapps
	go test ./bridge ./constructs/serverless ./constructs/graphql ./constructs/eventfork ./app ./examples/... -update

# Rewrite COMPATIBILITY.md and e2e/APIS.md. Read the diff.
compatibility: tools
	scripts/with-docker go test -tags e2e -count 1 -run '^(TestCompatibility|TestAPIRules)' ./e2e -update

clean:
	rm -rf .bailey .aws-sam cdk.out bench.json
