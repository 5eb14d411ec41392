# make run: the page. make test: the whole suite. make check: format, lint, types.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check screenshots

run: .venv/run.done
	$(BIN)/python app.py

test: .venv/dev.done
	sh tests/packages.sh
	$(BIN)/python -m pytest

check: .venv/dev.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

screenshots: .venv/dev.done
	$(BIN)/python tests/screenshots.py

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run.done: .venv/bin/python requirements.txt
	$(BIN)/pip install -r requirements.txt
	touch $@

.venv/dev.done: .venv/bin/python requirements.txt requirements-dev.txt
	$(BIN)/pip install -r requirements-dev.txt
	touch $@
