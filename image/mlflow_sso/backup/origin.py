"""Which installation has written a dump: the one whose artifacts are at that place, in that object store.

Nothing else stays over a loss: a restore names a new PostgreSQL, and its databases are empty.
"""

import hashlib
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from mlflow_sso.object_store import destination


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the artifacts are."""

    place: str
    """Of the store, as dumps of earlier images have it: ``s3://mlflow/``."""
    text: str
    """With the server: ``s3://mlflow/ at minio.example.com:9000``."""

    @classmethod
    def own(cls) -> "Origin":
        """That of this installation; raises ``UsageError``."""
        folder = destination()
        if folder.is_blob or folder.is_google:
            return cls(str(folder), str(folder))
        host, port = server(os.environ.get("MLFLOW_S3_ENDPOINT_URL"))
        return cls(str(folder), f"{folder} at {host}:{port}")

    @property
    def mark(self) -> str:
        """By which a listing tells one from another, also if the manifest is encrypted to keys elsewhere."""
        return mark(self.text)

    def has_written(self, artifacts: str) -> bool:
        """Whether a manifest with these ``artifacts`` is of this installation, as far as it tells."""
        return artifacts in (self.text, self.place)


def mark(text: str) -> str:
    """The mark of the origin with this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def server(endpoint: str | None) -> tuple[str, int]:
    """Host and port of an S3 API; all of AWS, which no endpoint means as well, is one."""
    parts = urlsplit(endpoint or "https://s3.amazonaws.com")
    # With the dot at its end a name is the same host (RFC 1034, section 3.1).
    host = (parts.hostname or "").rstrip(".")
    try:
        port = parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError:
        # No port that there is; the client of the object store refuses it with its own words.
        return endpoint or "", 0
    return ("aws" if host.endswith((".amazonaws.com", ".amazonaws.com.cn")) else host, port)
