"""Where artifacts are, and what programs ask of the store that keeps them: S3, Azure Blob Storage, Google's."""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from mlflow_sso.errors import UsageError

BLOB_HOST = r"[a-z0-9]{3,24}\.blob\.core\.(windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)"
"""Host of a storage account (Microsoft, "Storage account overview")."""

_BLOB_PLACE = re.compile(rf"(?=[^@]{{3,63}}@)[a-z0-9](-?[a-z0-9]){{2,62}}@{BLOB_HOST}")

_GOOGLE_PLACE = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
"""Name of a bucket (Google, "Bucket naming requirements")."""

PAGE = 1000
"""Keys in a page, which is what S3 lists, or deletes, in one request at most."""


@dataclass(frozen=True, slots=True)
class Folder:
    """All objects of ``bucket`` whose key starts with ``prefix``, which ends with a slash.

    A bucket is named as in its URI: that of S3 by its name, a container as ``CONTAINER@ACCOUNT.blob.core.windows.net``.
    """

    bucket: str
    prefix: str
    is_google: bool = False
    """Whether it is in Google Cloud Storage, of whose buckets the name does not tell."""

    def __truediv__(self, name: str) -> "Folder":
        return self.at(f"{self.prefix}{name.strip('/')}/")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.prefix}"

    def at(self, prefix: str) -> "Folder":
        """Another of the same bucket."""
        return replace(self, prefix=prefix)

    @property
    def scheme(self) -> str:
        """Of its URI."""
        return "wasbs" if self.is_blob else "gs" if self.is_google else "s3"

    @property
    def is_blob(self) -> bool:
        """Whether it is in Azure Blob Storage; no bucket of S3 has such a name."""
        return "@" in self.bucket

    @property
    def name(self) -> str:
        """The last part of its path; empty for the whole bucket."""
        return self.prefix.rstrip("/").rpartition("/")[2]

    def upwards(self) -> Iterator["Folder"]:
        """Itself, and every folder above it up to the whole bucket."""
        yield self
        prefix = self.prefix
        while prefix:
            prefix = prefix[: prefix.rstrip("/").rfind("/") + 1]
            yield self.at(prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some objects, as key and bytes, and whether there are no more."""

    objects: tuple[tuple[str, int], ...]
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Some of what is right in a folder: folders, and bytes of objects."""

    folders: tuple[Folder, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How many objects, and their bytes."""

    objects: int = 0
    bytes: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(self.objects + other.objects, self.bytes + other.bytes)


def destination() -> Folder:
    """Where the server proxies ``mlflow-artifacts:`` to; raises ``UsageError`` if that is no object store."""
    uri = os.environ.get("MLFLOW_ARTIFACTS_DESTINATION", "")
    folder = s3_folder(uri) or blob_folder(uri) or google_folder(uri)
    if folder is None:
        raise UsageError(
            f"MLFLOW_ARTIFACTS_DESTINATION is {uri or 'not set'}",
            remedy="set it to s3://BUCKET, gs://BUCKET or wasbs://CONTAINER@ACCOUNT.blob.core.windows.net, each with "
            "/PREFIX or not",
        )
    return folder


def s3_folder(uri: str) -> Folder | None:
    """The folder that ``s3://BUCKET/PREFIX`` names; None for any other text."""
    parts = _parts(uri)
    if parts.scheme != "s3" or not parts.netloc:
        return None
    return Folder(parts.netloc, _prefix(parts.path))


def blob_folder(uri: str) -> Folder | None:
    """The folder that ``wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PREFIX`` names; None for any other text."""
    parts = _parts(uri)
    if parts.scheme != "wasbs" or not _BLOB_PLACE.fullmatch(parts.netloc):
        return None
    return Folder(parts.netloc, _prefix(parts.path))


def google_folder(uri: str) -> Folder | None:
    """The folder that ``gs://BUCKET/PREFIX`` names; None for any other text."""
    parts = _parts(uri)
    if parts.scheme != "gs" or not _GOOGLE_PLACE.fullmatch(parts.netloc):
        return None
    return Folder(parts.netloc, _prefix(parts.path), is_google=True)


def _parts(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError:
        # A bracket that is none of an IPv6 address.
        return SplitResult("", "", uri, "", "")


def _prefix(path: str) -> str:
    path = path.strip("/")
    return f"{path}/" if path else ""


class ObjectStore(ABC):
    """What every store of artifacts can do; every method raises ``ProgramError``."""

    lists_from_any_key: bool
    """Whether a listing that begins in the middle of a folder costs no more than one from its start."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Of the server, for messages."""

    @abstractmethod
    def page(self, folder: Folder, *, after: str = "", limit: int = PAGE) -> Page:
        """At most ``limit`` objects of ``folder`` with keys beyond ``after``, in the order of their keys."""

    @abstractmethod
    def delete_keys(self, folder: Folder, keys: Sequence[str]) -> None:
        """Delete at most a thousand objects of ``folder``; those that are not there are no error."""

    @abstractmethod
    def levels(self, folder: Folder) -> Iterator[Level]:
        """All that is right in ``folder``, in the order of the names, a thousand folders and objects at a time."""

    @abstractmethod
    def try_writing(self, folder: Folder, name: str) -> None:
        """Put, get, list and delete one small object."""

    def pages(self, folder: Folder) -> Iterator[Page]:
        """All objects of ``folder``; what was read may be deleted before the next page."""
        after = ""
        while True:
            page = self.page(folder, after=after)
            yield page
            if page.is_last:
                return
            after = page.objects[-1][0]
