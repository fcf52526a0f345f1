RELEASE_FOLDER := build/release

.PHONY: release test-package

release: $(VENV)/.dev ## build wheel and source distribution into build/release/ and check them; tags nothing
	@rm -rf $(RELEASE_FOLDER)
	@$(PY) -m hatchling build --directory $(RELEASE_FOLDER)
	@$(PY) tools/check_wheel.py $(RELEASE_FOLDER)/*.whl
	@grep -q "^## $$($(PY) main.py --version | cut -d ' ' -f 2)" CHANGELOG.md || echo "note: CHANGELOG.md has no section of this version yet; rename Unreleased before you tag it"

test-package: $(VENV)/.dev tools/cdk8s-cli/node_modules/.bin/cdk8s ## the package, and a repository that `new` creates, set up by pip and rendered by the cdk8s CLI
	@$(PY) -m pytest -q tests/package
