"""Real servers for the image's programs, shared by a session; databases, bucket and Secrets anew for each test."""

from collections.abc import Callable, Iterator

import pytest
from pod import Bucket, Database, Pod, Venv

from live.servers import Minio, Postgres

RELEASES = ("3.6.0", "3.17.2")


@pytest.fixture(scope="session", params=RELEASES)
def venv(request: pytest.FixtureRequest) -> Venv:
    """Each release in turn."""
    venv = Venv(release=request.param)
    if not venv.mlflow_sso.exists():
        pytest.fail(f"{venv.path} is missing; run `make setup-image`")
    return venv


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def minio() -> Iterator[Minio]:
    with Minio() as server:
        yield server


@pytest.fixture(scope="session")
def make_pod(
    venv: Venv, postgres: Postgres, minio: Minio, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Pod]:
    """Pods of the release with empty databases; keyword arguments are settings of the environment."""

    def make(**settings: str) -> Pod:
        database, bucket = Database(server=postgres), Bucket(server=minio)
        database.create()
        bucket.client.make_bucket(bucket.name)
        folder = tmp_path_factory.mktemp(database.label)
        pod = Pod(venv=venv, folder=folder, database=database, bucket=bucket, settings=settings)
        pod.mount()
        return pod

    return make


@pytest.fixture
def pod(make_pod: Callable[..., Pod]) -> Pod:
    """A pod with empty databases and an empty bucket."""
    return make_pod()
