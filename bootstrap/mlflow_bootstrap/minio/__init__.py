"""MinIO, or another S3: the bucket, and on MinIO the policy and the user that has only this bucket."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from mlflow_bootstrap.context import Context
from mlflow_bootstrap.minio.access import Access
from mlflow_bootstrap.minio.bucket import POLICY_TAG, USER_TAG, Bucket
from mlflow_bootstrap.minio.connection import ObjectStore
from mlflow_bootstrap.minio.policy import Policy
from mlflow_bootstrap.minio.second_user import SecondUser
from mlflow_bootstrap.minio.user import User
from mlflow_bootstrap.resource import Removable, Resource


def resources(context: Context) -> Sequence[Resource]:
    """Bucket, policy and user of MinIO; bucket and a check of the keys of another S3."""
    if not context.settings.artifacts.speaks_s3:
        return []
    store = ObjectStore.of(context)
    if context.settings.artifacts.kind == "s3":
        return [_bucket(context, store), *_checks(context, store)]
    return _ours(context, store)


def removable(context: Context, *, data: frozenset[str]) -> Sequence[Removable]:
    """Policy and user of MinIO; the bucket with all that is in it only if ``data`` names it."""
    artifacts = context.settings.artifacts
    if not artifacts.speaks_s3:
        return []
    bucket_named = f"minio/bucket/{artifacts.bucket}" in data
    if artifacts.kind == "s3":
        return [_bucket(context, ObjectStore.of(context))] if bucket_named else []
    store = ObjectStore.of(context)
    bucket, *others = _ours(context, store)
    _, second = users(context, store)
    # Only a renewal that was cut off leaves it.
    others += [second] if second.read() is not None else []
    # Without data the bucket stays, but neither the right to it nor the user of it.
    return [bucket, *others] if bucket_named else others


def users(context: Context, store: ObjectStore) -> tuple[User, SecondUser]:
    """MLflow's user of MinIO, and the one that it logs in as while the password of the first is renewed."""
    artifacts, values = context.settings.artifacts, context.values
    policy = Policy(store=store, name=artifacts.policy, bucket=artifacts.bucket)
    first = User(store=store, settings=artifacts, values=values, policy=policy, name=artifacts.user)
    second = SecondUser(store=store, settings=artifacts, values=values, policy=policy, name=artifacts.second_user)
    return first, second


def _bucket(context: Context, store: ObjectStore) -> Bucket:
    artifacts = context.settings.artifacts
    return Bucket(store=store, name=artifacts.bucket, region=artifacts.region, versioned=artifacts.versioned)


def _ours(context: Context, store: ObjectStore) -> list[Removable]:
    """Bucket, policy and user, each of which may prove that another is ours."""
    artifacts, plain = context.settings.artifacts, _bucket(context, store)
    first, _ = users(context, store)
    named = first.policy
    named_by_bucket = partial(plain.names, USER_TAG, artifacts.user)
    user = replace(first, named_by_bucket=named_by_bucket, depends_on=(named.address,))
    # A right to a bucket of others is given to no one.
    policy = replace(
        named,
        serves=lambda: plain.names(POLICY_TAG, artifacts.policy) or user.has_policy(),
        depends_on=(plain.address,),
    )
    return [replace(plain, policy=policy, user=user), policy, user]


def _checks(context: Context, store: ObjectStore) -> list[Resource]:
    artifacts = context.settings.artifacts
    # A cloud identity of the ServiceAccount can be tried only in its pod.
    if artifacts.credentials != "keys":
        return []
    depends_on = (f"minio/bucket/{artifacts.bucket}",)
    return [Access(store=store, bucket=artifacts.bucket, context=context, depends_on=depends_on)]
