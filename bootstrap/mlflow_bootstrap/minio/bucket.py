"""The bucket that holds the artifacts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from minio.commonconfig import ENABLED, Tags
from minio.deleteobjects import DeleteObject
from minio.versioningconfig import SUSPENDED, VersioningConfig

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import RefusedError
from mlflow_bootstrap.minio.connection import ObjectStore
from mlflow_bootstrap.minio.policy import Policy
from mlflow_bootstrap.minio.user import User
from mlflow_bootstrap.ownership import FOUND, MARK, OWNER, Owner, Standing, owner_of

POLICY_TAG, USER_TAG = "cdk8s-mlflow.policy", "cdk8s-mlflow.user"
"""Tags that name the policy and the user that are ours, so that neither is lost if both are rewritten."""
_ABSENT = frozenset({"NoSuchBucket"})
_OURS_ALREADY = frozenset({"BucketAlreadyOwnedByYou"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket with our tag, and that it keeps old versions if that is asked for; versioning is never switched off."""

    store: ObjectStore
    name: str
    region: str
    versioned: bool = False
    policy: Policy | None = None
    """Our policy for it; None for an S3 that has none of ours."""
    user: User | None = None
    """Our user of it; likewise."""
    depends_on: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``minio/bucket/NAME``."""
        return f"minio/bucket/{self.name}"

    @property
    def desired(self) -> State:
        """Our tag, and that it keeps versions if it must."""
        tagged = {"tagged": True} if self.policy is not None else {}
        return tagged | ({"versioning": ENABLED} if self.versioned else {})

    def read(self) -> State | None:
        """The same as the store has it, and whose it is."""
        tags = self._tags()
        if tags is None:
            return None
        if MARK not in tags and self.policy is not None and not self.policy.announces_bucket:
            # Another run may have tagged it, and taken the announcement back, since the tags were read.
            tags = self._tags() or {}
        versioning = {"versioning": self._versioning()} if self.versioned else {}
        return {"tagged": MARK in tags, **versioning, OWNER: self._owner(tags)}

    def _versioning(self) -> str | None:
        # Asked only if it is ours to say: the right to read it is one more.
        found = self.store.call(self.address, lambda: self.store.s3.get_bucket_versioning(self.name))
        return found.status if found else None

    def _tags(self) -> dict[str, str] | None:
        """Its tags, empty if it has none; None if there is no bucket."""
        try:
            found = self.store.call(self.address, lambda: self.store.s3.get_bucket_tags(self.name), absent=_ABSENT)
        except RefusedError:
            # Other S3 may not know tags, or give no right to them.
            if self.policy is not None:
                raise
            found = None
        if found:
            return dict(found)
        # MinIO says of a missing bucket that it has no tags.
        there = self.store.call(self.address, lambda: self.store.s3.bucket_exists(self.name))
        return {} if there else None

    def _owner(self, tags: Mapping[str, str]) -> Owner:
        mark, policy = tags.get(MARK), self.policy
        if mark is None and policy is not None and policy.announces_bucket:
            mark = self._instance
        return owner_of(
            mark,
            self._instance,
            setting="artifacts.bucket",
            earlier=mark is None and policy is not None and policy.is_of_earlier_release,
            # Another S3 is prepared by others, who name the bucket to us.
            usable=mark is None and policy is None,
            # Another S3 may know no tags, or give no right to them.
            markless=policy is None,
            adopted=FOUND in tags,
        )

    def create(self) -> None:
        """Create it and tag it, after the policy has announced it."""
        if self.policy is not None:
            self.policy.announce_bucket()
        made = self.store.call(self.address, self._make, absent=_OURS_ALREADY)
        # Created by another run at the same time, it may bear that run's tags.
        tags = {} if made else self._tags() or {}
        if MARK not in tags:
            self._mark(tags)
        self.update({"tagged": True})

    def _mark(self, tags: Mapping[str, str]) -> None:
        try:
            self._set_tags(tags, self._marks)
        except RefusedError:
            # Without tags, a bucket of another S3 is used all the same, and never deleted.
            if self.policy is not None:
                raise

    def _make(self) -> bool:
        self.store.s3.make_bucket(self.name, self.region)
        return True

    def adopt(self, current: State) -> None:
        """Tag it, and note in a second tag whether it kept versions."""
        found = f"versioning {self._versioning() or 'off'}"
        kept = {} if current[OWNER].standing is Standing.EARLIER else {FOUND: found}
        self._set_tags(self._tags() or {}, {**self._marks, **kept})

    def release(self, current: State) -> None:
        """Remove our tags, and suspend versioning that we switched on; S3 cannot switch it off."""
        tags = self._tags() or {}
        if self.versioned and tags.get(FOUND) != f"versioning {ENABLED}":
            suspended = VersioningConfig(SUSPENDED)
            self.store.call(self.address, lambda: self.store.s3.set_bucket_versioning(self.name, suspended))
        self._set_tags(tags, dict.fromkeys((MARK, FOUND, POLICY_TAG, USER_TAG)))

    @property
    def _marks(self) -> dict[str, str]:
        """Our tag, and the names of policy and user if they do not exist yet, or are ours."""
        marks = {MARK: self._instance}
        if self.policy is not None and (self.policy.read() is None or self.policy.is_ours):
            marks[POLICY_TAG] = self.policy.name
        if self.user is not None and self.user.is_free_or_ours():
            marks[USER_TAG] = self.user.name
        return marks

    def names(self, tag: str, name: str) -> bool:
        """Whether our bucket says that ``name`` is ours."""
        tags = self._tags() or {}
        return tags.get(MARK) == self._instance and tags.get(tag) == name

    def _set_tags(self, found: Mapping[str, str], changes: Mapping[str, str | None]) -> None:
        merged = {**found, **changes}
        tags = Tags.new_bucket_tags()
        tags.update({name: value for name, value in merged.items() if value is not None})
        request = partial(self.store.s3.set_bucket_tags, self.name, tags)
        # To have no tags at all is a request of its own.
        self.store.call(self.address, request if tags else partial(self.store.s3.delete_bucket_tags, self.name))

    @property
    def _instance(self) -> str:
        return self.store.settings.instance

    def update(self, current: State) -> None:
        """Tag it if its creation was interrupted, and switch versioning on."""
        if not current["tagged"]:
            self._set_tags(self._tags() or {}, self._marks)
        if self.versioned:
            configuration = VersioningConfig(ENABLED)
            what = f"artifacts.versioned of {self.address}"
            self.store.call(what, lambda: self.store.s3.set_bucket_versioning(self.name, configuration))

    def delete(self) -> None:
        """Delete every version of every object, then the bucket."""
        self.store.call(self.address, self._empty, absent=_ABSENT)
        self.store.call(self.address, lambda: self.store.s3.remove_bucket(self.name), absent=_ABSENT)

    def _empty(self) -> None:
        for failed in self.store.s3.remove_objects(self.name, self._versions()):
            raise RefusedError(
                f"{self.name} keeps {failed.name} ({failed.code})", remedy="look for retention or a legal hold on it"
            )

    def _versions(self) -> Iterator[DeleteObject]:
        for found in self.store.s3.list_objects(self.name, recursive=True, include_version=True):
            yield DeleteObject(found.object_name, found.version_id)
