"""MinIO's bucket, policy and user on a real server: planned, made once, repaired, and nothing else touched."""

from collections.abc import Callable

import pytest

from bootstrap import minio
from bootstrap.credentials import Credentials
from bootstrap.engine import Action, Outcome, apply, plan
from bootstrap.systems import Context
from bootstrap.values import FixedValues
from cdk8s_mlflow.settings import Settings
from live.servers import Minio

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]
SECRET = "a-secret-key-of-the-store-40-characters"


def _context(server: Minio, settings: Settings, *, secret: str | None = SECRET, **environ: str) -> Context:
    given = {"MINIO_ADMIN_USER": server.root_user, "MINIO_ADMIN_PASSWORD": server.root_password} | environ
    values = {"s3": {"accesskey": settings.artifacts.user, "secretkey": secret}} if secret else {}
    return Context(settings=settings, credentials=Credentials(environ=given, ask=None), values=FixedValues(values))


def _silent(_: object) -> None:
    return None


def _apply(context: Context) -> Outcome:
    return apply(minio.resources(context), report=_silent)


def _plan(context: Context) -> Outcome:
    return plan(minio.resources(context), report=_silent)


@pytest.fixture
def ours(settings_of: SettingsOf, minio_server: Minio) -> Settings:
    """Settings that point at the session's server."""
    return settings_of(bootstrap={"s3_endpoint": minio_server.url})


def test_an_empty_server_gets_bucket_policy_and_user(minio_server: Minio, ours: Settings) -> None:
    context = _context(minio_server, ours)

    planned, done, after = _plan(context), _apply(context), _plan(context)

    assert planned.failures == ()
    assert [change.action for change in planned.changes] == [Action.CREATE] * 3
    assert done.failures == ()
    assert [change.action for change in done.changes] == [Action.CREATE] * 3
    assert [change.action for change in after.changes] == [Action.KEEP] * 3
