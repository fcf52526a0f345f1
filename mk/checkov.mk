# checkov pins old versions of much that we use, so it has an environment of its own.
.venv-checkov/.done: requirements/checkov.lock | $(VENV)/.uv
	@echo "installing checkov into .venv-checkov"
	@$(UV) venv --quiet --clear --python $(PY) .venv-checkov
	@$(UV) pip install --quiet --python .venv-checkov/bin/python --require-hashes -r requirements/checkov.lock
	@touch $@

$(VENV)/.dev: | .venv-checkov/.done
