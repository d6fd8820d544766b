# carbonpanel: every target works from a fresh clone; the environment lives in .venv
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
JOBS   ?= 2

export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run test lint nightly bench docs parity montecarlo simulate clean setup

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## the environment only

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "carbonpanel needs Python 3.11 or newer as '$(PYTHON)'; set PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "carbonpanel needs Python 3.11 or newer; '$(PYTHON)' is older. Set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install -qq --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $(STAMP)

run: $(STAMP) ## build the warehouse, validate it, estimate every study
	$(BIN)/carbonpanel run

test: lint ## linters, then every test
	$(BIN)/python -m pytest -n $(JOBS) --no-loadscope-reorder -m "not nightly"

lint: $(STAMP) ## ruff, mypy, sqlfluff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar models dbt_project/data_tests dbt_project/analyses

nightly: $(STAMP) ## the long trials: 50 kills, five hash seeds, the full coverage study
	$(BIN)/python -m pytest -n $(JOBS) --no-loadscope-reorder -m "nightly"

bench: $(STAMP) ## speed as ratios against peers, measured in one run
	$(BIN)/python -m benchmarks

docs: $(STAMP) ## the warehouse's documentation as one offline page, target/static_index.html
	$(BIN)/carbonpanel refresh
	$(BIN)/dbt docs generate --static

parity: $(STAMP) ## docs/parity.md from the reference tests
	CARBONPANEL_PARITY=docs/parity.md $(BIN)/python -m pytest tests/reference -m "not nightly"

montecarlo: $(STAMP) ## docs/monte-carlo.md from the trials at full length, 1,000 panels each
	CARBONPANEL_MONTE_CARLO=docs/monte-carlo.md $(BIN)/python -m pytest -n $(JOBS) tests/monte_carlo -m "nightly"

simulate: $(STAMP) ## draw the demo world again: the same bytes into seeds/raw and seeds/truth
	$(BIN)/python -m analysis_py.simulate

clean: ## everything made here: environment, warehouse, caches
	rm -rf $(VENV) warehouse target logs build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
