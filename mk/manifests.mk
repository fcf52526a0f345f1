export COLUMNS ?= 200

.PHONY: schema init images bench-manifests

synth: $(VENV)/.run ## write dist/ from environments/
	@$(PY) main.py synth $(if $(ENVIRONMENT),--environment $(ENVIRONMENT))

init: $(VENV)/.run ## write a new environment: make init NAME=staging
	@$(PY) main.py init $(NAME)

images: $(VENV)/.run ## list every image to mirror
	@$(PY) main.py images

schema: $(VENV)/.run ## write the JSON Schema of environment files, docs/settings.md and docs/other-charts.md
	@$(PY) main.py schema

test: $(VENV)/.dev ## everything that needs no server
	@$(PY) -m pytest -q --numprocesses 2 --dist loadgroup -m "not servers and not downloads" tests

check: $(VENV)/.servers ## format, lint and types, without changing a file
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy

format: $(VENV)/.dev ## format and fix what can be fixed
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

bench-manifests: $(VENV)/.dev ## speed and memory of synth
	@$(PY) benchmarks/bench_synth.py

bench: bench-manifests
