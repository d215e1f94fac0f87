# The commands of this project. They do everything on a fresh machine with Python 3.11 to 3.13, on Linux (x86-64, ARM) and on
# macOS 14 or newer (Apple silicon).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PORT ?= 8501
# The address of an index that has PyTorch without GPU libraries: make run TORCH_INDEX=URL installs it from there, and about
# 5 GB less. The public index has no such build for Linux on x86-64. PyTorch is then not checked against a hash of ours.
TORCH_INDEX ?=

.PHONY: run test coverage quick check format docs lock browser wheel clean

run: $(VENV)/.run  ## open the dashboard with the demo dataset ready
	$(BIN)/python -m gmaug_core app --port $(PORT)

test: $(VENV)/.test browser  ## the whole suite
	$(BIN)/python -m pytest -n auto --dist worksteal

coverage: $(VENV)/.test  ## which lines the suite never ran, without the browser's journeys; half as long again
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not browser" --cov

quick: $(VENV)/.test  ## no browser, nothing slow
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not browser"

check: $(VENV)/.test  ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/oxlint --deny-warnings assets tests/js

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.test  ## requirements*.txt anew from pyproject.toml, with hashes
	$(PIP) uv==0.13.9
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python .ci/lock.py

docs: $(VENV)/.test  ## docs/formats.md anew from the types that write the files
	$(BIN)/python -m gmaug_core.cli.formats > docs/formats.md

wheel: $(VENV)/.test  ## dist/gmaug-*.whl
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.run: $(VENV)/.made requirements.txt requirements-torch.txt
ifeq ($(TORCH_INDEX),)
	@echo "Installing what GMAug needs (about 5.5 GB on Linux, where PyTorch brings its GPU libraries; once) ..."
	$(PIP) --require-hashes -r requirements.txt -r requirements-torch.txt
else
	@echo "Installing what GMAug needs, PyTorch from $(TORCH_INDEX) ..."
	$(PIP) --no-deps --index-url $(TORCH_INDEX) $$(grep -oE '^torch(vision)?==[0-9.]+' requirements-torch.txt)
	$(PIP) --require-hashes -r requirements.txt
endif
	touch $@

$(VENV)/.test: $(VENV)/.run requirements-dev.txt
	$(PIP) --require-hashes -r requirements-dev.txt
	touch $@

browser: $(VENV)/.test  ## a browser for the browser tests, where the system lets us have one
	@$(BIN)/python tests/browser/find_browser.py --install

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .coverage*
