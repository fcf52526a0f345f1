test: $(VENV)/.dev ## everything that needs no server
	@$(PY) -m pytest -m "not servers" tests

check: $(VENV)/.dev ## format, lint and types, without changing a file
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy

format: $(VENV)/.dev ## format and fix what can be fixed
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .
