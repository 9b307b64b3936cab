# Weir. 'make help' lists the targets.
GO      ?= go
BIN     := bin/weir
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/weirstream/weir/internal/cli.Version=$(VERSION)

.PHONY: help build demo test simulate acceptance bench fuzz lint fmt web clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

build: ## build bin/weir
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/weir

demo: build ## run the web-analytics example end to end
	$(BIN) demo

test: ## run the tests; needs nothing but Go
	GO="$(GO)" ./test/race

simulate: ## simulate SEEDS (10000) histories of event source mappings
	$(GO) test ./internal/mapping -run TestSimulation -seeds $(or $(SEEDS),10000) -timeout 30m

acceptance: build ## run the suites driven by real clients (Python, Node, Java, AWS CLI, browser)
	WEIR_BIN=$(CURDIR)/$(BIN) ./test/run

bench: build ## measure Weir and the peers that can be installed
	$(GO) run ./bench -weir $(BIN)

fuzz: ## run every fuzz target for FUZZTIME (30s)
	./test/fuzz $(or $(FUZZTIME),30s)

lint: ## check formatting and lint
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

fmt: ## format the source
	gofmt -w .

web: ## rebuild the console's web app
	cd web && npm ci && npm run build

clean: ## remove what was built
	rm -rf bin .weir
