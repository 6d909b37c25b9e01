# Verbs of the project. `make refresh` and `make test` are all that a new user needs.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
DATA := $(or $(BREAKEVEN_DATA),$(CURDIR)/data)

.PHONY: help setup refresh test check lint types docs bench faults fuzz clean lock audit ui daemon

help:
	@echo "make refresh   set up if needed, then ingest, build, check and publish (ARGS=\"--offline\" and others are passed on)"
	@echo "make test      set up if needed, then run all tests"
	@echo "make setup     make .venv from the lock"
	@echo "make check     what a commit must pass in minutes: lint, types, unit tests, conventions"
	@echo "make lint      formatter and linter       make types   type checker"
	@echo "make docs      write the generated pages  make bench   benchmarks"
	@echo "make fuzz      changed answers to every parser; ARGS=\"1000000\" for a million"
	@echo "make faults    every fault as a table (kills, full disks, networks that misbehave, damaged files)"
	@echo "make ui        Dagster's web pages        make daemon  schedule and sensors"
	@echo "make audit     known vulnerabilities of every locked dependency; needs the package index"
	@echo "make lock      renew requirements.lock    make clean   remove .venv and caches (data/ stays)"

setup:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { echo "setup: there is no $(PYTHON); expected Python 3.11 to 3.14: make setup PYTHON=<path of one>" >&2; exit 1; }
	@"$(PYTHON)" scripts/bootstrap.py

# A recipe cannot pass exit code 3 on: published, but a source that was tried is not well. That is a success, and it is said.
refresh: setup
	@$(BIN)/breakeven refresh $(ARGS); code=$$?; \
	if [ $$code -eq 0 ]; then echo "make refresh: good (exit code 0)"; \
	elif [ $$code -eq 3 ]; then echo "make refresh: published, but some sources could not be refreshed (exit code 3; see the table above)"; \
	else exit $$code; fi

# Two workers: a refresh uses one core for most of its time.
WORKERS ?= 2

test: setup
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal $(ARGS)

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal tests/unit tests/conventions $(ARGS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup
	@$(BIN)/mypy

docs: setup
	@$(BIN)/python -m pipelines.catalogue.dictionary
	@$(BIN)/python -m pipelines.quality.documentation
	@$(BIN)/python -m pipelines.ingest.documentation
	@$(BIN)/python -m deploy.superset.write_datasets
	@$(BIN)/python -m tests.unit.economics.validation_page

# As docs/benchmarks.md has them; BREAKEVEN_BENCH=small takes minutes and asserts what is not a time.
bench: setup
	@$(BIN)/python -m pytest -q -s tests/benchmarks $(ARGS)

# Every fault as a table; ARGS=network takes those whose name has the word. Kills of whole refreshes: BREAKEVEN_FAULTS_KILLS (25).
faults: setup
	@$(BIN)/python -m tests.faults $(ARGS)

# Changed answers to every parser of a source; ARGS="1000000 7" for a million of them from seed 7.
fuzz: setup
	@$(BIN)/python -m tests.fuzz $(ARGS)

ui: setup
	@mkdir -p "$(DATA)/dagster" && cp pipelines/dagster.yaml "$(DATA)/dagster/dagster.yaml"
	@DAGSTER_HOME="$(DATA)/dagster" $(BIN)/dagster-webserver -h 127.0.0.1 -w workspace.yaml $(ARGS)

# As `breakeven` does for itself: the runs that it starts give memory back at once.
daemon: setup
	@mkdir -p "$(DATA)/dagster" && cp pipelines/dagster.yaml "$(DATA)/dagster/dagster.yaml"
	@_RJEM_MALLOC_CONF="$${_RJEM_MALLOC_CONF:-dirty_decay_ms:0,muzzy_decay_ms:0}" DAGSTER_HOME="$(DATA)/dagster" \
	  $(BIN)/dagster-daemon run -w workspace.yaml $(ARGS)

# Keeps the versions that the file has; ARGS=--upgrade takes newer ones, ARGS="--upgrade-package NAME" one. No folder of packages
# of this machine may leave its mark.
lock:
	@command -v uv >/dev/null 2>&1 || { echo "lock: uv is missing: pip install uv" >&2; exit 1; }
	env -u UV_FIND_LINKS -u PIP_FIND_LINKS uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --group dev $(ARGS) pyproject.toml -o requirements.lock

# Exit code 1: some are known; 3: not every dependency could be asked about.
audit:
	@"$(PYTHON)" scripts/audit.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
