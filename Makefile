# make run: the page. make test: the whole suite. make check: format, lint, types.
# Not in the suite, as they take long: make torture, ten times what the suite tries of nonsense;
# make soak, fifty visitors for half an hour (MINUTES=5 for less). make audit: known weaknesses and
# licences of the packages, which asks the network.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check screenshots torture soak audit

run: .venv/run.done
	$(BIN)/python app.py

test: .venv/dev.done
	sh tests/packages.sh
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: .venv/dev.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

torture: .venv/dev.done
	AIGC_TORTURE=10 $(BIN)/python -m pytest tests/torture

soak: .venv/dev.done
	PYTHONPATH=.:tests $(BIN)/python tests/soak.py --minutes $(or $(MINUTES),30)

audit: .venv/run.done
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install -q pip-audit==2.10.1 pip-licenses==5.5.5
	.venv/audit/bin/pip-audit --strict -r requirements.txt
	.venv/audit/bin/pip-licenses --python=$(BIN)/python --from=mixed --summary

screenshots: .venv/dev.done
	$(BIN)/python tests/screenshots.py

# pip is the last that venv makes, so a .venv without it was left half-made, and is made anew.
.venv/bin/pip:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null || { \
	  echo "error: expected Python 3.11 or newer as $(PYTHON), got \"$$($(PYTHON) --version 2>&1)\":" \
	    "name another one with PYTHON=python3.12"; exit 1; } >&2
	@$(PYTHON) -c "import venv; from ensurepip import version" 2>/dev/null || { rm -rf .venv; \
	  echo "error: $(PYTHON) cannot make a virtual environment without a package of the system:" \
	    "run \"apt install python3-venv\" ($$($(PYTHON) -c \
	    'import sys; print("python%d.%d-venv" % sys.version_info[:2])') for just this version)" \
	    "as root, then make again"; exit 1; } >&2
	@rm -rf .venv
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/run.done: .venv/bin/pip requirements.txt
	$(BIN)/python -m pip install -r requirements.txt
	touch $@

.venv/dev.done: .venv/bin/pip requirements.txt requirements-dev.txt
	$(BIN)/python -m pip install -r requirements-dev.txt
	touch $@
