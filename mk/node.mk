.PHONY: node-programs test-node test-kills test-settings

node-programs: $(VENV)/.dev ## build what a real Kubernetes node runs, once; about 20 minutes of two idle cores
	@$(PY) -m live.node.programs

# Each node has two systems beside each other already: a second one gains time where four processors are free, with 12 GiB.
NODES ?= 0
ON_NODES := --dist loadfile --numprocesses

test-node: setup-image ## dist/ on a real kubelet, through the real Traefik, delivered by the real Flux: make test-node [NODES=2]
	@$(PY) -m pytest -q $(ON_NODES) $(NODES) tests/node

test-kills: setup-image ## kill `make live` at random moments of its start, and look for what is left: make test-kills [NODE_KILLS=20]
	@NODE_KILLS=$(or $(NODE_KILLS),20) $(PY) -m pytest -q tests/node/test_kills.py

test-settings: $(VENV)/.servers ## random settings on a real API server: make test-settings [RANDOM_SETTINGS=2000]
	@RANDOM_SETTINGS=$(or $(RANDOM_SETTINGS),2000) $(PY) -m pytest -q tests/node/test_settings.py
