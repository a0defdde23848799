# Every habit as one target. `make` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

CARGO ?= cargo
PYTHON3 ?= python3
TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
# The demo and the tests share this one build; `release` is for `bench` and `install`.
SECTORLAKE := $(TARGET_DIR)/debug/sectorlake
SECTORLAKE_RELEASE := $(TARGET_DIR)/release/sectorlake
# Where the demo keeps its lake: the project's own, so that any later command finds it.
LAKE ?= lake
BENCH_DIR ?= $(TARGET_DIR)/bench
BENCH_ARGS ?=
DIR ?=
VENV := tests/.venv
VENV_BENCH := tests/.venv-bench
VENV_SERVERS := tests/.venv-servers

export SECTORLAKE_BIN := $(SECTORLAKE)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the binary that demo and tests share (dev profile, optimised dependencies)
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing: install it from https://rustup.rs, the toolchain is chosen by rust-toolchain.toml" >&2; exit 1; }
	@# Naming the end-to-end tests makes Cargo choose the same features for the demo's binary as for the tests. Without them wiremock's
	@# wishes would have hyper, and with it reqwest, DataFusion and Delta, compiled a second time.
	$(CARGO) build --locked --workspace --bin sectorlake --test e2e

.PHONY: demo
demo: build ## load real files of three sectors into lake/ and ask across them
	@bash tests/demo/demo.sh "$(SECTORLAKE)" "$(LAKE)"

.PHONY: deps
deps: $(VENV)/installed $(VENV_SERVERS)/installed ## what the tests need beside Rust: pinned Python readers and servers (S3, FTP, WebDAV), PostgreSQL and MariaDB
	@bash tests/deps/servers.sh

.PHONY: test
test: build ## all tests: Rust, then other makers' readers on the demo lake
	$(CARGO) test --locked --workspace
	@bash tests/openness/run.sh "$(SECTORLAKE)" "$(VENV)/bin/python"

.PHONY: corpus
corpus: build ## load the real files that may be used but not passed on: make corpus DIR=folder
	@bash tests/corpus/elsewhere/check.sh "$(SECTORLAKE)" "$(DIR)"

# How long each decoder is tried on broken bytes in `soak`.
FUZZ_SECONDS ?= 600
# Random cases of a property. What drives the engine or the storage takes hours with so many: PROPTEST_CASES=1000 is the short form.
PROPTEST_CASES ?= 20000

.PHONY: soak
soak: build ## the long forms of the tests (kill -9 in a loop, an hour of 10,000 vehicles, more random cases, broken bytes for FUZZ_SECONDS a decoder)
	SECTORLAKE_SOAK=1 PROPTEST_CASES=$(PROPTEST_CASES) FUZZ_SECONDS=$(FUZZ_SECONDS) $(CARGO) test --locked --workspace
	@echo "sectorlake soak: all passed"

.PHONY: lint
lint: ## formatting and clippy; a warning fails
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

.PHONY: fmt
fmt: ## format the code
	$(CARGO) fmt --all

.PHONY: doc
doc: ## the API pages; a warning fails
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

.PHONY: bench
bench: $(VENV_BENCH)/installed ## speed and memory beside DuckDB, Polars and dlt, on data made from a seed
	$(CARGO) build --locked --release --workspace --bin sectorlake --example decode --example read
	$(VENV_BENCH)/bin/python tests/bench/bench.py --binary "$(SECTORLAKE_RELEASE)" --dir "$(BENCH_DIR)" $(BENCH_ARGS)

.PHONY: install
install: ## build the release binary and put it into Cargo's bin folder
	$(CARGO) install --locked --path crates/cli

.PHONY: clean
clean: ## remove what was built, the demo lake and the virtual environments
	$(CARGO) clean
	rm -rf lake $(VENV) $(VENV_BENCH) $(VENV_SERVERS)

$(VENV)/installed: tests/deps/requirements.txt
$(VENV_BENCH)/installed: tests/deps/bench.txt
$(VENV_SERVERS)/installed: tests/deps/servers.txt
%/installed:
	@bash tests/deps/venv.sh "$(PYTHON3)" "$*" "$<"
