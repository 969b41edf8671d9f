# make run   opens the menu          make test  runs the tests
# Both make their own virtual environment in .venv first.

PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3 python,$(if $(shell $(name) -c \
	"import sys; print('fits' if sys.version_info >= (3, 11) else '')" 2>/dev/null),$(name))))
BIN := .venv/bin

.PHONY: run test lint format types bench docs clean

run: .venv/installed
	@$(BIN)/python run.py

test: .venv/installed-dev
	$(BIN)/python -m pytest -n 2 $(TESTS)

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-dev
	$(BIN)/mypy

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/installed
	$(BIN)/python -m benchmarks $(NAMES)

# What the docs take from the program itself.
docs: .venv/installed-dev
	$(BIN)/python docs/reference.py
	$(BIN)/python docs/picture.py docs/menu.svg

.venv/installed: requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: https://www.python.org/downloads/"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv
