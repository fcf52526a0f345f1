# The image's programs: one environment a release, made from its lock, and the tests against real servers.

# The list of releases and the Python of each are in constructs/cdk8s_mlflow/releases; sed reads them before any Python is set up.
IMAGE_RELEASES := $(shell sed -n 's/^ReleaseName = Literal\[\(.*\)\]$$/\1/p' constructs/cdk8s_mlflow/releases/release.py | tr -d '",')
image_minor = $(shell sed -n 's/^ *python="\(.*\)",$$/\1/p' constructs/cdk8s_mlflow/releases/mlflow_$(subst .,_,$(1)).py)
IMAGE_VENVS := $(IMAGE_RELEASES:%=.venv-image-%)
# Releases whose newest dependencies no longer work are locked as of a day on which they did.
IMAGE_LOCK_3.6.0 := --exclude-newer 2025-12-01T00:00:00Z

.PHONY: setup-image image-lock test-image test-stores bench-requests bench-image bench-gc bench-backup bench-migrate bench-scale bench-steps bench-memory build-image push-image build-and-push-image image-base

# RELEASE, IMAGE_REGISTRY, IMAGE_REPOSITORY, MLFLOW_IMAGE_TAG, BASE_IMAGE, CONTAINER_ENGINE and DOCKER_HOST come from the
# command line, the environment or .env.local.
PUBLISHING := $(PY) -m cdk8s_mlflow.publishing

build-image: $(VENV)/.run ## build the container image
	@$(PUBLISHING) build

push-image: $(VENV)/.run ## push the container image and print its digest
	@$(PUBLISHING) push

build-and-push-image: $(VENV)/.run ## build the container image, push it and print its digest
	@$(PUBLISHING) build-and-push

image-base: $(VENV)/.run ## write down the digests of the base images, for every build to come
	@$(PUBLISHING) pin-base

# $(call image_python,3.11): python3.11 from the PATH if it runs, else the newest of pyenv's; empty if there is none
image_python = $(shell for python in $$(command -v python$(1)) $$(ls -d $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$(1).*/bin/python 2>/dev/null | sort -rV); do \
  "$$python" -c '' 2>/dev/null && echo "$$python" && break; done)

.venv-image-%/.done: image/releases/%/requirements.lock image/releases/%/azure.lock image/releases/%/gcs.lock image/pyproject.toml | $(VENV)/.servers
	@test -n '$(call image_python,$(call image_minor,$*))' || { echo "error: release $* needs Python $(call image_minor,$*); put python$(call image_minor,$*) on the PATH, or install it with pyenv" >&2; exit 1; }
	@echo "installing release $* into .venv-image-$*"
	@$(UV) venv --quiet --clear --python '$(call image_python,$(call image_minor,$*))' .venv-image-$*
	@$(UV) pip install --quiet --python .venv-image-$*/bin/python --compile-bytecode --only-binary :all: --require-hashes -r $< -r image/releases/$*/azure.lock -r image/releases/$*/gcs.lock
	@cd image && ../$(PY) -c 'from hatchling.build import build_editable; build_editable("../.venv-image-$*")' >/dev/null
	@$(UV) pip install --quiet --python .venv-image-$*/bin/python --no-deps .venv-image-$*/mlflow_sso-*.whl
	@touch $@

setup-image: $(IMAGE_VENVS:%=%/.done) ## install what the image's programs need, one environment a release

image-lock: $(VENV)/.uv ## renew the hashed locks of the image's releases
	@$(foreach lock,requirements azure gcs,$(foreach release,$(IMAGE_RELEASES),$(UV) --directory image/releases/$(release) pip compile --quiet --upgrade \
	  --universal --fork-strategy fewest --python-version $(call image_minor,$(release)) $(IMAGE_LOCK_$(release)) --only-binary :all: --generate-hashes \
	  --no-emit-index-url --custom-compile-command 'make image-lock' $(lock).in -o $(lock).lock &&)) true
	@$(UV) --directory image/build pip compile --quiet --upgrade --universal --python-version 3.11 --only-binary :all: --generate-hashes \
	  --no-emit-index-url --custom-compile-command 'make image-lock' requirements.in -o requirements.lock

# What stores, lists or deletes objects, by the files of tests/image.
STORE_TESTS := backup check fsck gc gc_locations leave stored_locations uploads
CLOUD_TESTS := fsck gc stored_locations uploads

test-image: setup-image ## the image's programs against real servers, both releases
	@$(PY) -m pytest -q --numprocesses 2 --dist loadscope tests/image

test-stores: setup-image ## the same against another store than MinIO: make test-stores [STORE=seaweedfs|garage|ceph|azurite|fake-gcs]
	@OBJECT_STORE=$(or $(STORE),seaweedfs) $(PY) -m pytest -q $(if $(filter azurite fake-gcs,$(STORE)),$(CLOUD_TESTS:%=tests/image/test_%.py),tests/bootstrap/test_other_stores.py $(STORE_TESTS:%=tests/image/test_%.py))

bench-image: setup-image ## what serving costs against MLflow's own server
	@PYTHONPATH=tests:tests/image:image $(PY) benchmarks/bench_image.py

bench-gc: setup-image ## runs a second that gc deletes: make bench-gc [OTHER=image/ of another checkout] [RELEASE=3.17.2]
	@PYTHONPATH=tests:tests/image $(PY) benchmarks/bench_gc.py $(OTHER)

bench-backup: setup-image ## dump and restore beside pg_dump and pg_restore: make bench-backup [RELEASE=3.17.2] [ROWS=8000000]
	@PYTHONPATH=tests:tests/image $(PY) benchmarks/bench_backup.py

bench-migrate: setup-image ## how long an upgrade of large databases takes and locks: make bench-migrate [TRACES=50000]
	@PYTHONPATH=tests:tests/image TRACES=$(or $(TRACES),50000) $(PY) benchmarks/bench_migrate.py

bench-scale: setup-image ## lists on large data beside MLflow's own server: make bench-scale [SIZE=small] [RELEASE=3.17.2]
	@PYTHONPATH=tests:tests/image $(PY) benchmarks/bench_scale.py $(or $(SIZE),large) $(RELEASE)

bench-steps: setup-image ## logged steps beside MLflow's own server, in turn: make bench-steps [SIZE=small] [ROUNDS=9] [RELEASE=3.17.2]
	@PYTHONPATH=tests:tests/image SIZE='$(SIZE)' ROUNDS=$(or $(ROUNDS),9) $(PY) benchmarks/bench_steps.py $(RELEASE)

bench-memory: setup-image ## how much a worker grows over mixed requests: make bench-memory [REQUESTS=50000] [RELEASE=3.17.2]
	@PYTHONPATH=tests:tests/image:image REQUESTS=$(or $(REQUESTS),50000) $(PY) benchmarks/bench_memory.py $(RELEASE)

bench-requests: setup-image ## what metrics and JSON logs of a request cost: make bench-requests [RELEASE=3.17.2]
	@.venv-image-$(or $(RELEASE),3.17.2)/bin/python benchmarks/bench_requests.py

bench: bench-requests bench-image bench-gc bench-backup bench-migrate bench-scale bench-steps bench-memory

.PHONY: route-table

route-table: $(VENV)/.dev ## write the tables of docs/security.md from the tables of routes
	@PYTHONPATH=image $(PY) tools/route_table.py
