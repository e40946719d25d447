# `make` alone lists the commands. Needs python3 (3.11 or newer), make and git.
.DEFAULT_GOAL := help
PYTHON ?= python3
WORKERS ?= 3
BIN := .venv/bin
SCHEMATHESIS := 4.32.5

.PHONY: help setup run test fuzz chaos soak reference javascript pictures lint lock

help: ## list these commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready ## create .venv from the pinned lock and install Ringpost into it

.venv/.ready: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## start Ringpost: with RC_* set against RingCentral, without against the sandbox
	$(BIN)/ringpost run

test: setup ## run the whole test suite
	$(BIN)/python -m pytest -n $(WORKERS)

fuzz: setup .venv/fuzz/$(SCHEMATHESIS) ## hold a running webhook to its OpenAPI description, for a minute
	$(BIN)/python -m tests.fuzz .venv/fuzz/bin/schemathesis

.venv/fuzz/$(SCHEMATHESIS):
	$(PYTHON) -m venv .venv/fuzz
	.venv/fuzz/bin/pip install --quiet --disable-pip-version-check schemathesis==$(SCHEMATHESIS)
	@touch $@

chaos: setup ## kill processes and Redis at random while 2,000 messages come in, then count them
	$(BIN)/python -m tests.chaos

soak: setup ## ten minutes of 20 messages a second: memory, keys and delays must stay flat
	$(BIN)/python -m bench.soak --minutes 10 --rate 20

reference: setup ## compare the sandbox and our models with RingCentral's published reference
	$(BIN)/python -m pytest tests/reference

javascript: setup tests/javascript/node_modules/.ready ## let RingCentral's JavaScript SDK speak to the sandbox (needs node)
	cd tests/javascript && PYTHON="$(CURDIR)/$(BIN)/python" npm test

tests/javascript/node_modules/.ready: tests/javascript/package-lock.json
	cd tests/javascript && npm ci
	@touch $@

pictures: setup ## photograph the default mails for docs/handlers.md (needs Chromium)
	PYTHONPATH=. $(BIN)/python docs/pictures/make.py

lint: setup ## style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: setup ## resolve the dependencies again and pin them
	$(PYTHON) -m venv .venv/lock && .venv/lock/bin/pip install --quiet uv
	.venv/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock
	.venv/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
