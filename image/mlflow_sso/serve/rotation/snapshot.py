"""The mounted Secrets as fingerprints: what has changed since is seen, and no value is kept."""

import os
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from mlflow_sso.secrets_root import SecretsRoot

MOUNTS = ("db", "s3", "azure", "gcs", "oidc", "server", "ca")
"""Of the server; the others are read by programs that end."""

PASSWORD = re.compile(rb"^password\s*=.*$", re.MULTILINE)
CONNECTION = "pg_service.conf without passwords"
"""Where connections lead and how they are secured; a pool must not have connections of both kinds."""

AT_ONCE = frozenset({"db/username", "db/password", "db/pg_service.conf", "db/tls.crt", "db/tls.key"})
"""What libpq reads for each connection."""

UNREADABLE = b"unreadable"

Snapshot = Mapping[str, bytes]
"""Fingerprint by mount and file."""


def take_snapshot(root: SecretsRoot) -> Snapshot:
    """All files of the server's Secrets.

    The kubelet replaces a Secret by turning its link ``..data`` to another folder (kubernetes/kubernetes,
    pkg/volume/util/atomic_writer.go), so the folder is looked up once for all files of a mount.
    """
    return {f"{mount}/{name}": digest for mount in MOUNTS for name, digest in _of_mount(root.path / mount)}


def _of_mount(folder: Path) -> Iterator[tuple[str, bytes]]:
    data = folder / "..data"
    current = Path(os.path.realpath(data)) if data.is_symlink() else folder
    try:
        files = sorted(file for file in current.iterdir() if file.is_file() and not file.name.startswith(".."))
    except OSError:
        return
    for file in files:
        try:
            content = file.read_bytes()
        except OSError:
            yield file.name, UNREADABLE
            continue
        yield file.name, sha256(content).digest()
        if file.name == "pg_service.conf":
            yield CONNECTION, sha256(PASSWORD.sub(b"", content)).digest()


def changed(before: Snapshot, after: Snapshot) -> frozenset[str]:
    """Names of files that were added, removed, or have other content."""
    return frozenset(name for name in {*before, *after} if before.get(name) != after.get(name))


def needs_new_workers(names: frozenset[str]) -> bool:
    """Whether one of ``names`` is read at the start of a process only.

    Signatures of S3 requests take the newest credentials; an account of Azure has two keys, one of Google ten, so that
    the one in use stays good until new workers serve.
    """
    return any(name not in AT_ONCE and not name.startswith("s3/") for name in names)
