"""Another S3 (here MinIO, only by its S3 API): the bucket, and that MLflow's keys can do what MLflow does."""

import json
from collections.abc import Callable

import pytest
from fault_proxy import FaultProxy, answers
from objects import SECRET, admin, apply, client, plan, signs, silent, state
from objects import context as minio_context

from cdk8s_mlflow.settings import Settings
from live.servers import Minio
from mlflow_bootstrap import engine, minio
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.errors import MissingError, RefusedError, UsageError
from mlflow_bootstrap.minio.policy import document
from mlflow_bootstrap.values import FixedValues

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]


@pytest.fixture
def other(settings_of: SettingsOf, minio_server: Minio) -> Settings:
    """Settings of an S3 whose users and policies others manage."""
    ours = settings_of(bootstrap={"s3_endpoint": minio_server.url})
    # Beside kind s3 the settings take no names of a user and a policy, which these tests create by themselves.
    return ours.model_copy(update={"artifacts": ours.artifacts.model_copy(update={"kind": "s3", "endpoint": None})})


def _context(server: Minio, settings: Settings, *, probe: bool = False, **environ: str) -> Context:
    login = {"AWS_ACCESS_KEY_ID": server.root_user, "AWS_SECRET_ACCESS_KEY": server.root_password}
    return minio_context(server, settings, probe=probe, **(login | environ))


def _user(server: Minio, settings: Settings, actions: list[str] | None = None) -> None:
    """A user with the rights of our policy, or with only ``actions`` on the objects."""
    artifacts, wanted = settings.artifacts, document(settings.artifacts.bucket)
    wanted["Statement"][1]["Action"] = actions or wanted["Statement"][1]["Action"]
    admin(server).policy_add(artifacts.policy, policy=wanted)
    admin(server).user_add(artifacts.user, SECRET)
    admin(server).attach_policy([artifacts.policy], user=artifacts.user)


def test_bucket_is_created_and_keys_are_tried(minio_server: Minio, other: Settings) -> None:
    _user(minio_server, other)
    bucket = other.artifacts.bucket

    done = apply(_context(minio_server, other))
    before = state(minio_server)
    verified = plan(_context(minio_server, other, probe=True))

    assert signs(done) == [f"+ minio/bucket/{bucket}", f"= minio/access/{bucket}"]
    assert signs(verified) == [f"= minio/bucket/{bucket}", f"= minio/access/{bucket}"]
    assert state(minio_server) == before
    assert before["objects"][bucket] == []


def test_plan_and_second_apply_write_nothing(minio_server: Minio, other: Settings) -> None:
    _user(minio_server, other, ["s3:GetObject"])
    apply(_context(minio_server, other))

    planned, again = plan(_context(minio_server, other)), apply(_context(minio_server, other))

    assert (planned.pending, planned.failures) == ((), ())
    assert (again.pending, again.failures) == ((), ())


UNKNOWN = answers(501, "<Error><Code>NotImplemented</Code></Error>", kind="application/xml")
"""What Garage says to a request that it does not have; `make test-stores STORE=garage` asks the real one."""


@pytest.mark.parametrize("versioned", [False, True])
def test_store_without_tags_gets_its_bucket(minio_server: Minio, other: Settings, versioned: bool) -> None:
    artifacts = other.artifacts.model_copy(update={"versioned": versioned})
    with FaultProxy(minio_server.url) as proxy:
        proxy.spoil(UNKNOWN, when=f"PUT /{artifacts.bucket}?tagging", times=100)
        proxy.spoil(UNKNOWN, when=f"GET /{artifacts.bucket}?tagging", times=100)
        bootstrap = other.bootstrap.model_copy(update={"s3_endpoint": proxy.url})
        settings = other.model_copy(update={"artifacts": artifacts, "bootstrap": bootstrap})
        _user(minio_server, settings)

        done, again = apply(_context(minio_server, settings)), apply(_context(minio_server, settings))
        data = frozenset({f"minio/bucket/{artifacts.bucket}"})
        engine.destroy(minio.removable(_context(minio_server, settings), data=data), report=silent)

    assert (done.failures, again.failures, again.pending) == ((), (), ())
    assert (client(minio_server).get_bucket_versioning(artifacts.bucket).status == "Enabled") is versioned
    # Without a tag it might be anyone's, so it has stayed.
    assert client(minio_server).bucket_exists(artifacts.bucket)


def test_lack_of_versions_is_named_by_its_setting(minio_server: Minio, other: Settings) -> None:
    artifacts = other.artifacts.model_copy(update={"versioned": True})
    with FaultProxy(minio_server.url) as proxy:
        proxy.spoil(UNKNOWN, when=f"PUT /{artifacts.bucket}?versioning")
        bootstrap = other.bootstrap.model_copy(update={"s3_endpoint": proxy.url})

        outcome = apply(
            _context(minio_server, other.model_copy(update={"artifacts": artifacts, "bootstrap": bootstrap}))
        )

    assert f"has no request for artifacts.versioned of minio/bucket/{artifacts.bucket}" in str(outcome.failures[0])


@pytest.mark.parametrize("missing", ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"])
def test_right_that_is_missing_is_found_by_verify(minio_server: Minio, other: Settings, missing: str) -> None:
    rights = [right for right in ("s3:PutObject", "s3:GetObject", "s3:DeleteObject") if right != missing]
    _user(minio_server, other, rights)
    apply(_context(minio_server, other))

    outcome = plan(_context(minio_server, other, probe=True))

    assert isinstance(outcome.failures[0].error, RefusedError)
    assert "refuses put, get or delete to the keys of the store (AccessDenied)" in str(outcome.failures[0])


def test_wrong_keys_of_store_are_refused(minio_server: Minio, other: Settings) -> None:
    outcome = apply(_context(minio_server, other))

    assert "does not know the keys of the store (InvalidAccessKeyId)" in str(outcome.failures[0])


def test_stored_keys_create_bucket_without_administrator(minio_server: Minio, other: Settings) -> None:
    values = FixedValues({"s3": {"accesskey": minio_server.root_user, "secretkey": minio_server.root_password}})
    credentials = _context(minio_server, other, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="").credentials

    done = apply(Context(settings=other, credentials=credentials, values=values, probe=True))

    assert done.failures == ()
    assert client(minio_server).bucket_exists(other.artifacts.bucket)


def test_without_keyss_keys_are_asked_for(minio_server: Minio, other: Settings) -> None:
    without_keys = minio_context(minio_server, other, secret=None)

    with pytest.raises(UsageError, match="set AWS_ACCESS_KEY_ID"):
        minio.resources(without_keys)


def test_keys_that_store_lacks_are_asked_for(minio_server: Minio, other: Settings) -> None:
    login = {"AWS_ACCESS_KEY_ID": minio_server.root_user, "AWS_SECRET_ACCESS_KEY": minio_server.root_password}

    outcome = apply(minio_context(minio_server, other, secret=None, **login))

    assert isinstance(outcome.failures[0].error, MissingError)
    assert "set MLFLOW_S3_ACCESSKEY and MLFLOW_S3_SECRETKEY" in str(outcome.failures[0])


def test_cloud_identity_is_left_to_its_pod(minio_server: Minio, settings_of: SettingsOf) -> None:
    cloud = settings_of(
        artifacts={"kind": "s3", "endpoint": None, "credentials": "service-account"},
        bootstrap={"s3_endpoint": minio_server.url},
    )

    assert signs(apply(_context(minio_server, cloud))) == [f"+ minio/bucket/{cloud.artifacts.bucket}"]


def test_destroy_keeps_foreign_users_and_policies(minio_server: Minio, other: Settings) -> None:
    _user(minio_server, other)
    apply(_context(minio_server, other))
    data = frozenset({f"minio/bucket/{other.artifacts.bucket}"})

    nothing = engine.destroy(minio.removable(_context(minio_server, other), data=frozenset()), report=silent)
    outcome = engine.destroy(minio.removable(_context(minio_server, other), data=data), report=silent)

    assert signs(nothing) == []
    assert signs(outcome) == [f"- minio/bucket/{other.artifacts.bucket}"]
    assert json.loads(admin(minio_server).user_info(other.artifacts.user))["status"] == "enabled"
