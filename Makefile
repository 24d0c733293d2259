# make demo: everything, from nothing to a running site.   make test: the suite.   See README.md.
# make bench: speed as ratios against bare loops, with their targets.
PYTHON ?= python3.11
PORT ?= 8000
BIN = .venv/bin

.PHONY: demo test lint bench fuzz .venv

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

# Every operation of a site that runs, with values that its description allows and others: no 500.
# URL= names the site and KEY= a key of it; it makes and deletes things there, so take a demo.
URL ?= http://127.0.0.1:$(PORT)
EXAMPLES ?= 20
fuzz:
	@[ -n "$(KEY)" ] || { echo "KEY= names an API key: manage.py create_api_key admin"; exit 1; }
	@[ -x var/fuzz/bin/st ] || { $(PYTHON) -m venv var/fuzz && \
	  var/fuzz/bin/python -m pip install --quiet schemathesis==4.32.5; }
	@var/fuzz/bin/st run "$(URL)/api/schema/?format=json" -H "Authorization: Bearer $(KEY)" \
	  --checks not_a_server_error --max-examples $(EXAMPLES) --continue-on-failure \
	  --exclude-operation-id revoke_key --exclude-operation-id change_user

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
