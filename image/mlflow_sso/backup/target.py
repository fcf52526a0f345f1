"""The folder in S3 that holds dumps.

In each are ``origin/``, which tells whose it is, ``<database>/`` with an object a table, and at last ``manifest/``.
"""

import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mlflow_sso import log
from mlflow_sso.backup.manifest import Manifest
from mlflow_sso.backup.origin import Origin, mark, server
from mlflow_sso.backup.streams import Digest, receive, send
from mlflow_sso.errors import ProgramError, TerminalError, UsageError
from mlflow_sso.object_store import Folder, s3_folder
from mlflow_sso.s3_store import Credentials, S3Store
from mlflow_sso.secrets_root import SecretsRoot

LATEST = "latest"
MANIFEST = "manifest"
ORIGIN = "origin"
_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}")
_LONGEST_ORIGIN = 4096
"""Bytes of the text that ``write_origin`` stores: a key of S3 has 1024 at most, a host 253."""
_INCOMPLETE = timedelta(days=1)
"""Age at which a dump without a manifest is no longer one that is being written."""


@dataclass(frozen=True, kw_only=True)
class Dump:
    """One dump of the target."""

    name: str
    folder: Folder
    is_complete: bool
    is_encrypted: bool
    mark: str | None
    """Of the installation that wrote it; None if an earlier image did."""

    @property
    def created(self) -> datetime:
        return datetime.strptime(self.name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where dumps are kept; every method raises ``ProgramError``."""

    store: S3Store
    folder: Folder

    @classmethod
    def from_environment(cls, root: SecretsRoot) -> "Target":
        """As the environment names it, with keys of its own if ``backup/`` is mounted, else those of the artifacts."""
        text = os.environ.get("MLFLOW_SSO_BACKUP_TARGET", "")
        folder = s3_folder(text)
        if folder is None:
            raise UsageError(
                f"MLFLOW_SSO_BACKUP_TARGET is {text or 'not set'}", remedy="set it to s3://BUCKET or s3://BUCKET/PREFIX"
            )
        _require_apart(folder)
        key = root.find("backup", "AWS_ACCESS_KEY_ID")
        own = Credentials(key, root.read("backup", "AWS_SECRET_ACCESS_KEY")) if key else None
        endpoint = os.environ.get("MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL")
        region = os.environ.get("MLFLOW_SSO_BACKUP_REGION")
        return cls(store=S3Store(endpoint=endpoint, region=region, credentials=own), folder=folder)

    def new(self, created: float) -> str:
        """A name that no dump has."""
        return f"{datetime.fromtimestamp(created, UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"

    def dumps(self) -> list[Dump]:
        """All dumps, newest first."""
        found = []
        folders = (folder for level in self.store.levels(self.folder) for folder in level.folders)
        for folder in folders:
            # SeaweedFS goes on listing a folder for a while whose last object was deleted.
            if _NAME.fullmatch(folder.name) and self.store.page(folder, limit=1).objects:
                keys = {key.rpartition("/")[2] for key, _ in self.store.page(folder / "manifest").objects}
                found.append(
                    Dump(
                        name=folder.name,
                        folder=folder,
                        is_complete=bool(keys),
                        is_encrypted="manifest.json.zst.age" in keys,
                        mark=self._mark(folder),
                    )
                )
        return sorted(found, key=lambda dump: dump.name, reverse=True)

    def find(self, name: str) -> Dump:
        """The complete dump ``name``, or the newest for ``latest``."""
        complete = [dump for dump in self.dumps() if dump.is_complete]
        for dump in complete:
            if name in (LATEST, dump.name):
                return dump
        known = ", ".join(dump.name for dump in complete[:5]) or "none"
        raise TerminalError(f"{self.folder} holds no complete dump {name}", remedy=f"complete are: {known}")

    def newest_of(self, origin: Origin) -> str | None:
        """Name of the newest complete dump that bears the mark of ``origin``; None if there is none."""
        return next((dump.name for dump in self.dumps() if dump.is_complete and dump.mark == origin.mark), None)

    def write_origin(self, name: str, origin: Origin, keys: list[Any]) -> None:
        """Say whose the dump ``name`` is, before anything else of it; the mark is in the name of the object."""
        folder, file = self.folder / name / ORIGIN, _origin_file(origin.mark, encrypted=bool(keys))
        text = origin.text.encode()
        send(lambda stream: stream.write(text), lambda stream: self.store.upload(folder, file, stream), keys)

    def read_origin(self, dump: Dump, keys: list[Any]) -> str | None:
        """Where the artifacts of a dump are; None if it does not say, or only to another of ``keys``."""
        if dump.mark is None or (dump.is_encrypted and not keys):
            return None
        parts: list[bytes] = []
        stream = self.store.open(dump.folder / ORIGIN, _origin_file(dump.mark, encrypted=dump.is_encrypted))
        receive(stream, lambda source: parts.append(source.read(_LONGEST_ORIGIN)), keys if dump.is_encrypted else [])
        text = b"".join(parts).decode(errors="replace")
        return text if mark(text) == dump.mark else None

    def write(self, name: str, part: str, copy: Any, keys: list[Any]) -> Digest:
        """Store what ``copy`` writes as ``part`` of the dump ``name``."""
        folder, file = self._place(name, part, encrypted=bool(keys))
        return send(copy, lambda stream: self.store.upload(folder, file, stream), keys)

    def read(self, dump: Dump, part: str, copy: Any, keys: list[Any]) -> Digest:
        """Hand what ``write`` stored to ``copy``."""
        if dump.is_encrypted and not keys:
            raise UsageError(f"the dump {dump.name} is encrypted", remedy="give the age secret key by --identity FILE")
        folder, file = self._place(dump.name, part, encrypted=dump.is_encrypted)
        return receive(self.store.open(folder, file), copy, keys if dump.is_encrypted else [])

    def write_manifest(self, name: str, manifest: Manifest, keys: list[Any]) -> None:
        """Make the dump complete."""
        self.write(name, MANIFEST, lambda stream: stream.write(manifest.to_json()), keys)

    def read_manifest(self, dump: Dump, keys: list[Any]) -> Manifest:
        parts: list[bytes] = []
        self.read(dump, MANIFEST, lambda stream: parts.extend(iter(lambda: stream.read(1 << 20), b"")), keys)
        return Manifest.from_json(b"".join(parts))

    def require_whole(self, dump: Dump, manifest: Manifest) -> None:
        """Raise ``TerminalError`` if an object is gone, which loading would meet only after hours of a large dump."""
        stored = {key for page in self.store.pages(dump.folder) for key, _ in page.objects}
        places = {
            f"{name}/{table.name}": self._place(dump.name, f"{name}/{table.name}", encrypted=dump.is_encrypted)
            for name, database in manifest.databases.items()
            for table in database.tables
        }
        lost = sorted(part for part, (folder, file) in places.items() if f"{folder.prefix}{file}" not in stored)
        if lost:
            raise TerminalError(
                f"the dump {dump.name} has lost {len(lost)} of its objects, such as that of {lost[0]}",
                remedy="restore an older dump: `mlflow-sso restore --list`",
            )

    def expired(self, origin: Origin, *, keep_days: int, keep_at_least: int) -> list[Dump]:
        """Complete dumps beyond ``keep_days`` that are not among the newest ``keep_at_least``, and broken ones.

        Of ``origin`` only; old ones that do not tell whose they are are counted in the log.
        """
        now = datetime.now(UTC)
        dumps = [dump for dump in self.dumps() if dump.mark in (None, origin.mark)]
        # Without a mark and a manifest it is no dump, whoever began with it.
        broken = [dump for dump in dumps if not dump.is_complete and now - dump.created > _INCOMPLETE]
        complete = [dump for dump in dumps if dump.is_complete]
        whose = {dump.name: dump.mark == origin.mark or self._is_of(origin, dump) for dump in complete}
        own = [dump for dump in complete if whose[dump.name]]
        old = {dump.name for dump in complete if now - dump.created > timedelta(days=keep_days)}
        _tell_of_unknown([dump for dump in complete if whose[dump.name] is None and dump.name in old])
        return [dump for dump in own[keep_at_least:] if dump.name in old] + broken

    def _is_of(self, origin: Origin, dump: Dump) -> bool | None:
        """Whether ``origin`` has written a dump without a mark; None if that cannot be read."""
        if dump.is_encrypted:
            return None
        try:
            return origin.has_written(self.read_manifest(dump, []).artifacts)
        except TerminalError:
            return None

    def _mark(self, folder: Folder) -> str | None:
        objects = self.store.page(folder / ORIGIN, limit=1).objects
        return objects[0][0].rpartition("/")[2].partition(".")[0] if objects else None

    def delete(self, dump: Dump) -> int:
        """Delete a dump, its manifest first, so that it is never taken for complete; gives how many objects."""
        return self._empty(dump.folder / "manifest") + self._empty(dump.folder)

    def abort_uploads(self) -> int:
        """Abort what killed dumps have left half sent, which a bucket keeps unseen and charges for; gives how many.

        Without the rights it says so in the log: no dump is worse for it.
        """
        oldest = datetime.now(UTC) - _INCOMPLETE

        def is_left(key: str, begun: datetime) -> bool:
            name = key.removeprefix(self.folder.prefix).partition("/")[0]
            return bool(_NAME.fullmatch(name)) and begun < oldest

        try:
            return self.store.abort_uploads(self.folder, is_left)
        except ProgramError as error:
            log.progress(
                "cannot abort unfinished uploads of killed dumps: allow the keys s3:ListBucketMultipartUploads on the "
                "bucket and s3:AbortMultipartUpload below the target",
                level="warning",
                reason=error.message,
            )
            return 0

    def _empty(self, folder: Folder) -> int:
        count = 0
        for page in self.store.pages(folder):
            if page.objects:
                self.store.delete_keys(folder, [key for key, _ in page.objects])
                count += len(page.objects)
        return count

    def _place(self, name: str, part: str, *, encrypted: bool) -> tuple[Folder, str]:
        kind = "json" if part == MANIFEST else "copy"
        database, _, table = part.rpartition("/")
        file = f"{table or part}.{kind}.zst{'.age' if encrypted else ''}"
        return self.folder / name / (database or part), file


def _origin_file(name: str, *, encrypted: bool) -> str:
    return f"{name}.txt.zst{'.age' if encrypted else ''}"


def _tell_of_unknown(dumps: list[Dump]) -> None:
    if dumps:
        log.progress(
            "old dumps do not tell which installation wrote them, and stay; delete them by hand",
            level="warning",
            dumps=len(dumps),
            newest=dumps[0].name,
        )


def _require_apart(folder: Folder) -> None:
    """Raise ``UsageError`` if the artifact proxy could hand out, or gc could meet, what lies in ``folder``."""
    artifacts = s3_folder(os.environ.get("MLFLOW_ARTIFACTS_DESTINATION", ""))
    if artifacts is None or _is_elsewhere(os.environ.get("MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL")):
        return
    shorter, longer = sorted((artifacts.prefix, folder.prefix), key=len)
    if artifacts.bucket == folder.bucket and longer.startswith(shorter):
        raise UsageError(
            f"MLFLOW_SSO_BACKUP_TARGET {folder} overlaps the artifacts at {artifacts}, which users may read",
            remedy="give dumps a bucket of their own, or a prefix beside that of the artifacts",
        )


def _is_elsewhere(endpoint: str | None) -> bool:
    """Whether ``endpoint`` is another server than that of the artifacts, however the two are spelled."""
    return bool(endpoint) and server(endpoint) != server(os.environ.get("MLFLOW_S3_ENDPOINT_URL"))
