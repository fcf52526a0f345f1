"""The bucket that holds the artifacts."""

from collections.abc import Iterator
from dataclasses import dataclass

from minio.commonconfig import ENABLED
from minio.deleteobjects import DeleteObject
from minio.versioningconfig import VersioningConfig

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import RefusedError
from mlflow_bootstrap.minio.client import ObjectStore

_ABSENT = frozenset({"NoSuchBucket"})
_OURS_ALREADY = frozenset({"BucketAlreadyOwnedByYou"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket, and that it keeps old versions where that is asked for; nobody's versioning is switched off."""

    store: ObjectStore
    name: str
    region: str
    versioned: bool = False
    needs: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``minio/bucket/NAME``."""
        return f"minio/bucket/{self.name}"

    @property
    def desired(self) -> State:
        """Whether it must keep versions; nothing where it may do as it does."""
        return {"versioning": ENABLED} if self.versioned else {}

    def read(self) -> State | None:
        """The same, in one request."""
        if not self.versioned:
            there = self.store.call(self.address, lambda: self.store.s3.bucket_exists(self.name))
            return {} if there else None
        found = self.store.call(self.address, lambda: self.store.s3.get_bucket_versioning(self.name), absent=_ABSENT)
        return None if found is None else {"versioning": found.status}

    def create(self) -> None:
        """Make it."""
        self.store.call(self.address, lambda: self.store.s3.make_bucket(self.name, self.region), absent=_OURS_ALREADY)
        if self.versioned:
            self.update({})

    def update(self, current: State) -> None:
        """Switch versioning on."""
        configuration = VersioningConfig(ENABLED)
        self.store.call(self.address, lambda: self.store.s3.set_bucket_versioning(self.name, configuration))

    def delete(self) -> None:
        """Take every version of every object away, then the bucket."""
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
