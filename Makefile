# Verbs a newcomer guesses. Only python3 (3.11 or newer) is needed beforehand; `make test` says what else it misses.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The lock is a list of constraints: which versions, not which packages. torch is named first, so that pip keeps to its pin
# while it looks at what needs it.
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock

.PHONY: setup run test lint bench shots seed eval-starter

setup: $(VENV)/.run

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml requirements.lock | $(BIN)/python
	$(PIP) torch
	$(PIP) --editable '.[web,worker]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) --editable '.[web,worker,dev]'
	@touch $@

run: $(VENV)/.run
	@exec $(BIN)/python -m config.supervisor

test: $(VENV)/.dev
	@$(BIN)/python -m tests.requirements
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djade --check $$(git ls-files 'templates/*.html')
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

shots: $(VENV)/.dev
	$(BIN)/python -m tests.shots

eval-starter: $(VENV)/.dev
	$(BIN)/python -m generator.diffusion.starter.evaluate --art var/art --out var/eval-starter

seed: $(VENV)/.run
	$(BIN)/python manage.py seed_demo
