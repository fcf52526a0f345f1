.PHONY: node-programs test-node

node-programs: $(VENV)/.dev ## build what a real Kubernetes node runs, once; about 20 minutes of two idle cores
	@$(PY) -m live.node.programs

test-node: setup-image ## dist/ on a real kubelet, through the real Traefik, delivered by the real Flux
	@$(PY) -m pytest -q tests/node
