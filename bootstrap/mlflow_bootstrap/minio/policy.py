"""The policy that gives one bucket and nothing else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.minio.client import ObjectStore

BUCKET_ACTIONS = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
OBJECT_ACTIONS = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)
"""What the tracking server's artifact proxy does, multipart uploads included; found by running it."""

_ABSENT = frozenset({"XMinioAdminNoSuchPolicy"})


def document(bucket: str) -> dict[str, Any]:
    """The policy for ``bucket``."""
    arn = f"arn:aws:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": list(BUCKET_ACTIONS), "Resource": [arn]},
            {"Effect": "Allow", "Action": list(OBJECT_ACTIONS), "Resource": [f"{arn}/*"]},
        ],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy of MinIO, owned whole."""

    store: ObjectStore
    name: str
    bucket: str
    needs: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``minio/policy/NAME``."""
        return f"minio/policy/{self.name}"

    @property
    def desired(self) -> State:
        """The document, whatever the order of its lists."""
        return _canonical(document(self.bucket))

    def read(self) -> State | None:
        """The same of what MinIO has."""
        found = self.store.call(self.address, lambda: self.store.admin.policy_info(self.name), absent=_ABSENT)
        return None if found is None else _canonical(json.loads(found))

    def create(self) -> None:
        """Make it."""
        wanted = document(self.bucket)
        self.store.call(self.address, lambda: self.store.admin.policy_add(self.name, policy=wanted))

    def update(self, current: State) -> None:
        """Replace it."""
        self.create()

    def delete(self) -> None:
        """Take it away."""
        self.store.call(self.address, lambda: self.store.admin.policy_remove(self.name), absent=_ABSENT)


def _canonical(found: Mapping[str, Any]) -> State:
    statements = [{key: _ordered(value) for key, value in one.items()} for one in _listed(found.get("Statement", []))]
    others = {key.lower(): value for key, value in found.items() if key not in ("Version", "Statement")}
    return {
        "version": found.get("Version"),
        "statements": sorted(statements, key=lambda statement: json.dumps(statement, sort_keys=True)),
        "others": others,
    }


def _ordered(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else [value] if isinstance(value, str) else value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
