# The commands of this project. `make run` and `make test` do everything on a fresh machine with Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PORT ?= 8501

.PHONY: run test check format browser clean

run: $(VENV)/.run  ## open the dashboard with the demo dataset ready
	GMAUG_OPEN=1 $(BIN)/streamlit run app.py --server.port $(PORT)

test: $(VENV)/.test browser  ## the whole suite
	$(BIN)/python -m pytest

check: $(VENV)/.test  ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.run: $(VENV)/.made requirements.txt
	@echo "Installing what GMAug needs (about 5.5 GB, once) ..."
	$(PIP) -r requirements.txt
	touch $@

$(VENV)/.test: $(VENV)/.run requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	touch $@

browser: $(VENV)/.test  ## a browser for the browser tests, where the system lets us have one
	@$(BIN)/python tests/browser/find_browser.py --install

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
