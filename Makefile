# What a newcomer needs: `make demo`, `make test`. PYTHON= picks the interpreter, VENV= the place of the environment.
PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
# A stamp is newer than pyproject.toml as long as what it installed is up to date, so pip runs once.
INSTALLED := $(VENV)/.installed
INSTALLED_TEST := $(VENV)/.installed-test

.PHONY: help demo test lint speed clean

help:
	@echo "make demo    install kjax into $(VENV) and train a small network"
	@echo "make test    lint, check types, run every test"
	@echo "make lint    lint and check types"
	@echo "make speed   compare speeds"
	@echo "make clean   remove $(VENV) and every cache"

$(BIN)/python:
	@echo "==> creating $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kjax needs Python 3.11 or newer, but $(PYTHON) is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml | $(BIN)/python
	@echo "==> installing kjax"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(INSTALLED_TEST): pyproject.toml $(INSTALLED)
	@echo "==> installing what the tests need"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

demo: $(INSTALLED)
	@echo "==> kjax demo"
	$(BIN)/kjax demo

lint: $(INSTALLED_TEST)
	@echo "==> ruff"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@echo "==> pyright"
	$(BIN)/pyright --pythonpath $(BIN)/python

test: lint
	@echo "==> pytest"
	$(BIN)/python -m pytest -n auto --maxprocesses 4

speed: $(INSTALLED_TEST)
	@if [ -e compat_tests/speed/__main__.py ] || [ -e compat_tests/speed.py ]; then \
		echo "==> comparing speeds"; $(BIN)/python -m compat_tests.speed; \
	else \
		echo "compat_tests/speed does not exist: there is nothing to compare" >&2; exit 1; \
	fi

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
