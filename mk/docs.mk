# The docs site has an environment of its own: nothing that synth or the tests import needs it.
.venv-docs/.done: requirements/docs.lock | $(VENV)/.uv
	@echo "installing what builds the docs into .venv-docs"
	@$(UV) venv --quiet --clear --python $(PY) .venv-docs
	@$(UV) pip install --quiet --python .venv-docs/bin/python --require-hashes -r requirements/docs.lock
	@touch $@

.PHONY: docs docs-serve

docs: .venv-docs/.done ## build the docs site into site/; a broken link or reference is an error
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet --strict

docs-serve: .venv-docs/.done ## show the docs site on 127.0.0.1 while you write
	@.venv-docs/bin/mkdocs serve --dev-addr 127.0.0.1:8000
