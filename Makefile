# make demo: everything, from nothing to a running site.   make test: the suite.   See README.md.
PYTHON ?= python3.11
PORT ?= 8000
BIN = .venv/bin

.PHONY: demo test lint

demo: .venv
	@$(BIN)/python manage.py demo --port $(PORT)

test: .venv
	@$(BIN)/python -m pytest

lint: .venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

.venv: requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is needed; name another with PYTHON="; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements.txt
	@touch .venv
