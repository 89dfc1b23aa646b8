# Everything a newcomer, a developer and CI do. `make` alone lists it.
# Needs make and a Python of at least 3.11 (PYTHON=… names one), and brings the rest into .venv and .venv-peer.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV    := .venv
PEER    := .venv-peer
BIN     := $(VENV)/bin
WORKERS ?= 2

# Only what is pinned may come: nothing is resolved, nothing is built.
PIP     := -m pip --disable-pip-version-check --no-input --quiet
INSTALL := $(PIP) install --no-deps --only-binary :all:

export METERWRIGHT_PEER_PYTHON ?= $(CURDIR)/$(PEER)/bin/python

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(VENV)/.installed ## see three simulated meters take a new firmware, one be interrupted, and resume
	$(BIN)/meterwright demo

.PHONY: test
test: env ## run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

.PHONY: check
check: format-check lint types imports docs ## format, lint, types, layers, docs: all without changing a file

.PHONY: bench
bench: env ## print speed beside the peer's
	$(BIN)/python tests/bench/run.py $(ARGS)

.PHONY: soak
soak: env ## run the long tests: many more examples, and what is marked soak
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --hypothesis-profile soak --timeout 3600 \
		-m "soak or not soak" $(ARGS)

.PHONY: docs
docs: $(VENV)/.tools $(VENV)/.installed ## build the documentation into build/docs
	$(BIN)/python -m tools.generate_docs docs/_generated
	$(BIN)/python -m sphinx -E -W -n --keep-going -q -b html docs build/docs

.PHONY: format
format: $(VENV)/.tools ## format the source and mend what ruff can mend
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

.PHONY: pins
pins: $(VENV)/.created ## make requirements/*.txt anew from pyproject.toml
	$(BIN)/python tools/pin.py

.PHONY: env
env: $(VENV)/.tools $(VENV)/.installed $(PEER)/.created ## make both environments

.PHONY: clean
clean: ## remove all that was made, the environments too
	rm -rf $(VENV) $(PEER) build dist docs/_generated .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache
	find src tests tools docs examples -name __pycache__ -type d -prune -exec rm -rf {} +

# The parts of `make check`.

.PHONY: format-check lint types imports
format-check: $(VENV)/.tools
	$(BIN)/ruff format --check

lint: $(VENV)/.tools
	$(BIN)/ruff check

types: $(VENV)/.tools $(VENV)/.installed
	$(BIN)/mypy
	$(BIN)/basedpyright

imports: $(VENV)/.tools $(VENV)/.installed
	$(BIN)/lint-imports --no-logo

# The environments. A stamp is newer than all it was made from, or it is made again.

$(VENV)/.created: requirements/build.txt requirements/run.txt tools/create-venv.sh
	tools/create-venv.sh $(VENV)
	$(BIN)/python $(INSTALL) -r requirements/build.txt -r requirements/run.txt
	@touch $@

$(VENV)/.tools: $(VENV)/.created requirements/dev.txt
	$(BIN)/python $(INSTALL) -r requirements/dev.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(BIN)/python $(PIP) install --no-deps --no-build-isolation --editable .
	$(BIN)/python $(PIP) check
	@touch $@

$(PEER)/.created: requirements/peer.txt tools/create-venv.sh
	tools/create-venv.sh $(PEER)
	$(PEER)/bin/python $(INSTALL) -r requirements/peer.txt
	$(PEER)/bin/python $(PIP) check
	@touch $@
