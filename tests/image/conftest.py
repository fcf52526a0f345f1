"""Real servers for the image's programs, shared by a session; databases, bucket and Secrets anew for each test."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from buckets import Store, bucket_of
from by_release import ByRelease
from databases import dropped_afterwards
from garbage import Garbage
from pod import Database, Forks, Pod, Venv
from realm import Realm
from serving import SERVICE_LINKS, SETTINGS, Serving, Site, make_users, mount_server_secrets

from cdk8s_mlflow.releases import RELEASES
from live.servers import Keycloak, Minio, Postgres
from testbed.servers import Azurite, Ceph, FakeGcs, Garage, Seaweedfs
from testbed.servers.memory import memory_folder

OBJECT_STORES: Mapping[str, type[Store]] = {
    "minio": Minio,
    "seaweedfs": Seaweedfs,
    "garage": Garage,
    "ceph": Ceph,
    "azurite": Azurite,
    "fake-gcs": FakeGcs,
}


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRelease:
    """Keep each release's tests together."""
    # By number of tests the longest files would come last: some have one test.
    config.option.loadscopereorder = False
    return ByRelease(config, log)


@pytest.fixture(autouse=True)
def databases() -> Iterator[None]:
    """Those that a test makes go with it; those of a session or module are there before."""
    with dropped_afterwards():
        yield


@pytest.fixture(scope="session", params=RELEASES)
def venv(request: pytest.FixtureRequest) -> Venv:
    """Each release in turn."""
    venv = Venv(release=request.param)
    if not venv.mlflow_sso.exists():
        pytest.fail(f"{venv.path} is missing; run `make setup-image`")
    return venv


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server whose hundreds of databases take longer to delete than to make, unless they are in memory."""
    with memory_folder("databases-", room=6 << 30) as folder, Postgres(data=folder / "postgres") as server:
        yield server


@pytest.fixture(scope="session")
def minio() -> Iterator[Store]:
    """MinIO, or the store that OBJECT_STORE names (`make test-stores`)."""
    with OBJECT_STORES[os.environ.get("OBJECT_STORE", "minio")]() as server:
        yield server


@pytest.fixture(scope="session")
def realm() -> Iterator[Realm]:
    """A realm of a Keycloak with a certificate that no public authority has signed."""
    with Keycloak(tls=True) as server:
        realm = Realm(keycloak=server)
        realm.create()
        yield realm


@pytest.fixture(scope="session")
def forks(venv: Venv) -> Iterator[Forks]:
    """Where what imports MLflow runs quickly."""
    with Forks(venv=venv) as forks:
        yield forks


@pytest.fixture(scope="session")
def make_pod(
    venv: Venv,
    forks: Forks,
    postgres: Postgres,
    minio: Store,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Pod]:
    """Pods of the release with empty databases; keyword arguments are settings of the environment."""

    def make(**settings: str) -> Pod:
        database, bucket = Database(server=postgres), bucket_of(minio)
        database.create()
        bucket.client.make_bucket(bucket.name)
        folder = tmp_path_factory.mktemp(database.label)
        pod = Pod(venv=venv, folder=folder, database=database, bucket=bucket, settings=settings, forks=forks)
        pod.mount()
        return pod

    return make


@pytest.fixture
def pod(make_pod: Callable[..., Pod]) -> Pod:
    """A pod with empty databases and an empty bucket."""
    return make_pod()


@pytest.fixture(scope="session")
def migrated_once(make_pod: Callable[..., Pod]) -> Iterator[Pod]:
    """Migrated databases for tests to copy, which is quicker than to migrate."""
    pod = make_pod()
    migrated = pod.migrate()
    assert migrated.code == 0, migrated.stderr
    # What a test leaves in them, or with the owner of all copies, fails some other test.
    pod.database.close()
    yield pod
    assert pod.database.settings_of_owner() == []


@pytest.fixture
def migrated_pod(migrated_once: Pod, tmp_path: Path) -> Pod:
    """A pod whose databases are up to date."""
    return migrated_once.copy(tmp_path)


@pytest.fixture(scope="module")
def strewn(make_pod: Callable[..., Pod]) -> Garbage:
    """Rows in all states of deletion, each with its object, for the tests of a module to copy."""
    return Garbage.strew(make_pod())


@pytest.fixture
def garbage(strewn: Garbage, tmp_path: Path) -> Garbage:
    return strewn.copy(tmp_path)


@pytest.fixture(scope="session")
def users_once(migrated_once: Pod, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The same with users who hold an access key each, for tests to copy: creating them takes longer."""
    pod = migrated_once.copy(tmp_path_factory.mktemp("users"))
    keys = make_users(pod)
    pod.database.close()
    return Site(pod=pod, keys=keys)


@pytest.fixture(scope="session")
def site(users_once: Site) -> Iterator[Site]:
    """Migrated databases in a time zone that is not UTC, with users who hold an access key each."""
    with tempfile.TemporaryDirectory(prefix="site-") as folder:
        # The server may run as another user, who has to get to its own directory below.
        Path(folder).chmod(0o711)
        pod = replace(users_once.pod, settings=SETTINGS).copy(Path(folder))
        mount_server_secrets(pod)
        # A time that is stored without a zone, and not as UTC, is hours off here.
        pod.database.configure("timezone", "Asia/Tokyo")
        yield Site(pod=pod, keys=dict(users_once.keys))


@pytest.fixture(scope="session")
def server(site: Site) -> Iterator[Serving]:
    """One worker, as a pod runs it: a numeric user, a read-only root, and Services that gave their variables."""
    # Only root may become another user and mount anything.
    with Serving(pod=site.pod, confined=os.geteuid() == 0, environment=SERVICE_LINKS) as serving:
        yield serving.wait()
