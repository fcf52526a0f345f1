"""Other stores of S3, each for real: bootstrap creates the bucket, tries the keys, sees drift, and deletes it again."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from objects import apply, plan, signs, silent

from cdk8s_mlflow.settings import Settings
from live.servers import S3Store
from mlflow_bootstrap import engine, minio
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.values import FixedValues
from testbed.servers import Ceph, Garage, Seaweedfs
from testbed.servers.seaweedfs import LIMITED

STORES: Mapping[str, type[S3Store]] = {"seaweedfs": Seaweedfs, "garage": Garage, "ceph": Ceph}
STORE = os.environ.get("OBJECT_STORE", "")
PLAIN = STORE == "garage"
"""Whether the store keeps neither versions of objects nor tags of buckets."""

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(STORE not in STORES, reason="`make test-stores` builds the stores"),
]

SettingsOf = Callable[..., Settings]


@pytest.fixture(scope="module")
def server(memory: Path) -> Iterator[S3Store]:
    with STORES[STORE](data=memory / STORE) as server:
        yield server


def context(server: S3Store, settings: Settings, *, probe: bool = False) -> Context:
    """With the store's keys, and no administrator's."""
    values = FixedValues({"s3": {"accesskey": server.root_user, "secretkey": server.root_password}})
    return Context(settings=settings, credentials=Credentials(environ={}, ask=None), values=values, probe=probe)


def bucket_settings(server: S3Store, settings_of: SettingsOf, *, versioned: bool) -> Settings:
    artifacts = {"kind": "s3", "endpoint": None, "bucket": f"mlflow-{str(versioned).lower()}", "versioned": versioned}
    return settings_of(artifacts=artifacts, bootstrap={"s3_endpoint": server.url})


def destroyed(server: S3Store, settings: Settings) -> list[str]:
    data = frozenset({f"minio/bucket/{settings.artifacts.bucket}"})
    return signs(engine.destroy(minio.removable(context(server, settings), data=data), report=silent))


@pytest.mark.parametrize(
    "versioned", [False, pytest.param(True, marks=pytest.mark.skipif(PLAIN, reason="no versions"))]
)
def test_bucket_is_created_and_deleted(server: S3Store, settings_of: SettingsOf, versioned: bool) -> None:
    settings = bucket_settings(server, settings_of, versioned=versioned)
    name = settings.artifacts.bucket

    done, again = apply(context(server, settings)), apply(context(server, settings))
    after = plan(context(server, settings, probe=True))
    gone = destroyed(server, settings)

    assert signs(done) == [f"+ minio/bucket/{name}", f"= minio/access/{name}"]
    for later in (again, after):
        assert (later.failures, later.pending) == ((), ())
    # Without a tag it might be anyone's, so it stays.
    assert gone[0].startswith(f"{'=' if PLAIN else '-'} minio/bucket/{name}")


@pytest.mark.skipif(not PLAIN, reason="keeps versions")
def test_lack_of_versions_is_named_by_its_setting(server: S3Store, settings_of: SettingsOf) -> None:
    outcome = apply(context(server, bucket_settings(server, settings_of, versioned=True)))

    assert "has no request for artifacts.versioned of minio/bucket/mlflow-true" in str(outcome.failures[0])


@pytest.mark.skipif(STORE != "seaweedfs", reason="its settings have a user of one bucket")
def test_user_of_one_bucket_suffices(server: S3Store, settings_of: SettingsOf) -> None:
    settings = settings_of(
        artifacts={"kind": "s3", "endpoint": None, "bucket": LIMITED}, bootstrap={"s3_endpoint": server.url}
    )
    values = FixedValues({"s3": {"accesskey": LIMITED, "secretkey": server.root_password}})
    login = {"AWS_ACCESS_KEY_ID": server.root_user, "AWS_SECRET_ACCESS_KEY": server.root_password}
    limited = Context(settings=settings, credentials=Credentials(environ=login, ask=None), values=values, probe=True)

    done, after = apply(limited), plan(limited)

    assert done.failures == ()
    assert signs(after) == [f"= minio/bucket/{LIMITED}", f"= minio/access/{LIMITED}"]


def test_wrong_keys_are_refused(server: S3Store, settings_of: SettingsOf) -> None:
    settings = settings_of(
        artifacts={"kind": "s3", "endpoint": None, "bucket": "wrong"}, bootstrap={"s3_endpoint": server.url}
    )
    values = FixedValues({"s3": {"accesskey": "GK0123456789abcdef01234567", "secretkey": "0" * 64}})
    login = {"AWS_ACCESS_KEY_ID": server.root_user, "AWS_SECRET_ACCESS_KEY": server.root_password}

    outcome = apply(Context(settings=settings, credentials=Credentials(environ=login, ask=None), values=values))

    # Garage calls an unknown login one without rights.
    said = "refuses list to the keys of the store (AccessDenied)" if PLAIN else "does not know the keys of the store"
    assert said in str(outcome.failures[0])
