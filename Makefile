# make demo   sets up what is missing, builds, and shows one ticket being triaged
# make test   everything that passes or fails
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/triagraph
export CARGO_TARGET_DIR ?= $(CACHE)/target
export TRIAGRAPH_MODELS ?= $(CACHE)/models
TRIAGRAPH := $(CARGO_TARGET_DIR)/debug/triagraph
DEMO := $(CACHE)/demo

.PHONY: help demo test setup build models format lint clean-demo

help:
	@sed -n 's/^# make/make/p' Makefile

setup:
	@bash .ci/setup

build: setup
	cargo build --locked --workspace --bins

models: build
	@$(TRIAGRAPH) models pull all-MiniLM-L6-v2

demo: models
	@$(TRIAGRAPH) --data $(DEMO) ingest --manifest datasets/manifest.toml
	@$(TRIAGRAPH) --data $(DEMO) triage --file datasets/demo/incoming/ticket.json

clean-demo:
	rm -rf $(DEMO)

format: setup
	cargo fmt --all --check

lint: setup
	cargo clippy --locked --workspace --all-targets -- -D warnings

test: format lint models
	@bash .ci/test-models $(TRIAGRAPH)
	@$(MAKE) --no-print-directory demo
	cargo test --locked --workspace
