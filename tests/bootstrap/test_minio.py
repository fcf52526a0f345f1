"""MinIO's bucket, policy and user on a real server: planned, created once, repaired, and nothing else changed."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from changes import named
from minio.commonconfig import ENABLED, Filter
from minio.error import S3Error
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule
from minio.versioningconfig import SUSPENDED, VersioningConfig
from objects import SECRET, admin, apply, client, context, plan, signs, silent, state

from cdk8s_mlflow.settings import Settings
from live.servers import Minio
from mlflow_bootstrap import engine, minio
from mlflow_bootstrap.difference import Secrecy
from mlflow_bootstrap.engine import Action
from mlflow_bootstrap.minio.policy import document

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]


@pytest.fixture
def ours(settings_of: SettingsOf, minio_server: Minio) -> Settings:
    """Settings that point at the session's server."""
    return settings_of(bootstrap={"s3_endpoint": minio_server.url})


def test_plan_on_empty_server_writes_nothing(minio_server: Minio, ours: Settings) -> None:
    before = state(minio_server)

    planned = plan(context(minio_server, ours, secret=None))

    assert [change.action for change in planned.changes] == [Action.CREATE] * 3
    assert planned.failures == ()
    assert state(minio_server) == before


def test_empty_server_gets_bucket_policy_and_user(minio_server: Minio, ours: Settings) -> None:
    artifacts = ours.artifacts

    done, after = apply(context(minio_server, ours)), plan(context(minio_server, ours))

    assert signs(done) == [
        f"+ minio/bucket/{artifacts.bucket}",
        f"+ minio/policy/{artifacts.policy}",
        f"+ minio/user/{artifacts.user}",
    ]
    assert (after.pending, after.failures) == ((), ())


def test_user_works_only_in_its_bucket(minio_server: Minio, ours: Settings) -> None:
    apply(context(minio_server, ours))
    bucket, other = ours.artifacts.bucket, f"other-{ours.artifacts.bucket}"
    client(minio_server).make_bucket(other)
    mlflow = client(minio_server, ours.artifacts.user)

    # Three parts, so that the rights of multipart uploads are tried, too; S3 takes no smaller part than 5 MiB.
    size = 12 * 1024 * 1024
    mlflow.put_object(bucket, "run/model", BytesIO(bytes(size)), size, part_size=5 * 1024 * 1024)
    with mlflow.get_object(bucket, "run/model") as answer:
        read = len(answer.read())
    names = [found.object_name for found in mlflow.list_objects(bucket, recursive=True)]
    mlflow.remove_object(bucket, "run/model")

    assert read == size
    assert names == ["run/model"]
    with pytest.raises(S3Error, match="AccessDenied"):
        list(mlflow.list_objects(other))
    with pytest.raises(S3Error, match="AccessDenied"):
        mlflow.make_bucket(f"more-{bucket}")
    with pytest.raises(S3Error, match="AccessDenied"):
        mlflow.remove_bucket(bucket)


@pytest.mark.parametrize("versioned", [False, True])
def test_second_apply_changes_nothing(minio_server: Minio, settings_of: SettingsOf, versioned: bool) -> None:
    ours = settings_of(artifacts={"versioned": versioned}, bootstrap={"s3_endpoint": minio_server.url})
    apply(context(minio_server, ours))
    before = state(minio_server)

    again = apply(context(minio_server, ours))

    assert (again.pending, again.failures) == ((), ())
    assert state(minio_server) == before
    assert before["buckets"][ours.artifacts.bucket] == (ENABLED if versioned else None)


def _statement_added(server: Minio, settings: Settings) -> None:
    wanted = document(settings.artifacts.bucket)
    more = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}
    admin(server).policy_add(settings.artifacts.policy, policy=wanted | {"Statement": [*wanted["Statement"], more]})


def _action_removed(server: Minio, settings: Settings) -> None:
    wanted = document(settings.artifacts.bucket)
    del wanted["Statement"][0]["Action"][0]
    admin(server).policy_add(settings.artifacts.policy, policy=wanted)


def _condition_added(server: Minio, settings: Settings) -> None:
    wanted = document(settings.artifacts.bucket)
    wanted["Statement"][0]["Condition"] = {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}
    admin(server).policy_add(settings.artifacts.policy, policy=wanted)


def _detached(server: Minio, settings: Settings) -> None:
    admin(server).detach_policy([settings.artifacts.policy], user=settings.artifacts.user)


def _disabled(server: Minio, settings: Settings) -> None:
    admin(server).user_disable(settings.artifacts.user)


def _another_secret(server: Minio, settings: Settings) -> None:
    admin(server).user_add(settings.artifacts.user, "a-secret-of-others")


@pytest.mark.parametrize(
    ("drift", "line"),
    [
        (_statement_added, "~ minio/policy/{0}  (statements)"),
        (_action_removed, "~ minio/policy/{0}  (statements)"),
        (_condition_added, "~ minio/policy/{0}  (statements)"),
        (_detached, "~ minio/user/{0}  (policy)"),
        (_disabled, "~ minio/user/{0}  (status, secret_key)"),
        (_another_secret, "~ minio/user/{0}  (secret_key)"),
    ],
)
def test_drift_is_seen_and_repaired(
    minio_server: Minio, ours: Settings, drift: Callable[[Minio, Settings], None], line: str
) -> None:
    apply(context(minio_server, ours))
    drift(minio_server, ours)

    planned, done, after = (run(context(minio_server, ours)) for run in (plan, apply, plan))

    assert [named(change) for change in planned.pending] == [line.format(ours.artifacts.user)]
    assert done.failures == ()
    assert (after.pending, after.failures) == ((), ())


def test_suspended_versioning_is_switched_on(minio_server: Minio, settings_of: SettingsOf) -> None:
    ours = settings_of(artifacts={"versioned": True}, bootstrap={"s3_endpoint": minio_server.url})
    apply(context(minio_server, ours))
    client(minio_server).set_bucket_versioning(ours.artifacts.bucket, VersioningConfig(SUSPENDED))

    planned, done, after = (run(context(minio_server, ours)) for run in (plan, apply, plan))

    assert [named(change) for change in planned.pending] == [f"~ minio/bucket/{ours.artifacts.bucket}  (versioning)"]
    assert done.failures == ()
    assert after.pending == ()


def test_versioning_stays_on_unless_asked(minio_server: Minio, ours: Settings) -> None:
    apply(context(minio_server, ours))
    client(minio_server).set_bucket_versioning(ours.artifacts.bucket, VersioningConfig(ENABLED))

    done = apply(context(minio_server, ours))

    assert done.pending == ()
    assert client(minio_server).get_bucket_versioning(ours.artifacts.bucket).status == ENABLED


def test_what_others_added_survives_repair(minio_server: Minio, ours: Settings) -> None:
    apply(context(minio_server, ours))
    bucket, user, root, boss = ours.artifacts.bucket, ours.artifacts.user, client(minio_server), admin(minio_server)
    root.set_bucket_lifecycle(
        bucket, LifecycleConfig([Rule(ENABLED, Filter(prefix=""), rule_id="old", expiration=Expiration(days=9))])
    )
    root.set_bucket_policy(bucket, json.dumps(_readable(bucket)))
    boss.policy_add(f"team-{bucket}", policy=_readable(bucket, principal=False))
    boss.attach_policy([f"team-{bucket}"], user=user)
    boss.user_add(f"other-{user}", SECRET)
    root.put_object(bucket, "kept", BytesIO(b"kept"), 4)
    before = _foreign(minio_server, ours)
    _detached(minio_server, ours)
    _another_secret(minio_server, ours)
    _statement_added(minio_server, ours)

    done, after = apply(context(minio_server, ours)), plan(context(minio_server, ours))

    assert (done.failures, after.pending) == ((), ())
    assert _foreign(minio_server, ours) == before


def _readable(bucket: str, *, principal: bool = True) -> dict[str, Any]:
    everyone = {"Principal": {"AWS": ["*"]}} if principal else {}
    statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{bucket}/public/*"]}
    return {"Version": "2012-10-17", "Statement": [statement | everyone]}


def _foreign(server: Minio, settings: Settings) -> tuple[Any, ...]:
    bucket, user, root, boss = settings.artifacts.bucket, settings.artifacts.user, client(server), admin(server)
    lifecycle = root.get_bucket_lifecycle(bucket)
    return (
        [rule.rule_id for rule in lifecycle.rules] if lifecycle else [],
        root.get_bucket_policy(bucket),
        json.loads(boss.policy_info(f"team-{bucket}")),
        sorted(json.loads(boss.user_info(user))["policyName"].split(",")),
        json.loads(boss.user_info(f"other-{user}"))["status"],
        [found.object_name for found in root.list_objects(bucket)],
    )


def test_policy_that_is_attached_already_is_fine(minio_server: Minio, ours: Settings) -> None:
    apply(context(minio_server, ours))
    user = minio.resources(context(minio_server, ours))[2]

    # As a run does that has read before another one attached the policy.
    user.update({"status": "enabled", "secret_key": Secrecy.RIGHT, "policy": False})

    assert plan(context(minio_server, ours)).pending == ()


def test_key_that_signs_rightly_is_not_written_again(minio_server: Minio, ours: Settings) -> None:
    user, policy, boss = ours.artifacts.user, ours.artifacts.policy, admin(minio_server)
    boss.policy_add(policy, policy=document(ours.artifacts.bucket))
    boss.user_add(user, SECRET)
    boss.attach_policy([policy], user=user)
    before = json.loads(boss.user_info(user))["updatedAt"]

    done = apply(context(minio_server, ours))

    assert signs(done)[1:] == [f"= minio/policy/{policy}", f"= minio/user/{user}"]
    assert json.loads(boss.user_info(user))["updatedAt"] == before


@pytest.mark.parametrize("name", ["Dots.and_under-Scores", "UPPER", "123", "-._"])
def test_any_name_that_settings_take_works(minio_server: Minio, settings_of: SettingsOf, name: str) -> None:
    ours = settings_of(artifacts={"user": name, "policy": name}, bootstrap={"s3_endpoint": minio_server.url})

    done, after = apply(context(minio_server, ours)), plan(context(minio_server, ours))

    assert (done.failures, after.pending) == ((), ())


def test_destroy_takes_user_and_policy_and_keeps_bucket(minio_server: Minio, ours: Settings) -> None:
    apply(context(minio_server, ours))
    client(minio_server).put_object(ours.artifacts.bucket, "kept", BytesIO(b"kept"), 4)

    outcome = engine.destroy(minio.removable(context(minio_server, ours), data=frozenset()), report=silent)

    assert signs(outcome) == [f"- minio/user/{ours.artifacts.user}", f"- minio/policy/{ours.artifacts.policy}"]
    assert state(minio_server)["objects"][ours.artifacts.bucket] == ["kept"]


def test_destroy_deletes_named_bucket_with_every_version(minio_server: Minio, settings_of: SettingsOf) -> None:
    ours = settings_of(artifacts={"versioned": True}, bootstrap={"s3_endpoint": minio_server.url})
    apply(context(minio_server, ours))
    bucket, root = ours.artifacts.bucket, client(minio_server)
    for content in (b"one", b"two"):
        root.put_object(bucket, "a/model", BytesIO(content), 3)
    root.remove_object(bucket, "a/model")
    data = frozenset({f"minio/bucket/{bucket}"})

    outcome = engine.destroy(minio.removable(context(minio_server, ours), data=data), report=silent)
    again = engine.destroy(minio.removable(context(minio_server, ours), data=data), report=silent)

    assert signs(outcome)[-1] == f"- minio/bucket/{bucket}"
    assert outcome.failures == ()
    assert not root.bucket_exists(bucket)
    assert [change.action for change in again.changes] == [Action.KEEP] * 3


def test_policy_that_others_use_is_kept(minio_server: Minio, ours: Settings) -> None:
    apply(context(minio_server, ours))
    admin(minio_server).user_add(f"other-{ours.artifacts.user}", SECRET)
    admin(minio_server).attach_policy([ours.artifacts.policy], user=f"other-{ours.artifacts.user}")

    outcome = engine.destroy(minio.removable(context(minio_server, ours), data=frozenset()), report=silent)

    assert [str(failure).split(":")[0] for failure in outcome.failures] == [f"! minio/policy/{ours.artifacts.policy}"]
    assert ours.artifacts.policy in state(minio_server)["policies"]


def test_prefix_limits_the_user_to_its_folder(minio_server: Minio, settings_of: SettingsOf) -> None:
    ours = settings_of(artifacts={"prefix": "team/ml"}, bootstrap={"s3_endpoint": minio_server.url})

    done, after = apply(context(minio_server, ours)), plan(context(minio_server, ours))

    user, bucket = client(minio_server, ours.artifacts.user), ours.artifacts.bucket
    user.put_object(bucket, "team/ml/1/model", BytesIO(b"x"), 1)
    assert [found.object_name for found in user.list_objects(bucket, "team/ml/", recursive=True)] == ["team/ml/1/model"]
    for refused in (
        # Of the same first letters: a policy without the slash would let it pass.
        lambda: user.put_object(bucket, "team/mlx/1", BytesIO(b"x"), 1),
        lambda: list(user.list_objects(bucket)),
        lambda: list(user.list_objects(bucket, "team/")),
        lambda: user.get_object(bucket, "other"),
    ):
        with pytest.raises(S3Error, match="AccessDenied"):
            refused()
    assert done.failures == ()
    assert (after.pending, after.failures) == ((), ())
