.PHONY: node-programs test-node test-settings

node-programs: $(VENV)/.dev ## build what a real Kubernetes node runs, once; about 20 minutes of two idle cores
	@$(PY) -m live.node.programs

test-node: setup-image ## dist/ on a real kubelet, through the real Traefik, delivered by the real Flux
	@$(PY) -m pytest -q tests/node

test-settings: $(VENV)/.servers ## random settings on a real API server: make test-settings [RANDOM_SETTINGS=2000]
	@RANDOM_SETTINGS=$(or $(RANDOM_SETTINGS),2000) $(PY) -m pytest -q tests/node/test_settings.py
