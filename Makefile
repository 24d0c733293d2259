# make demo: everything, from nothing to a running site.   make test: the suite.   See README.md.
# make bench: speed as ratios against bare loops, with their targets.
PYTHON ?= python3.11
PORT ?= 8000
BIN = .venv/bin

.PHONY: demo test lint bench .venv

demo: .venv
	@$(BIN)/python manage.py demo --port $(PORT)

# Two processes for two cores: half of the suite's time is waiting. PYTEST="-n 0 -k words" runs less.
PYTEST ?= -n 2
test: .venv
	@$(BIN)/python -m pytest --dist worksteal $(PYTEST)

# ROWS="8 11" measures these alone; BENCH_LARGE=1 adds what takes minutes. Rows 3 to 7, 10, 13 and 14
# search BENCH_N generated vectors, 100000 by default, which are kept in var/bench.
bench: .venv
	@$(BIN)/python -m tests.bench $(ROWS)

lint: .venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

.venv: .venv/installed

# A file of its own says that the install is whole: the folder is there when half of it is.
.venv/installed: requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is needed; PYTHON= names another"; exit 1; }
	@echo "Installing into .venv; the first time this takes some minutes."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements.txt
	@touch $@
