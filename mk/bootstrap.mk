.PHONY: test-bootstrap test-servers

test-bootstrap: $(VENV)/.servers ## the bootstrap against real servers
	@$(PY) -m pytest -q --numprocesses 2 --dist loadfile tests/bootstrap

test-servers: $(VENV)/.servers ## start, restart and stop every real server
	@$(PY) -m pytest -q tests/live/test_servers.py

.PHONY: bench-bootstrap

bench-bootstrap: $(VENV)/.servers ## what a verify costs beside its round trips
	@PYTHONPATH=tests $(PY) benchmarks/bench_bootstrap.py

bench: bench-bootstrap
