# Every target sets up what it needs: a virtual environment in .venv from the hashed lock file, nothing else on the machine.
VENV ?= .venv
BIN = $(VENV)/bin
SDKS_JS = tests/e2e/sdks/js/node_modules
# More processes than there are cores, since many tests wait for others and for screens; a module's tests stay in one of
# them, which makes their fixtures once; long modules stand first. At the lowest priority there is nothing below it: the
# worker, which is nice to whoever else computes, gets as much as the tests that wait for what it stores.
PYTEST = nice -n 19 $(BIN)/python -m pytest -n 4 --dist loadscope --no-loadscope-reorder

# Tests start hundreds of processes, each of which would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL = help
.PHONY: help demo test test-postgres lint types imports packaging check e2e-sdks e2e-agents accuracy bench faults fuzz lock clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.runtime ## Record an agent run through the real proxy and show where its tokens and dollars went
	@$(BIN)/llmprof demo $(ARGS)

test: $(VENV)/.dev ## Run the tests
	@$(PYTEST) $(ARGS)

test-postgres: $(VENV)/.dev ## Run the store's tests on a PostgreSQL server of their own (installs Debian's package where it may)
	@$(BIN)/python -m tests.store.server $(PYTEST) tests/store -k "postgresql" $(ARGS)

lint: $(VENV)/.dev ## Check style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check types, strictly
	@$(BIN)/mypy

imports: $(VENV)/.dev ## Check the dependency floors
	@$(BIN)/lint-imports --cache-dir .import_linter_cache

packaging: $(VENV)/.dev ## Build the wheel, install it elsewhere, run it
	@$(BIN)/python -m pytest tests/packaging -m packaging

check: test lint types imports packaging ## All of the above

e2e-sdks: $(VENV)-sdks/.dev $(SDKS_JS)/.installed ## Send the calls of a dozen SDKs, in Python and JavaScript, through the proxy
	@$(VENV)-sdks/bin/python -m pytest tests/e2e/sdks -rs --disable-warnings $(ARGS)

e2e-agents: $(VENV)/.dev .agents/node_modules/.installed ## Run real agents offline through the proxy (some 800 MB by npm)
	@$(BIN)/python -m pytest tests/e2e/agents -m agents -rs $(ARGS)

accuracy: $(VENV)/.dev ## Compare counts with recorded calls (CORPUS=DIR, by default ../shared/corpus)
	@$(BIN)/python -m tests.accuracy $(ARGS)

bench: $(VENV)/.dev ## Measure against a stock mitmdump, interleaved, as ratios
	@$(BIN)/python -m tests.benchmarks $(ARGS)

faults: $(VENV)/.dev ## Fail calls, disks and processes by chance, 100,000 calls long (ARGS="--seed 7 --calls 5000 --kills 20")
	@$(BIN)/python -m tests.e2e.faults $(ARGS)
	@LLMPROF_FAULTS=long $(BIN)/python -m pytest tests/e2e/faults -rs
	@LLMPROF_FAULTS=long $(BIN)/python -m tests.store.server $(BIN)/python -m pytest tests/store/test_postgresql_away.py -rs

fuzz: $(VENV)/.dev ## Fuzz every reader, a CPU minute each (ARGS="--minutes 5 sse"); exit code 1 if an input failed
	@$(BIN)/python -m tests.fuzz $(ARGS)

lock: ## Make the lock files anew (needs uv on the path)
	@sh tests/packaging/lock.sh

clean: ## Remove the environment and all caches
	@rm -rf $(VENV) $(VENV)-sdks $(SDKS_JS) .agents build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The stamps: a changed lock file or project file installs anew.
$(VENV)/.runtime: requirements.lock pyproject.toml tests/packaging/setup.sh
	@VENV=$(VENV) sh tests/packaging/setup.sh requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml tests/packaging/setup.sh
	@VENV=$(VENV) sh tests/packaging/setup.sh requirements-dev.lock
	@touch $@ $(VENV)/.runtime

$(VENV)-sdks/.dev: requirements-sdks.lock pyproject.toml tests/packaging/setup.sh
	@VENV=$(VENV)-sdks sh tests/packaging/setup.sh requirements-sdks.lock
	@touch $@

$(SDKS_JS)/.installed: tests/e2e/sdks/js/package-lock.json
	@sh tests/packaging/npm.sh tests/e2e/sdks/js

.agents/node_modules/.installed: tests/e2e/agents/package-lock.json
	@sh tests/packaging/npm.sh tests/e2e/agents .agents
