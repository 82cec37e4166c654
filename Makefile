# Two commands need nothing but Python 3.11 or later with pip, and a C compiler: `make demo` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
# More than there are cores: tests of clusters and of killed processes mostly wait.
JOBS ?= 3
PYTEST := $(BIN)/python -m pytest

.PHONY: demo test unit numbers docs results check bench wheel lock audit clean

# Tunes DARTS on the built-in benchmark; prints where it leaves the report.
demo: $(INSTALLED)
	@$(BIN)/metaopt tune --optimizer darts --budget 50

# Everything that must pass; the last line is pytest's.
test: check
	@$(PYTEST) --numprocesses=$(JOBS)

# The tests that take under 3 minutes together.
unit: $(INSTALLED)
	@$(PYTEST) --numprocesses=$(JOBS) -m "not slow and not browser and not perf"

# What compares numbers that were made before, as a processor without wide vector units.
numbers: $(INSTALLED)
	@NPY_DISABLE_CPU_FEATURES=X86_V3 OPENBLAS_CORETYPE=Nehalem ATEN_CPU_CAPABILITY=default \
		$(PYTEST) --numprocesses=$(JOBS) -m numbers

# The documentation, as a site in site/; asks no network, and a dead link ends it.
docs: $(INSTALLED)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "documentation: site/index.html"

# Figures, CSV and LaTeX of results/reference, from study files and journals; continues where it was stopped.
results: $(INSTALLED)
	@$(BIN)/python .ci/results

check: $(INSTALLED)
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy

# Measurements; alone on the machine, or they measure something else.
bench: $(INSTALLED)
	@$(PYTEST) tests/perf -m perf -s

wheel: $(INSTALLED)
	@$(BIN)/python -m build --wheel --no-isolation

# After constraints.txt has changed.
lock: $(INSTALLED)
	@$(BIN)/python .ci/lock

# Known weaknesses of what is pinned; asks an advisory service, so it needs a network. A package unknown there fails.
audit: $(INSTALLED)
	@$(PYTHON) -m venv .venv/audit
	@.venv/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	@.venv/audit/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

clean:
	@rm -rf .venv build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find metaopt tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Once, and again when what is to be installed has changed.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("metaopt needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.11")'
	@echo "installing metaopt and its tools into .venv, once"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
