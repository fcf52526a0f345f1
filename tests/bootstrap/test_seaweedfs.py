"""SeaweedFS as any other S3: bootstrap creates the bucket, tries the keys, sees drift, and deletes it again."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from objects import apply, plan, signs, silent

from cdk8s_mlflow.settings import Settings
from live.servers import Seaweedfs
from live.servers.seaweedfs import LIMITED
from mlflow_bootstrap import engine, minio
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.values import FixedValues

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(os.environ.get("OBJECT_STORE") != "seaweedfs", reason="`make test-stores` builds SeaweedFS"),
]

SettingsOf = Callable[..., Settings]


@pytest.fixture(scope="module")
def server(memory: Path) -> Iterator[Seaweedfs]:
    with Seaweedfs(data=memory / "seaweedfs") as server:
        yield server


def context(server: Seaweedfs, settings: Settings, *, probe: bool = False) -> Context:
    """With the store's keys, and no administrator's."""
    values = FixedValues({"s3": {"accesskey": server.root_user, "secretkey": server.root_password}})
    return Context(settings=settings, credentials=Credentials(environ={}, ask=None), values=values, probe=probe)


@pytest.mark.parametrize("versioned", [False, True])
def test_bucket_of_seaweedfs_is_created(server: Seaweedfs, settings_of: SettingsOf, versioned: bool) -> None:
    name = f"mlflow-{str(versioned).lower()}"
    artifacts = {"kind": "s3", "bucket": name, "versioned": versioned}
    settings = settings_of(artifacts=artifacts, bootstrap={"s3_endpoint": server.url})

    done = apply(context(server, settings))
    after = plan(context(server, settings, probe=True))
    data = frozenset({f"minio/bucket/{name}"})
    gone = engine.destroy(minio.removable(context(server, settings), data=data), report=silent)

    assert signs(done) == [f"+ minio/bucket/{name}", f"= minio/access/{name}"]
    assert signs(after) == [f"= minio/bucket/{name}", f"= minio/access/{name}"]
    assert signs(gone) == [f"- minio/bucket/{name}"]


def test_user_of_one_bucket_suffices(server: Seaweedfs, settings_of: SettingsOf) -> None:
    settings = settings_of(artifacts={"kind": "s3", "bucket": LIMITED}, bootstrap={"s3_endpoint": server.url})
    values = FixedValues({"s3": {"accesskey": LIMITED, "secretkey": server.root_password}})
    login = {"AWS_ACCESS_KEY_ID": server.root_user, "AWS_SECRET_ACCESS_KEY": server.root_password}
    limited = Context(settings=settings, credentials=Credentials(environ=login, ask=None), values=values, probe=True)

    done, after = apply(limited), plan(limited)

    assert done.failures == ()
    assert signs(after) == [f"= minio/bucket/{LIMITED}", f"= minio/access/{LIMITED}"]


def test_wrong_keys_are_refused_by_seaweedfs(server: Seaweedfs, settings_of: SettingsOf) -> None:
    settings = settings_of(artifacts={"kind": "s3", "bucket": "wrong"}, bootstrap={"s3_endpoint": server.url})
    values = FixedValues({"s3": {"accesskey": "unknown", "secretkey": "x" * 20}})
    login = {"AWS_ACCESS_KEY_ID": server.root_user, "AWS_SECRET_ACCESS_KEY": server.root_password}

    outcome = apply(Context(settings=settings, credentials=Credentials(environ=login, ask=None), values=values))

    assert "does not know the keys of the store" in str(outcome.failures[0])
