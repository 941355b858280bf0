.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.locked
# The tests wait more than they work. Each worker has a stack of its own, about 1.5 GB.
WORKERS ?= 3

# Compiled once, a module serves every process of a run.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run demo test check bench fmt protos lock clean
help:      ## what each target does
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: put python3.11 on PATH or set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing the locked dependencies (once, about a minute)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: $(STAMP)      ## the whole system on this machine, until Ctrl-C
	@$(BIN)/hireflow up

demo: $(STAMP)      ## from publishing to Done Hiring on a fresh stack, shown live and proved
	@$(BIN)/hireflow demo

test: $(STAMP)      ## every test, on the real parts
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(STAMP)      ## format, lint, types, the import law, protos, and that every test is found
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python protos/generate.py --check
	@set -o pipefail; $(BIN)/pytest --collect-only --quiet | { grep -v '^tests/.*::' || true; }

bench: $(STAMP)      ## measure beside floors, about a quarter of an hour
	@$(BIN)/python -m benchmarks --save

fmt: $(STAMP)      ## format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

protos: $(STAMP)      ## regenerate the stubs and documents made from the protos
	@$(BIN)/python protos/generate.py

lock: $(STAMP)      ## resolve the dependencies anew, pinned by hash
	@$(BIN)/uv pip compile --generate-hashes --no-emit-index-url --no-header --quiet --python-version 3.11 --extra local --extra dev pyproject.toml -o requirements.lock

clean:      ## remove the virtual environment and local data
	@rm -rf .venv .hireflow
