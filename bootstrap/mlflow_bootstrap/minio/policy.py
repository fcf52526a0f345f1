"""The policy that gives one bucket and nothing else; its ``ID`` is our mark.

Source of ``ID``: the ``Id`` of a policy document, "IAM JSON policy elements"; MinIO keeps it as it is given.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.minio.connection import NO_SUCH_POLICY, ObjectStore
from mlflow_bootstrap.ownership import OWNER, Owner, Standing, mark_text, owner_of, read_mark

BUCKET_ACTIONS = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
OBJECT_ACTIONS = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)
"""What the tracking server's artifact proxy does, multipart uploads included; found by running it."""

USER = "user"
"""Kept beside the mark if the user was adopted: what it was like."""
POLICY = "policy"
"""Kept beside the mark of an adopted policy: the document as it was found."""


def document(bucket: str, folder: str = "") -> dict[str, Any]:
    """The policy for ``bucket``, or for the keys that begin with ``folder``, which ends with a slash."""
    arn = f"arn:aws:s3:::{bucket}"
    objects = {"Effect": "Allow", "Action": list(OBJECT_ACTIONS), "Resource": [f"{arn}/{folder}*"]}
    whole = {"Effect": "Allow", "Action": list(BUCKET_ACTIONS), "Resource": [arn]}
    # The version of the language of policies; the older one knows no variables.
    return {"Version": "2012-10-17", "Statement": [*(_listing(arn, folder) if folder else [whole]), objects]}


def _listing(arn: str, folder: str) -> list[dict[str, Any]]:
    """Listing of one folder; uploads in progress cannot be listed by folder, and the server does not list them."""
    within = {"StringLike": {"s3:prefix": [f"{folder}*"]}}
    return [
        {"Effect": "Allow", "Action": ["s3:GetBucketLocation"], "Resource": [arn]},
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [arn], "Condition": within},
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy of MinIO, owned whole."""

    store: ObjectStore
    name: str
    bucket: str
    serves: Callable[[], bool] = lambda: False
    """Whether our bucket names it, or our user has it: it is then ours even if it was rewritten."""
    depends_on: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``minio/policy/NAME``."""
        return f"minio/policy/{self.name}"

    @property
    def _document(self) -> dict[str, Any]:
        return document(self.bucket, self.store.settings.artifacts.folder)

    @property
    def desired(self) -> State:
        """The document, whatever the order of its lists."""
        return _canonical(self._document)

    def read(self) -> State | None:
        """The same of what MinIO has."""
        found = self.store.policy(self.name)
        if found is None:
            return None
        return {**_canonical(found), OWNER: self._owner(found)}

    def _owner(self, found: Mapping[str, Any]) -> Owner:
        mark, kept = read_mark(found.get("ID"))
        if mark is None and self.serves():
            mark = self._instance
        earlier, adopted = self.is_of_earlier_release, POLICY in (kept or {})
        return owner_of(mark, self._instance, setting="artifacts.policy", earlier=earlier, adopted=adopted)

    @property
    def is_of_earlier_release(self) -> bool:
        """Whether it gives exactly what ours gives, and has no mark of anyone."""
        found = self.store.policy(self.name)
        return found is not None and not found.get("ID") and _canonical(found) == self.desired

    @property
    def is_ours(self) -> bool:
        """Whether there is one that is ours, or as an earlier release created it."""
        found = self.store.policy(self.name)
        return found is not None and self._owner(found).standing is not Standing.FOREIGN

    @property
    def is_marked(self) -> bool:
        """Whether there is one with our mark."""
        return self._mark[0] == self._instance

    @property
    def kept(self) -> Mapping[str, Any]:
        """What is kept beside our mark."""
        return self._mark[1] or {}

    def keep(self, **values: Any) -> None:
        """Keep ``values`` beside our mark, and forget those that are None."""
        found = self.store.policy(self.name)
        self._write(self._document if found is None else found, {**self.kept, **values})

    def announce_bucket(self) -> None:
        """Say that a bucket without a mark is one that we are creating: MinIO takes no tags with a new bucket."""
        self.store.set_policy(self._announcement, {**self._document, "ID": mark_text(self._instance)})

    @property
    def announces_bucket(self) -> bool:
        """Whether that was said, and the policy itself was not created since."""
        return read_mark((self.store.policy(self._announcement) or {}).get("ID"))[0] == self._instance

    @property
    def _announcement(self) -> str:
        return f"{self.name}.creating-bucket"

    def create(self) -> None:
        """Create it with our mark; by now its bucket needs no announcement any more."""
        # First, or a run that dies between both would leave an announcement of a bucket that is marked.
        self.store.call(self.address, lambda: self.store.admin.policy_remove(self._announcement), absent=NO_SUCH_POLICY)
        self._write(self._document, self.kept)

    def update(self, current: State) -> None:
        """Replace it."""
        self._write(self._document, self.kept)

    def adopt(self, current: State) -> None:
        """Add our mark to it, and keep beside it what was found."""
        found = self.store.policy(self.name) or {}
        kept = {} if current[OWNER].standing is Standing.EARLIER else {POLICY: found}
        self._write(found, kept)

    def release(self, current: State) -> None:
        """Put the document back that was found."""
        self.store.set_policy(self.name, self.kept[POLICY])

    def delete(self) -> None:
        """Delete it."""
        self.store.policies.pop(self.name, None)
        self.store.call(self.address, lambda: self.store.admin.policy_remove(self.name), absent=NO_SUCH_POLICY)

    def _write(self, content: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
        values = {name: value for name, value in kept.items() if value is not None}
        self.store.set_policy(self.name, {**content, "ID": mark_text(self._instance, values or None)})

    @property
    def _mark(self) -> tuple[str | None, Mapping[str, Any] | None]:
        return read_mark((self.store.policy(self.name) or {}).get("ID"))

    @property
    def _instance(self) -> str:
        return self.store.settings.instance


def _canonical(found: Mapping[str, Any]) -> dict[str, Any]:
    statements = [{key: _ordered(value) for key, value in one.items()} for one in _listed(found.get("Statement", []))]
    others = {key.lower(): value for key, value in found.items() if key not in ("ID", "Version", "Statement")}
    return {
        "version": found.get("Version"),
        "statements": sorted(statements, key=lambda statement: json.dumps(statement, sort_keys=True)),
        "others": others,
    }


def _ordered(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else [value] if isinstance(value, str) else value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
