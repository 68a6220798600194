# `make audit` and `make test` need only Python 3.11 or newer, make, and a network with PyPI and npm.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
# `make test TORCH=2.13.0` installs that version of PyTorch, transformers and JAX, and compares with them, too.
TORCH :=
# Processes that run tests; `auto` is one for each core.
WORKERS := auto
# Each process computes in one thread: more would wait for each other's cores.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
PYTEST = $(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cpu 20

.PHONY: audit test slow-test torch fast-test lint build docs changelog clean help bench
.DEFAULT_GOAL := help

help: ## what there is to make
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(INSTALLED): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

audit: $(INSTALLED) $(if $(TORCH),torch) ## set up what is missing, then audit this library
	$(ONE_THREAD) $(BIN)/obligations audit --jobs auto

build: $(INSTALLED) ## compile the Lean library
	$(BIN)/obligations build

test: lint $(if $(TORCH),torch) ## set up what is missing, then run the tests, Lean-backed ones included
	$(PYTEST) -m 'not slow'

slow-test: $(INSTALLED) $(if $(TORCH),torch) ## the tests that `make test` leaves out: all planted errors, memory, large sizes, long pages
	$(PYTEST) -m slow

torch: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'torch==$(TORCH)' 'transformers==5.24.0' 'jax>=0.5'

fast-test: $(INSTALLED) ## the tests that need no Lean
	$(PYTEST) -m 'not lean and not slow'

lint: $(INSTALLED) ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED) $(if $(TORCH),torch) ## measure against torch and JAX (installs both; about five minutes)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m benchmarks

docs: $(INSTALLED) ## build the documentation site into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "open build/site/index.html"

changelog: $(INSTALLED) ## show what the next version's changelog will say
	$(BIN)/towncrier build --draft --version next --date 'not released yet'

clean: ## remove the virtual environment (the Lean engine stays in the user's cache)
	rm -rf $(VENV)
