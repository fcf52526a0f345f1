"""MinIO, or another S3: the bucket, and where it is MinIO the policy and the user that has this bucket alone."""

from collections.abc import Sequence

from mlflow_bootstrap.engine import Removable, Resource
from mlflow_bootstrap.minio.access import Access
from mlflow_bootstrap.minio.bucket import Bucket
from mlflow_bootstrap.minio.client import ObjectStore
from mlflow_bootstrap.minio.policy import Policy
from mlflow_bootstrap.minio.user import User
from mlflow_bootstrap.systems import Context


def resources(context: Context) -> Sequence[Resource]:
    """Bucket, policy and user of MinIO; bucket and a check of the keys of another S3."""
    store = ObjectStore.of(context)
    others = _checks(context, store) if context.settings.artifacts.kind == "s3" else _ours(context, store)
    return [_bucket(context, store), *others]


def removable(context: Context, *, data: frozenset[str]) -> Sequence[Removable]:
    """Policy and user of MinIO; the bucket with all that is in it only where ``data`` names it."""
    artifacts = context.settings.artifacts
    bucket_named = f"minio/bucket/{artifacts.bucket}" in data
    if artifacts.kind == "s3" and not bucket_named:
        return []
    store = ObjectStore.of(context)
    buckets: list[Removable] = [_bucket(context, store)] if bucket_named else []
    return [*buckets, *([] if artifacts.kind == "s3" else _ours(context, store))]


def _bucket(context: Context, store: ObjectStore) -> Bucket:
    artifacts = context.settings.artifacts
    return Bucket(store=store, name=artifacts.bucket, region=artifacts.region, versioned=artifacts.versioned)


def _ours(context: Context, store: ObjectStore) -> list[Removable]:
    artifacts = context.settings.artifacts
    policy = Policy(store=store, name=artifacts.policy, bucket=artifacts.bucket)
    return [policy, User(store=store, settings=artifacts, values=context.values, needs=(policy.address,))]


def _checks(context: Context, store: ObjectStore) -> list[Resource]:
    artifacts = context.settings.artifacts
    # A cloud identity of the ServiceAccount can be tried in its pod alone.
    if artifacts.credentials == "service-account":
        return []
    needs = (f"minio/bucket/{artifacts.bucket}",)
    return [Access(store=store, bucket=artifacts.bucket, context=context, needs=needs)]
