# Every target sets up what it needs: Python 3.11, git and make are all that must be there.
PYTHON ?= python3.11
ifeq ($(shell command -v $(PYTHON) 2>/dev/null),)
PYTHON := python3
endif
BIN := .venv/bin
READY := .venv/.ready
SOURCES := modules harness supervisor ablations traces skills cli
# Two workers: the suite is built for two cores; set WORKERS=0 to run in one process.
WORKERS ?= 2

.PHONY: demo test check lint fast soak crash orders-soak live-soak test-llm bench lock clean setup

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "Python 3.11 is needed, this is " + sys.version.split()[0] + "; give one with make PYTHON=/path/to/python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: $(READY)
	$(BIN)/cws demo

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not soak"

check: lint fast

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fast: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not soak"

# A real model, served here: cws model pull first.
test-llm: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "xllamacpp>=2026.10"
	$(BIN)/python -m pytest -m soak tests/harness/llm/test_real_model.py -s

soak: $(READY)
	$(BIN)/python -m pytest -m soak

# The supervisor, killed two hundred times at random moments.
crash: $(READY)
	$(BIN)/python -m pytest -m soak tests/supervisor/test_crash.py -s

# The order desk, killed a thousand times beside a real risk core, and a thousand times without power.
orders-soak: $(READY)
	$(BIN)/python -m pytest -m soak tests/modules/live/desk

# Thirty days of minute bars through every process: memory, descriptors, the backtest's decisions. Then losses of power.
live-soak: $(READY)
	$(BIN)/python -m pytest -m soak -s tests/cli/test_live_month.py tests/cli/test_live_power.py

bench: $(READY)
	$(BIN)/python -m benchmarks.table

# Renews requirements.lock from pyproject.toml; names no host, pins every hash.
lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --no-header --no-annotate --python-version 3.11 -o requirements.lock

clean:
	rm -rf .venv .cws build *.egg-info .mypy_cache .ruff_cache .hypothesis
