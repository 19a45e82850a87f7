# `make` prints what there is to do
PYTHON ?= python3.11
VENV ?= .venv
PIP_ARGS ?=
ARGS ?=
PYTEST_ARGS ?=
# a process for each core, each with one thread of its own
PARALLEL = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile
BIN := $(VENV)/bin
PIP_INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt $(PIP_ARGS)

.DEFAULT_GOAL := help
.PHONY: help install train test test-all test-cluster test-gpu lint format bench clean

help: ## print this table
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A stamp says what was installed from which constraints; a second call finds it and does nothing.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.core

install: $(VENV)/.core ## make .venv and install the exact versions of constraints.txt

train: $(VENV)/.core ## train on packaged photographs, both stages (ARGS='experiment=… key=value')
	$(BIN)/srgan train $(ARGS)

test: $(VENV)/.dev ## run the tests that take minutes at most
	$(PARALLEL) -m 'not slow and not gpu and not cluster' $(PYTEST_ARGS)

test-all: $(VENV)/.dev ## run every test; a skip that is not allowed by name fails
	$(PARALLEL) -m 'not gpu and not cluster' --no-skips $(PYTEST_ARGS)
	$(MAKE) test-cluster  # alone: its jobs have time limits

test-cluster: $(VENV)/.dev ## run the tests on a Slurm that they start (apt: slurm-wlm, munge)
	$(BIN)/python -m pytest -m cluster --no-skips $(PYTEST_ARGS)

test-gpu: $(VENV)/.dev ## run the tests that need a CUDA device
	$(BIN)/python -m pytest -m gpu $(PYTEST_ARGS)

lint: $(VENV)/.dev ## ruff, ruff format and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev ## let ruff format and mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## run the benchmarks; each prints a table of ratios
	@for program in benchmarks/bench_*.py; do echo "== $$program"; $(BIN)/python $$program || exit 1; done

clean: ## remove caches and build products, not runs and not .venv
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
