# Needs git, make and Python 3.11 or newer. Everything is installed into .venv, nothing elsewhere.
# Recipes quote every path, so that the checkout may stand in a directory with spaces in its name.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test check versions format bench docs pictures torch clean

run: .venv/run
	@$(BIN)/gradstep

test: .venv/test
	@$(BIN)/python -m pytest -n auto

check: .venv/check .venv/test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports layers.toml
	@$(BIN)/python -m pytest -n auto

# The lowest versions that pyproject.toml allows, and other Pythons where there are some.
versions: .venv/test
	@$(BIN)/python -m tests.versions lowest 3.12 3.13 3.14

format: .venv/check
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: .venv/run
	@$(BIN)/python docs/catalogue.py
	@$(BIN)/python docs/diagnostics.py

pictures: .venv/run
	@$(BIN)/python docs/pictures.py
	@$(BIN)/python docs/lessons.py

bench: .venv/bench .venv/torch
	@$(BIN)/python -m benchmarks

torch: .venv/torch

.venv/created:
	@$(PYTHON) -c 'import sys; sys.exit("gradstep needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "creating .venv"
	@$(PYTHON) -m venv .venv
	@touch .venv/created

.venv/run: .venv/created pyproject.toml
	@echo "installing gradstep into .venv"
	@$(PIP) --editable .
	@touch .venv/run

.venv/test: .venv/run
	@echo "installing what the tests need"
	@$(PIP) --editable ".[test]"
	@touch .venv/test

.venv/check: .venv/run
	@echo "installing ruff, mypy and import-linter"
	@$(PIP) --editable ".[check]"
	@touch .venv/check

.venv/bench: .venv/run
	@echo "installing what the benchmarks compare with"
	@$(PIP) --editable ".[bench]"
	@touch .venv/bench

.venv/torch: .venv/run
	@echo "installing PyTorch, the second opinion of the tests"
	@$(PIP) --editable ".[torch]"
	@touch .venv/torch

clean:
	rm -rf .venv .versions .pytest_cache .mypy_cache .ruff_cache .hypothesis
