# Each target does all its own set-up: an environment in .venv, pinned by constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.tidewatt-ready
# A core a file; tests/conftest.py says in which order.
WORKERS ?= auto
RUN_TESTS := $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder
PEERS := tests/wire/node/node_modules/.package-lock.json

# An environment stays as it is until another interpreter is named than the one that made it.
INTERPRETER := import sys; print(sys.base_prefix, sys.version)
ifneq ($(origin PYTHON),file)
ifneq ($(shell $(PYTHON) -c '$(INTERPRETER)' 2>/dev/null),$(shell $(BIN)/python -c '$(INTERPRETER)' 2>/dev/null))
ANEW := made-by-another
endif
endif

export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
# Tests start many processes: none should have to compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-all faults mutations check format clean made-by-another
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## run the controller on a simulated building, live in this terminal
	@$(BIN)/tidewatt demo $(ARGS)

test: $(READY) ## the fast tests, at most three minutes
	@$(RUN_TESTS) -m "not slow" --hypothesis-profile=quick $(ARGS)

test-all: $(READY) $(PEERS) ## every test; only those on the reference records may skip
	@export TIDEWATT_STRICT_SKIPS=1; $(RUN_TESTS) $(ARGS)

faults: $(READY) $(PEERS) ## break everything on purpose; ARGS=--keep-table=docs/reliability.md keeps the table
	@export TIDEWATT_STRICT_SKIPS=1; $(RUN_TESTS) -p tests.fault_table -m fault $(ARGS)

mutations: $(READY) ## disable one rule at a time; some test must notice each; ARGS=fire chooses
	@$(BIN)/python -m tests.mutations.check $(ARGS)

check: $(READY) ## format, lint, types, imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-logo

format: $(READY) ## let ruff format the code and mend what it safely can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## remove the environment and everything that tools have cached
	@rm -rf $(VENV) tests/wire/node/node_modules dist build .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is newer than what it was made from, so a second run installs nothing.
$(READY): pyproject.toml constraints.txt $(ANEW)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'Tidewatt needs Python 3.11 or later as "$(PYTHON)"; name another with: make PYTHON=python3.12 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'Python cannot make environments here. On Debian: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Preparing $(VENV); this takes a minute or two the first time.'
	@test -z '$(ANEW)' -a -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip install -qq --disable-pip-version-check --constraint constraints.txt hatchling
	@$(BIN)/pip install -qq --disable-pip-version-check --constraint constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $@

# Servers and clients of the wire tests that come from npm; without npm those tests fail and say so.
$(PEERS): tests/wire/node/package.json tests/wire/node/package-lock.json
	@if command -v npm >/dev/null; then npm ci --prefix tests/wire/node --silent && touch $@; fi
