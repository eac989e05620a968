# Stock Lab. `make run` and `make test` are all a newcomer needs; both prepare everything first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
UV_VERSION := 0.13.8
UV_LEAST := 0.9.0
UV_HOME := .cache/uv
# Real market files for the benchmarks; without them a synthetic market of the same size is measured.
BENCH_DATA ?= $(or $(STOCKLAB_TEST_DATA),$(wildcard ../shared/data))

# A Python of the system is used, never one that uv would download.
export UV_PYTHON_DOWNLOADS := never
# Trust what the system trusts: behind a company's proxy uv's own list of authorities is not enough.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS := true
endif
# The environment of the checkout, whatever is activated in the shell.
unexport VIRTUAL_ENV
# Without bytecode every process compiles what it imports anew, and every worker of the tests all of them.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run demo test test-fast lint check format bench bench-peers screenshots clean

help:  ## what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

setup: $(STAMP)  ## make a ready .venv; a second time costs nothing
	@:

$(STAMP): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null || { \
	  echo "Stock Lab needs Python 3.11, 3.12 or 3.13 and $(PYTHON) is not one."; \
	  echo "  Debian 12: sudo apt-get install -y python3 python3-venv   (or: make setup PYTHON=/path/to/python3.11)"; exit 1; }
	@set -e; uv=$$(command -v uv || true); \
	if [ -n "$$uv" ]; then \
	  have=$$("$$uv" --version 2>/dev/null | awk '{print $$2}'); \
	  [ -n "$$have" ] && [ "$$(printf '%s\n' $(UV_LEAST) "$$have" | sort -V | head -n 1)" = $(UV_LEAST) ] || uv=; \
	fi; \
	if [ -z "$$uv" ]; then \
	  uv=$(UV_HOME)/bin/uv; \
	  if [ "$$("$$uv" --version 2>/dev/null | awk '{print $$2}')" != $(UV_VERSION) ]; then \
	    $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	      echo "$(PYTHON) cannot make virtual environments: its venv module is missing."; \
	      echo "  Debian: sudo apt-get install -y python3-venv"; exit 1; }; \
	    echo "Fetching uv $(UV_VERSION) into $(UV_HOME)"; \
	    rm -rf $(UV_HOME); $(PYTHON) -m venv $(UV_HOME); \
	    $(UV_HOME)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); \
	  fi; \
	fi; \
	[ -x $(BIN)/python ] || "$$uv" venv --quiet --python "$$(command -v $(PYTHON))" $(VENV); \
	"$$uv" sync --frozen --quiet
	@echo "Compiling the engine, once (about a minute)"; $(BIN)/python -m stocklab.research.compile_ahead >/dev/null
	@command -v chromium >/dev/null || { \
	  echo "Not on this system: chromium. The app does not need it; the browser tests and 'make screenshots' do."; \
	  echo "  Debian: sudo apt-get install -y chromium fonts-noto-cjk"; }
	@touch $@

run: setup  ## serve the app (with a demo market when there is no data): http://127.0.0.1:8501
	@exec $(BIN)/stocklab up

demo: setup  ## (re)build the synthetic demo market in STOCKLAB_HOME
	@$(BIN)/stocklab demo

test: setup  ## the whole test suite with coverage, at least 95 % of the lines of stocklab/
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -q --cov=stocklab --cov-report=term:skip-covered --cov-fail-under=95

test-fast: setup  ## the suite without real data and without a browser
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -q -m "not realdata and not browser"

lint: setup  ## format, lint, types, import contracts, documents, lock file
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted: make format"; exit 1; }
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q tests/house
	@uv=$$(command -v uv || echo $(UV_HOME)/bin/uv); [ ! -x "$$uv" ] || "$$uv" lock --check --quiet || { \
	  echo "uv.lock does not match pyproject.toml: uv lock"; exit 1; }

check: lint test  ## everything that must hold before a change is merged

format: setup  ## put the code in its one form
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

bench: setup  ## print the speed and memory figures
	@status=0; $(BIN)/stocklab bench $(if $(BENCH_DATA),--data $(BENCH_DATA)) || status=1; \
	$(BIN)/python benchmarks/ui.py $(if $(BENCH_DATA),--data $(BENCH_DATA)) || status=1; exit $$status

bench-peers: setup  ## time vectorbt, bt and backtrader beside it, in an environment of their own
	@$(BIN)/python benchmarks/peers.py $(if $(BENCH_DATA),--data $(BENCH_DATA))

screenshots: setup  ## photograph every page (both languages, both widths) into build/screenshots
	@$(BIN)/python benchmarks/screenshots.py --out build/screenshots

clean:  ## remove what can be made again (never STOCKLAB_HOME)
	rm -rf $(VENV) $(UV_HOME) build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find stocklab tests pages benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
