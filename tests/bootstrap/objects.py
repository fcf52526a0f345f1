"""What the tests of MinIO share: runs of only its part, root's view, and the requests that the server took."""

import json
from typing import Any
from urllib.parse import urlsplit

from changes import named
from minio import Minio as Client
from minio import MinioAdmin
from minio.credentials.providers import StaticProvider

from cdk8s_mlflow.settings import Settings
from live.servers import Minio
from mlflow_bootstrap import engine, minio
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.engine import Outcome
from mlflow_bootstrap.ownership import Adoption
from mlflow_bootstrap.values import FixedValues

# MinIO takes secret keys from 8 to 40 characters.
SECRET = "a-secret-key-of-the-store-40-characters"


def context(
    server: Minio, settings: Settings, *, secret: str | None = SECRET, probe: bool = False, **environ: str
) -> Context:
    """Root's view; ``environ`` overrides its login."""
    given = {"MINIO_ADMIN_USER": server.root_user, "MINIO_ADMIN_PASSWORD": server.root_password} | environ
    values = {"s3": {"accesskey": settings.artifacts.user, "secretkey": secret}} if secret else {}
    credentials = Credentials(environ=given, ask=None)
    return Context(settings=settings, credentials=credentials, values=FixedValues(values), probe=probe)


def silent(_: object) -> None:
    """Discard the report."""


def apply(context: Context, adoption: Adoption = engine.NOTHING) -> Outcome:
    """Apply MinIO's part."""
    return engine.apply(minio.resources(context), report=silent, adoption=adoption)


def plan(context: Context, adoption: Adoption = engine.NOTHING) -> Outcome:
    """Plan MinIO's part."""
    return engine.plan(minio.resources(context), report=silent, adoption=adoption)


def signs(outcome: Outcome) -> list[str]:
    """The outcome as lines, failures last."""
    return [named(item) for item in (*outcome.changes, *outcome.failures)]


def client(server: Minio, user: str | None = None, secret: str = SECRET) -> Client:
    """S3 as ``user``, or as root."""
    keys = (user, secret) if user else (server.root_user, server.root_password)
    # A region, or the client would ask the server for it, which a user without rights may not.
    return Client(urlsplit(server.url).netloc, *keys, secure=False, region="us-east-1")


def admin(server: Minio) -> MinioAdmin:
    """The admin API as root."""
    login = StaticProvider(server.root_user, server.root_password)
    return MinioAdmin(endpoint=urlsplit(server.url).netloc, credentials=login, secure=False)


def state(server: Minio) -> dict[str, Any]:
    """Everything that root sees: buckets with versioning, users, policies."""
    root, boss = client(server), admin(server)
    names = [bucket.name for bucket in root.list_buckets()]
    return {
        "buckets": {name: root.get_bucket_versioning(name).status for name in names},
        "objects": {name: [found.object_name for found in root.list_objects(name, recursive=True)] for name in names},
        "users": json.loads(boss.user_list()),
        "policies": _ordered(json.loads(boss.policy_list())),
    }


def _ordered(value: Any) -> Any:
    """MinIO gives the actions of a policy in any order."""
    if isinstance(value, list):
        return sorted((_ordered(item) for item in value), key=str)
    return {key: _ordered(item) for key, item in value.items()} if isinstance(value, dict) else value
