# make run   opens the menu          make test  runs the tests
# make web   serves it to browsers   (PORT=8000)      make check runs what CI runs
# All make their own virtual environment in .venv first.

# What is compiled is compiled once, and not by every process anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3 python,$(if $(shell $(name) -c \
	"import sys; print('fits' if sys.version_info >= (3, 11) else '')" 2>/dev/null),$(name))))
VENV := .venv
BIN := $(VENV)/bin
# Tests of one file stay together where they can, as what a file needs is made once for each process.
AT_ONCE := -n auto --maxprocesses 6 --dist worksteal

.PHONY: run web test test-dates test-oldest check lint format types bench docs clean

run: $(VENV)/installed
	@$(BIN)/python run.py

web: $(VENV)/installed node_modules/.installed
	@$(BIN)/python run.py web $(if $(PORT),--port $(PORT))

# The page of the web terminal comes from npm; without it its tests are skipped. The slow ones run where CI is set, some
# of them by quarters with each commit; ALL=1 runs everything. What is not compiled yet each process that tests start
# would compile anew.
TIER := $(if $(ALL),,-m "not $(if $(CI),other_part,slow)")
test: $(VENV)/installed-dev $(if $(shell command -v npm),node_modules/.installed)
	@$(BIN)/python -m compileall -q -j 0 run.py crm
	$(BIN)/python -m pytest $(AT_ONCE) $(TIER) $(TESTS)

# The quick part of what has to do with days and times again, on other days and in other zones: on a leap day, in the last minute of a
# year, in the night in which summer time begins, and in 400 days.
MOVED := Pacific/Honolulu,2028-02-29T12:00:00 Asia/Kathmandu,2026-12-31T23:59:30 America/New_York,2027-03-14T01:59:30 \
	Pacific/Kiritimati,+400
# Each of them is one process, and as many run at once as there are processors.
test-dates: $(VENV)/installed-dev
	@printf '%s\n' $(MOVED) | xargs -P "$$(getconf _NPROCESSORS_ONLN)" -I MOVED sh -c 'moved=MOVED; \
	output=$$(TZ=$${moved%,*} TEST_NOW=$${moved#*,} HYPOTHESIS_PROFILE=again $(BIN)/python -m pytest -n 0 \
	-m "dated and not slow and not sheets" $$(grep -rl --include="test_*.py" mark.dated tests) 2>&1); code=$$?; \
	printf "%s\n" "TZ=$${moved%,*} TEST_NOW=$${moved#*,}" "$$output"; exit $$code'

# The quick part on the oldest Python that is supported, with one variant of each test and few examples. Pytest leaves the tests' modules
# as they are there: to make its own of them takes longer than what it tells of an assertion that fails is worth. Another worker would take
# longer to collect all tests than it would save.
test-oldest:
	@$(MAKE) --no-print-directory VENV=.venv-oldest PYTHON=python3.11 .venv-oldest/installed-dev
	@.venv-oldest/bin/python -m compileall -q -j 0 run.py crm tests
	CI= HYPOTHESIS_PROFILE=few .venv-oldest/bin/python -m pytest --assert=plain -n "$$(getconf _NPROCESSORS_ONLN)" --dist worksteal \
		-m "not slow and not contract and not end_to_end and not variant and not sheets"

# All that must hold before a change is handed in.
check:
	@.ci/run

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed
	$(BIN)/python -m benchmarks $(NAMES)

# What the docs take from the program itself.
docs: $(VENV)/installed-dev
	$(BIN)/python docs/reference.py
	$(BIN)/python -m docs.pictures

# The terminal that runs in the browser.
node_modules/.installed: package.json package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed: https://nodejs.org/"; exit 1; }
	@npm ci --silent --no-audit --no-fund
	@touch $@

$(VENV)/installed: requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: https://www.python.org/downloads/"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the program needs into $(VENV); this takes about a minute, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt requirements-rules.txt
	@echo "Installing what the tests and the checks need into $(VENV); this takes about a minute, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-rules.txt
	@touch $@

clean:
	rm -rf .venv .venv-oldest
