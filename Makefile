# Two commands do all the set-up: `make serve` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WARM := $(VENV)/.warm

# Half of a test's time is waiting for a process, a database or a socket: two for each core.
JOBS ?= $(shell expr 2 \* $$(nproc 2>/dev/null || echo 2))

export PYTHONHASHSEED ?= 0

.PHONY: help setup serve test test-full faults lint bench load screenshots report-pages report-detectors notebooks lock clean browser postgres redis nginx node

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-17s %s\n", $$1, $$2}'

setup: $(STAMP) ## Make the environment .venv with the locked versions

$(STAMP): requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed (set PYTHON=...)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-uv.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(WARM): $(STAMP) $(shell find opportunity -name '*.py')
	@$(BIN)/opportunity warm
	@touch $@

serve: setup $(WARM) ## Run the agent, the page and the API on 127.0.0.1:8000 (ARGS="--port 9000")
	@$(BIN)/opportunity serve $(ARGS)

test: setup browser postgres redis nginx node ## Everything CI runs: lint, types, layers, tests, notebooks
	@# Once, beside the linters: else each of the test processes would compile the same kernels.
	@$(BIN)/opportunity warm --research & warm=$$!; $(MAKE) --no-print-directory lint && wait $$warm
	$(BIN)/python -m pytest -m "not slow and not alone and not exact" -n $(JOBS) --dist loadfile
	$(BIN)/python -m pytest -m "not slow and alone" -n 2 --dist loadfile
	$(BIN)/python -m pytest -m "not slow and exact"
	$(MAKE) --no-print-directory notebooks

test-full: setup browser postgres redis nginx node lint ## The tests, the long ones and more examples of each property
	HYPOTHESIS_PROFILE=full $(BIN)/python -m pytest
	$(MAKE) --no-print-directory notebooks

faults: setup postgres ## Hundreds of kill -9, failing disks, lost servers: what was promised is kept
	$(BIN)/python -m pytest tests/faults

lint: setup ## Style, types and the layers of the rooms
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

notebooks: setup ## Execute every notebook and compare its checked outputs
	$(BIN)/python -m pytest --nbval-lax -p no:warnings notebooks

browser: # The page's tests need a Chromium: Debian's where we may install, Playwright's elsewhere
	@sh tests/browser/install.sh $(BIN)

node: # Some tests use wscat and the TypeScript compiler: npm's, in a temporary folder
	@sh tests/node_install.sh

postgres: # Tests of the database need a PostgreSQL and strace: Debian's where we may install
	@sh tests/postgres_install.sh

redis: # Tests of several processes need a Redis: Debian's where we may install
	@sh tests/redis_install.sh

nginx: # Tests of docs/deploy need nginx and Prometheus: Debian's where we may install
	@sh tests/deploy/install.sh

bench: setup ## Measure the kernels and the whole way of a bar
	$(BIN)/python -m tests.benchmarks

load: setup $(WARM) ## 5,000 WebSocket clients for 10 minutes, deaf ones, kill -9 (ARGS="--clients 500 --seconds 60")
	$(BIN)/python -m tests.load $(ARGS)

screenshots: setup browser ## Pictures of every page, dark and light, for docs/pictures/pages
	$(BIN)/python -m tests.browser.screenshots

report-pages: setup $(WARM) ## What open pages cost, as docs/reports/pages.md
	$(BIN)/python -m tests.benchmarks.pages

report-detectors: setup ## What the detectors knew of recorded bars, as docs/reports (DATA=folder)
	$(BIN)/python -m tests.benchmarks.report_detectors $(DATA) $(ARGS)

COMPILE := uv pip compile --quiet --generate-hashes --no-annotate --no-header --no-emit-index-url --universal --python-version 3.11

lock: ## Resolve the versions anew (needs uv); hashes, no addresses
	$(COMPILE) --extra postgres --extra redis --extra research --extra tracing --extra test --group setup pyproject.toml --output-file requirements.lock
	echo uv | $(COMPILE) - --output-file requirements-uv.lock

clean: ## Remove the environment and everything made by tools
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache tests/artifacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
