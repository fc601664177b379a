# One door: `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export OMP_NUM_THREADS ?= 1

.PHONY: help install build quality quality-pages test test-long lint audit docs clean bench bench-allocation bench-impact test-metrics check-superset test-snowflake test-snowflake-live

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# Installed once per change of the lock: the stamp is what the other targets depend on.
$(VENV)/.installed: requirements/test.lock pyproject.toml pgpy/pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: install it, or say make PYTHON=/path/to/python"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/test.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e . -e ./pgpy
	@touch $@

install: $(VENV)/.installed ## install the locked packages into .venv

build: install ## run the whole pipeline on DuckDB with the shipped sample
	$(BIN)/dbt build

quality: install ## the gates of the inputs alone, for CI of your data: make quality VARS='{input_schema: raw, nba_cycle_start: "2026-01-05"}'
	$(BIN)/dbt build --select +gate_input_quality --exclude-resource-type unit_test --vars '$(or $(VARS),{})'

quality-pages: install ## what the gates found in the last build, as data docs in target/gates
	$(BIN)/nba quality --pages target/gates --vars '$(or $(VARS),{})'

test: install ## run every test
	$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/unit tests/math tests/pgpy tests/pipeline -m "not long"

test-long: install ## the full counts: large worlds and many random instances
	$(BIN)/python -m pytest -q tests/unit tests/math tests/pgpy tests/pipeline -m long

.venv-metrics/.installed: requirements/metrics.lock pyproject.toml
	$(PYTHON) -m venv .venv-metrics
	.venv-metrics/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/metrics.lock
	.venv-metrics/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

test-metrics: install .venv-metrics/.installed ## the answers of MetricFlow beside SQL over published
	NBA_MF=$(CURDIR)/.venv-metrics/bin/mf $(BIN)/python -m pytest -q tests/metrics

.venv-superset/.installed: requirements/superset.lock
	$(PYTHON) -m venv .venv-superset
	.venv-superset/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/superset.lock
	@touch $@

check-superset: install .venv-superset/.installed ## Apache Superset logs in, reads the published tables from PostgreSQL and draws a chart
	$(BIN)/python -m bi.superset_check --superset .venv-superset/bin

.venv-snowflake/.installed: requirements/snowflake.lock
	$(PYTHON) -m venv .venv-snowflake
	.venv-snowflake/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/snowflake.lock
	@touch $@

test-snowflake: .venv-snowflake/.installed ## build twice on an emulated Snowflake account, beside DuckDB
	.venv-snowflake/bin/python -m pytest -q -rs --confcutdir tests/snowflake tests/snowflake

test-snowflake-live: .venv-snowflake/.installed ## the smoke test on a live account: docs/snowflake_live.md
	.venv-snowflake/bin/python -m pytest -q -rs --confcutdir tests/snowflake tests/snowflake/test_live.py

.venv-lint/.installed: requirements/lint.lock
	$(PYTHON) -m venv .venv-lint
	.venv-lint/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/lint.lock
	@touch $@

lint: .venv-lint/.installed ## ruff, sqlfluff, yamllint
	.venv-lint/bin/ruff check .
	.venv-lint/bin/ruff format --check .
	.venv-lint/bin/yamllint --strict .
	.venv-lint/bin/sqlfluff lint --processes 2 models python_models tests/data

.venv-audit/.installed: requirements/audit.lock
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/audit.lock
	@touch $@

audit: .venv-audit/.installed ## ask the public advisories about every locked package; needs the network, docs/security.md
	@for lock in core test lint snowflake; do echo "requirements/$$lock.lock"; \
		.venv-audit/bin/pip-audit --progress-spinner off --strict --disable-pip --require-hashes -r requirements/$$lock.lock || exit 1; done

docs: install ## generate the dbt documentation into target/
	$(BIN)/dbt docs generate

.venv-bench/.installed: requirements/bench.lock pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/bench.lock
	.venv-bench/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

bench-allocation: .venv-bench/.installed ## allocation beside its peers, 2k to 1M HCPs: hours; a repeated run goes on where it stopped
	.venv-bench/bin/python -m benchmarks.allocation.run $(BENCH)
	.venv-bench/bin/python -m benchmarks.allocation.report

.venv-bench-impact/.installed: requirements/bench-impact.lock pyproject.toml
	$(PYTHON) -m venv .venv-bench-impact
	.venv-bench-impact/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/bench-impact.lock
	.venv-bench-impact/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

bench-impact: .venv-bench-impact/.installed ## impact beside heuristics, learners and a causal forest, on worlds with a known truth: hours
	.venv-bench-impact/bin/python -m benchmarks.impact.run $(BENCH)
	.venv-bench-impact/bin/python -m benchmarks.impact.report

.venv-bench-pipeline/.installed: requirements/bench-pipeline.lock pyproject.toml
	$(PYTHON) -m venv .venv-bench-pipeline
	.venv-bench-pipeline/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/bench-pipeline.lock
	.venv-bench-pipeline/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

bench: .venv-bench-pipeline/.installed ## the whole pipeline and its parts beside peers, 10k and 50k HCPs (BENCH="--hcps 1000000": a million)
	@.venv-bench-pipeline/bin/python -m benchmarks.pipeline.run $(BENCH); status=$$?; \
		.venv-bench-pipeline/bin/python -m benchmarks.pipeline.report && exit $$status

clean: ## remove what build and test made
	rm -rf target logs .pytest_cache .ruff_cache
