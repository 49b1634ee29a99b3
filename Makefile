# You need Go, git and make. Every other tool is a Go tool, pinned in its own
# tools/*/go.mod.

GO   ?= go
BUF  := $(GO) tool -modfile=tools/buf/go.mod buf
LINT := $(GO) tool -modfile=tools/lint/go.mod golangci-lint
VULN := $(GO) tool -modfile=tools/vuln/go.mod govulncheck
STAT := $(GO) tool -modfile=tools/benchstat/go.mod benchstat
SUM  := $(GO) tool -modfile=tools/gotestsum/go.mod gotestsum

# The race detector needs cgo, and cgo needs a C compiler.
RACE    := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
DATE    := $(shell TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null)
CONFIG  := github.com/audian/participant-gateway/internal/config
LDFLAGS := -X $(CONFIG).version=$(VERSION) -X $(CONFIG).commit=$(COMMIT) -X $(CONFIG).date=$(DATE)

# A build for a release is static, and the same in every directory.
STATIC := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w $(LDFLAGS)'

# The tools that have a module of their own, and code of ours.
TOOLS := tools/deploycheck tools/image tools/peers

# The directories with a go.mod, without the one whose client is generated first.
MODULES := $(filter-out test/interop/openapi/go,$(patsubst %/,%,$(dir $(shell git ls-files -- go.mod '*/go.mod'))))

# The targets that `make check` runs after the tests.
CHECKS := tidy-check lint generate-drift breaking vulnerabilities docs-check api-check clients-check dashboard-check image-check deploy-check release-check interop model model-replicas chaos chaos-replicas mutants

# How long `make fuzz` runs each fuzz target.
FUZZTIME ?= 5s

export GO BUF VULN FUZZTIME

.PHONY: all
all: test lint ## Run the tests and the linters (the default)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Its line comes before the errors of an old Go.
.PHONY: go-version
go-version:
	@tools/check/go.sh

.PHONY: run
run: go-version ## Run the gateway with its simulator; ARGS adds flags
	@echo "first build takes about a minute"
	@$(GO) build -ldflags '$(LDFLAGS)' -o bin/server ./cmd/server
	@exec bin/server --demo $(ARGS)

.PHONY: first-minute
first-minute: go-version ## Measure the time from a clone and an empty build cache to the first live change
	@tools/check/firstminute.sh

.PHONY: replicas
replicas: go-version ## Run three replicas of the gateway with a Redis and the simulator, and print what to try; ARGS adds flags
	@echo "first build takes about a minute"
	@$(GO) build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...
	@exec tools/replicas/run.sh $(ARGS)

.PHONY: build
build: go-version ## Build bin/server and bin/simulator
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

# The architectures of the image: amd64, arm64 or both.
ARCHS ?= $(shell $(GO) env GOARCH)

.PHONY: image
image: $(ARCHS:%=bin/image-%/server) ## Write the container image to bin/image, an OCI layout; ARCHS selects architectures
	@$(GO) run -C tools/image . -out $(CURDIR)/bin/image -version '$(VERSION)' -revision '$(COMMIT)' -created '$(DATE)' \
		$(foreach arch,$(ARCHS),$(arch)=$(CURDIR)/bin/image-$(arch)/server)
	@echo "bin/image: participant-gateway:$(VERSION)"

# Go decides whether a binary is up to date.
.PHONY: FORCE
bin/image-%/server: FORCE
	@GOOS=linux GOARCH=$* $(STATIC) -o $@ ./cmd/server

.PHONY: image-check
image-check: image ## Run the root file system of the image, and check that equal inputs make equal images
	$(GO) test -C tools/image . -image $(CURDIR)/bin/image

# The platforms of a release.
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64

.PHONY: release
release: ## Make a release in bin/release: binaries for PLATFORMS built twice and compared, image, SBOM, notes, checksums
	@VERSION='$(VERSION)' COMMIT='$(COMMIT)' DATE='$(DATE)' BUILD="$(STATIC)" PLATFORMS='$(PLATFORMS)' tools/release/run.sh

.PHONY: release-check
release-check: ## Make a release for this machine, and check its files (needs jq)
	@$(MAKE) -s release PLATFORMS=linux/$(shell $(GO) env GOARCH)
	@tools/release/check.sh

.PHONY: deploy-check
deploy-check: ## Check what is in deploy/: manifests, chart, compose file, systemd unit, alerts and dashboard (needs systemd and Prometheus)
	@$(GO) build -ldflags '$(LDFLAGS)' -o bin/server ./cmd/server
	$(GO) test -C tools/deploycheck -count=1 . -server $(CURDIR)/bin/server

# The packages and tests that `make test` and `make cover` run.
PKG ?= ./...
RUN ?=

# Without vet: it is one of the linters. Many packages mostly wait: three run at the same time.
.PHONY: test
test: go-version ## Run the tests, with the race detector if cgo is enabled; PKG and RUN select some
	@$(SUM) --format pkgname-and-test-fails --post-run-command tools/check/skipped.sh -- \
		$(RACE) -vet=off -p 3 $(if $(RUN),-run '$(RUN)') $(PKG)

.PHONY: cover
cover: go-version ## Run the tests and write their coverage to bin/cover.html; PKG and RUN select some
	@mkdir -p bin
	$(GO) test -coverpkg ./internal/... -coverprofile bin/cover.out $(if $(RUN),-run '$(RUN)') $(PKG)
	$(GO) tool cover -html bin/cover.out -o bin/cover.html
	@$(GO) tool cover -func bin/cover.out | tail -1

.PHONY: tidy
tidy: ## Tidy all go.mod files
	@$(foreach module,$(MODULES),(cd $(module) && $(GO) mod tidy) &&) true

.PHONY: tidy-check
tidy-check: ## Fail if a go.mod of our own code is not tidy
	$(GO) mod tidy -diff
	@$(foreach tool,$(TOOLS),(cd $(tool) && $(GO) mod tidy -diff) &&) true

# The load harness needs Linux. It measures the binary of a release.
LOAD := bin/bench/load
.PHONY: load-programs
load-programs:
	@mkdir -p bin/bench
	@$(STATIC) -o bin/bench/server ./cmd/server
	@$(GO) build -o $(LOAD) ./test/bench/load

.PHONY: bench
bench: load-programs ## Measure events, calls, polls and the start, with reference servers; ARGS adds flags (ARGS=-help lists them)
	@$(LOAD) table $(ARGS)

.PHONY: bench-peers
bench-peers: load-programs ## Measure events with other servers of events: Centrifuge, NATS, grpc-gateway; ARGS adds flags
	@$(GO) build -C tools/peers -o $(CURDIR)/bin/bench/peers .
	@$(LOAD) table -peers bin/bench/peers -cases HTTP $(ARGS)

.PHONY: bench-growth
bench-growth: load-programs ## Measure what the cost of a list grows with; ARGS adds flags
	@$(LOAD) growth $(ARGS)

.PHONY: soak
soak: load-programs ## Run 5,000 subscribers of 200 conferences for 20 minutes; ARGS adds flags
	@$(LOAD) soak $(ARGS)

.PHONY: idle
idle: load-programs ## Measure the memory of 100,000 idle subscribers, or as many as the limit of files allows; ARGS adds flags
	@$(LOAD) idle $(ARGS)

# How often `make bench-micro` runs all benchmarks. benchstat needs at least six runs.
PASSES ?= 6

.PHONY: bench-micro
bench-micro: ## Run the benchmarks of Go code and compare the variants
	@mkdir -p bin && rm -f bin/bench.txt
	@# The passes run one after the other, so that each variant is measured early and late.
	for pass in $$(seq $(PASSES)); do $(GO) test -run '^$$' -bench . -benchmem ./test/bench ./test/bench/unary ./internal/service >> bin/bench.txt || exit 1; done
	$(STAT) -col '/way@(plain gateway refresh keys limits tls unset ratio sampled)' bin/bench.txt

# How long `make chaos` and `make chaos-replicas` run at least, and the seed of their experiments.
CHAOS_SECONDS ?= 60
SEED          ?= 1

.PHONY: chaos
chaos: ## Inject faults into a real gateway and check its promises; SEED repeats a run, bin/chaos.json is the report
	@$(GO) build -ldflags '$(LDFLAGS)' -o bin/server ./cmd/server
	@$(GO) run ./test/chaos -server bin/server -seconds $(CHAOS_SECONDS) -seed $(SEED)

.PHONY: chaos-replicas
chaos-replicas: ## Inject faults into three replicas, their Redis and the networks between them; bin/chaos-replicas.json is the report
	@$(GO) build -ldflags '$(LDFLAGS)' -o bin/server ./cmd/server
	@$(GO) run ./test/chaos -replicas 3 -server bin/server -seconds $(CHAOS_SECONDS) -seed $(SEED) \
		-report bin/chaos-replicas.json -log bin/chaos-replicas.log

# The clients and steps that `make interop` plays, separated by commas; empty means all. Builds run at the same time and
# all need the protos, which come first.
LANGS ?=
STEPS ?=

.PHONY: interop
interop: client-protos ## Play one scenario with the client of each language, and print a matrix; LANGS and STEPS select some
	@$(GO) build -ldflags '$(LDFLAGS)' -o bin/server ./cmd/server
	@$(GO) run ./test/interop -server bin/server -langs '$(LANGS)' -steps '$(STEPS)' $(if $(filter true,$(CI)),-ci)

# The clients in clients/ that `make clients-check` checks.
CLIENTS ?= cpp java python rust typescript

.PHONY: clients-check
clients-check: client-protos ## Lint and test the clients in clients/ with the tools of their languages; CLIENTS selects some
	@tools/check/clients.sh $(CLIENTS)

.PHONY: dashboard-check
dashboard-check: build ## Lint the dashboard and test it in a browser (needs Node, npm and Chromium)
	@tools/check/dashboard.sh test

.PHONY: screenshots
screenshots: build ## Take the screenshots of the dashboard in docs/images
	@tools/check/dashboard.sh screenshots

.PHONY: model
model: ## Check twelve thousand random histories against a model, and count the rules that they test
	$(GO) test -v ./test/rosterrules -run TestRules -rapid.checks=36000
	$(GO) test -v ./test/histories -run TestModel -model.histories=12000

# The first seed of the histories of replicas is SEED, as for chaos.
.PHONY: model-replicas
model-replicas: ## Check two hundred random histories of three replicas on one Redis, and count the promises that they test
	$(GO) test -v ./test/replicahistories -replicas.histories=200 -replicas.seed=$(SEED)

.PHONY: mutants
mutants: ## Break one rule at a time; the tests of that rule must fail
	@$(GO) run ./tools/mutants $(MUTANT)

.PHONY: check
check: test $(CHECKS) ## Run everything that CI runs

.PHONY: checks
checks: ## Print the targets that check runs after test
	@echo $(CHECKS)

lint_tool  = cd $(CURDIR)/$(1) && $(GO) tool -modfile=$(CURDIR)/tools/lint/go.mod golangci-lint run -c $(CURDIR)/.golangci.yml ./...

.PHONY: lint
lint: proto-deps ## Lint Go and proto; the first run builds the linter, which takes minutes
	$(LINT) run ./...
	@$(foreach tool,$(TOOLS),$(call lint_tool,$(tool)) &&) true
	$(BUF) lint
	$(BUF) format --diff --exit-code proto

.PHONY: fmt
fmt: ## Format Go and proto
	$(LINT) fmt ./...
	$(BUF) format --write proto

.PHONY: generate
generate: proto-deps ## Generate gen/ and the other files that come from the proto
	$(BUF) generate
	$(GO) generate ./...

# The third-party protos, from the Go modules that the service links.
.PHONY: proto-deps
proto-deps:
	@$(GO) run ./tools/protoexport .proto-deps

# The protos that the clients of clients/ generate their code from.
.PHONY: client-protos
client-protos:
	@$(GO) run ./tools/clientproto .client-protos

.PHONY: generate-drift
generate-drift: ## Fail if generated files differ from the output of generate, or are not in git
	@tools/check/drift.sh

.PHONY: breaking
breaking: proto-deps ## Fail on a proto change that breaks clients of the last release
	@tools/check/breaking.sh

.PHONY: vulnerabilities
vulnerabilities: ## Find known vulnerabilities (needs the Go vulnerability database, or GOVULNDB)
	@tools/check/vulnerabilities.sh

.PHONY: docs-check
docs-check: ## Run the commands of the documents and compare their output (needs curl, jq, Python and Node)
	@$(GO) run ./tools/doccheck

.PHONY: api-check
api-check: ## Test the running gateway with its OpenAPI document (needs Python; INSTALL=1 installs schemathesis)
	@tools/check/schemathesis.sh

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME; FUZZ selects some
	@tools/check/fuzz.sh
