# Verbs a newcomer guesses. Only python3 (3.11 or newer) is needed beforehand; `make test` says what else it misses.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The lock is a list of constraints: which versions, not which packages. torch is named first, so that pip keeps to its pin
# while it looks at what needs it.
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock

.PHONY: setup run test test-servers lint bench faults shots seed eval-starter eval-adapters api-schema fuzz

setup: $(VENV)/.run

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml requirements.lock | $(BIN)/python
	$(PIP) torch
	$(PIP) --editable '.[web,worker,cli]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) --editable '.[web,worker,cli,dev]'
	@touch $@

run: $(VENV)/.run
	@exec $(BIN)/python -m config.supervisor

test: $(VENV)/.dev
	@$(BIN)/python -m tests.requirements
	$(BIN)/python -m pytest $(ARGS)

# The same tests on PostgreSQL and Redis, but for the engine's, which knows neither, as `make lint` sees to, and the
# deployment's, which starts what it needs itself.
test-servers: $(VENV)/.dev
	@$(BIN)/python -m tests.requirements
	$(BIN)/python -m tests.with_servers --ignore tests/generator/diffusion --ignore tests/deploy $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djade --check $$(git ls-files 'templates/*.html')
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

faults: $(VENV)/.dev
	@$(BIN)/python -m tests.faults

shots: $(VENV)/.dev
	$(BIN)/python -m tests.shots $(if $(ONLY),--only $(ONLY))

# What clients of the API rely on: tests/config/test_api_contract.py compares it with the API as it is.
api-schema: $(VENV)/.dev
	$(BIN)/python manage.py export_openapi_schema --api config.api.api --indent 1 --sorted --output docs/openapi.json

# The API with so many random requests of each kind and every role; the suite sends a few. Several roles at once, each in
# a process and a database of its own: about a quarter of an hour a role on a core.
fuzz: $(VENV)/.dev
	@printf '%s\n' alice mona bob rita victor charlie | API_EXAMPLES=$(or $(EXAMPLES),100) xargs -P $$(getconf _NPROCESSORS_ONLN) -I ROLE \
	  $(BIN)/python -m pytest -q tests/config/test_api_at_random.py -p no:cacheprovider -k 'ROLE and not seen'

eval-starter: $(VENV)/.dev
	$(BIN)/python -m generator.diffusion.starter.evaluate --art var/art --out var/eval-starter

eval-adapters: $(VENV)/.dev
	$(BIN)/python -m generator.diffusion.starter.evaluate_adapters --art var/art --out var/eval-adapters

seed: $(VENV)/.run
	$(BIN)/python manage.py seed_demo
