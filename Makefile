# make demo   sets up what is missing, builds, and shows one ticket being triaged
# make test   everything that passes or fails
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/triagraph
export CARGO_TARGET_DIR ?= $(CACHE)/target
export TRIAGRAPH_MODELS ?= $(CACHE)/models
TRIAGRAPH := $(CARGO_TARGET_DIR)/debug/triagraph
DEMO := $(CACHE)/demo
SOURCES := $(addprefix datasets/demo/,cmdb knowledge alerts tickets)

.PHONY: help demo test setup build models test-models test-tools format lint clean-demo

help:
	@sed -n 's/^# make/make/p' Makefile

setup:
	@bash .ci/setup

build: setup
	cargo build --locked --workspace

models: build
	@$(TRIAGRAPH) models pull all-MiniLM-L6-v2

demo: models
	@# A desk that an earlier version left may want another index.
	@[ ! -d $(DEMO) ] || $(TRIAGRAPH) --data $(DEMO) status >/dev/null 2>&1 || $(TRIAGRAPH) --data $(DEMO) reindex
	@$(TRIAGRAPH) --data $(DEMO) ingest $(SOURCES)
	@echo
	@$(TRIAGRAPH) --data $(DEMO) triage --file datasets/demo/incoming/ticket.json
	@echo
	@echo "Serve this desk over HTTP:  $(TRIAGRAPH) --data $(DEMO) serve"
	@echo "then open                   http://127.0.0.1:7878/docs"

clean-demo:
	rm -rf $(DEMO)

# The small language model is for tests only.
test-models: models
	@$(TRIAGRAPH) models pull SmolLM2-135M-Instruct

# Schemathesis asks the HTTP interface whether it keeps its word; for tests only.
TOOLS := $(CACHE)/schemathesis
install-tools = rm -rf $(TOOLS).part && python3 -m pip install --quiet --disable-pip-version-check --target $(TOOLS).part -r tests/openapi/requirements.txt
test-tools: setup
	@[ -d $(TOOLS) ] || { ($(install-tools) || { sleep 5; $(install-tools); }) && mv $(TOOLS).part $(TOOLS); }

format: setup
	cargo fmt --all --check

lint: setup
	cargo clippy --locked --workspace --all-targets -- -D warnings

test: format lint test-models test-tools demo
	TRIAGRAPH_REQUIRE_MODELS=1 TRIAGRAPH_REQUIRE_TOOLS=1 cargo test --locked --workspace
