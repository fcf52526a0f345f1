.PHONY: live try test-live drill test-mutations screenshots bench-live bench-load

ifneq ($(filter live bench-live bench-load,$(MAKECMDGOALS)),)
ifneq ($(filter-out $(IMAGE_RELEASES),$(RELEASE)),)
$(error RELEASE is $(RELEASE); set it to one of $(IMAGE_RELEASES), or for `make live` to both)
endif
endif

# The release of environments/local.yaml is the default of the settings; another one is rendered beside it.
live: $(VENV)/.servers ## run it all on a Kubernetes node of this machine: make live [RELEASE=3.17.2]
	@$(PY) -m live $(RELEASE:%=--release %)

try: $(VENV)/.run ## run it in kubectl's current context: make try [OPTIONS="--image REGISTRY/mlflow:TAG"], or OPTIONS=--remove
	@$(PY) main.py try $(OPTIONS)

test-live: $(VENV)/.servers ## the whole system of each release on a node, as people use it, and with changed constants: make test-live [NODES=2]
	@$(PY) -m pytest -q $(ON_NODES) $(NODES) tests/live --ignore tests/live/test_servers.py --ignore tests/live/test_drill.py

drill: $(VENV)/.servers ## sixteen outages on a node, each noticed by its alert, named by doctor and ended as its runbook says
	@$(PY) -m pytest -q tests/live/test_drill.py

test-mutations: $(VENV)/.servers ## of test-live only this: change constants of the constructs, and list which check notices
	@$(PY) -m pytest -q tests/live/test_mutations.py

screenshots: $(VENV)/.servers ## renew the pictures of the documentation
	@LIVE_RELEASES=3.6.0 SCREENSHOTS=$(CURDIR)/docs/images $(PY) -m pytest -q tests/live/test_browser_pages.py tests/live/test_dashboard.py

bench-live: $(VENV)/.servers .venv-load/.done ## requests a second through the ingress, beside MLflow's own server: make bench-live [SECONDS=10] [RELEASE=3.6.0]
	@PYTHONPATH=tests:tests/live SECONDS=$(or $(SECONDS),10) $(PY) benchmarks/bench_live.py $(RELEASE)

# Locust has an environment of its own: nothing that the tests import needs it.
.venv-load/.done: requirements/load.lock | $(VENV)/.uv
	@echo "installing Locust into .venv-load"
	@$(UV) venv --quiet --clear --python $(PY) .venv-load
	@$(UV) pip install --quiet --python .venv-load/bin/python --require-hashes -r requirements/load.lock
	@touch $@

bench-load: $(VENV)/.servers .venv-load/.done ## what training loops and people ask of 1, 2 and 4 replicas, by Locust: make bench-load [LOOPS=50] [PEOPLE=20] [SECONDS=600] [RELEASE=3.6.0]
	@PYTHONPATH=tests:tests/live LOOPS=$(or $(LOOPS),50) PEOPLE=$(or $(PEOPLE),20) SECONDS=$(or $(SECONDS),600) $(PY) benchmarks/bench_load.py $(RELEASE)

bench: bench-live bench-load
