# Every target that needs the Python environment makes it first; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTHON ?= python3

# The image's: `make image TAG=dev CONTAINER_ENGINE=podman`.
VERSION := $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' pyproject.toml)
IMAGE ?= isthmus
TAG ?= $(VERSION)
BASE_IMAGE ?= $(shell sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)
CONTAINER_ENGINE ?= docker

# How many files of tests on control planes run side by side: each takes half a core and some 2 GiB.
LANES ?= 2

.PHONY: help
help: ## Show the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: $(STAMP) ## Install the commands and the development tools into .venv/bin

$(STAMP): requirements/dev.txt requirements/uv.txt pyproject.toml
	@echo "==> Python environment in $(VENV) (hash-checked, a minute on a fresh machine)"
	@$(PYTHON) -c 'import sys; sys.exit("Isthmus needs Python 3.11 or newer; set PYTHON=/path/to/python3") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements/dev.txt
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)

.PHONY: tools
tools: install ## Find or build the Kubernetes control planes and Helm (10-12 minutes once, then cached)
	@$(BIN)/python -m testbed.binaries

.PHONY: demo
demo: install ## Run 240 jobs in the form of a GPU cluster trace over a hub and four members on this machine
	@$(BIN)/python -m testbed.binaries etcd kwok kubernetes helm4
	@$(BIN)/python -m demo

.PHONY: playground
playground: install ## Start a hub and three clusters on this machine for the tutorial and the examples
	@$(BIN)/python -m testbed.binaries etcd kwok kubernetes helm4
	@$(BIN)/python -m federation

.PHONY: trial-kueue
trial-kueue: install ## Build Kueue, run it under a member of a hub on this machine, and send jobs through it (minutes)
	@$(BIN)/python -m testbed.binaries etcd kwok kubernetes helm4
	@$(BIN)/python -m kueuetrial

.PHONY: docs
docs: install ## Build the documentation's site into build/site
	@$(BIN)/mkdocs build --strict --quiet
	@echo "build/site/index.html"

.PHONY: check
check: install ## Lint, types, layers and unit tests (under a minute)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache
	@$(BIN)/pytest --quiet --numprocesses=auto --dist=loadfile tests/unit

.PHONY: test
test: check verify tools ## Everything: check, verify, then the tests against real control planes
	@$(BIN)/python -m secondtry --numprocesses=$(LANES) --dist=loadfile -p secondtry.lanes tests/testbed tests/cluster tests/e2e

.PHONY: image
image: ## Build the hub's image; OFFLINE=1 fetches the wheels first, for a build that reaches no package index
	@$(CONTAINER_ENGINE) info >/dev/null 2>&1 || { echo "error: $(CONTAINER_ENGINE) does not answer: start it, or name another by CONTAINER_ENGINE" >&2; exit 1; }
	@rm -rf build/image/wheels
	@$(if $(OFFLINE),$(MAKE) --no-print-directory image-wheels)
	@$(CONTAINER_ENGINE) build --force-rm --tag $(IMAGE):$(TAG) --build-arg BASE_IMAGE=$(BASE_IMAGE) --build-arg VERSION=$(VERSION) \
	  --build-arg REVISION=$(shell git rev-parse HEAD 2>/dev/null) $(if $(OFFLINE),--network=none \
	  --build-arg PIP_NO_INDEX=1 --build-arg PIP_FIND_LINKS=/build --build-arg UV_OFFLINE=1 --build-arg UV_FIND_LINKS=/build) .

.PHONY: image-wheels
image-wheels: install
	@$(BIN)/python -m image.wheels $(CONTAINER_ENGINE) $(BASE_IMAGE) build/image/wheels

.PHONY: base-image
base-image: ## Make isthmus-base:bookworm and busybox:1.37 of Debian packages, where no registry can be reached (root)
	@hack/image/debian.sh $(CONTAINER_ENGINE) isthmus-base:bookworm busybox:1.37

.PHONY: e2e-kind
e2e-kind: install ## Make a hub and two members with kind, install the image and the chart, run the end-to-end suite
	@$(BIN)/pytest --provider=kind tests/e2e

.PHONY: generate
generate: install ## Render crds/, the chart's files and the reference pages from the models
	@$(BIN)/python -m generate

.PHONY: verify
verify: install ## Fail when a generated file differs from what the models render
	@$(BIN)/python -m generate --check

.PHONY: bench
bench: tools ## Measure a burst of 1,000 jobs over a hub and two members (some minutes)
	@PYTHONPATH=benchmarks $(BIN)/python -m burst

.PHONY: bench-placement
bench-placement: install ## Measure placement alone: batches against their bound and greedy, and single arrivals (minutes)
	@PYTHONPATH=benchmarks $(BIN)/python -m placement

.PHONY: bench-start
bench-start: tools ## Measure start and size with 10,000 finished jobs over 100 nodes (ten minutes)
	@PYTHONPATH=benchmarks $(BIN)/python -m start

.PHONY: bench-cli
bench-cli: tools ## Measure how long kubectl isthmus takes over 1,000 jobs (a minute)
	@PYTHONPATH=benchmarks $(BIN)/python -m cli

.PHONY: lock
lock: ## Resolve the requirements anew and pin them with hashes
	@cd requirements && for set in runtime dev; do \
	  ../$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
	    --python-version 3.11 --extra postgres ../pyproject.toml $$([ $$set = dev ] && echo --group ../pyproject.toml:dev) -o $$set.txt; done
	@cd requirements && ../$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url \
	  --no-header uv.in -o uv.txt
	@cd requirements && ../$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url \
	  --no-header --python-version 3.11 --constraint dev.txt build.in -o build.txt

.PHONY: clean
clean: ## Remove what the targets made in this checkout (the control planes' cache stays)
	@rm -rf build dist .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
