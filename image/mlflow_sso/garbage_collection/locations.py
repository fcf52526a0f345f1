"""Which folder of the bucket an artifact URI names.

Asked in two ways. What is to be deleted must name its folder in one way only (``own_folder``). What is in use counts
for every folder that any reader of its URI may mean (``readings``): MLflow's server, its clients, their HTTP library
and the object store do not agree about escapes, dots, repeated slashes and queries.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urlsplit

from mlflow_sso.object_store import Folder

S3_SCHEMES = ("s3", "s3a", "s3n", "r2")
BLOB_SCHEMES = ("wasbs", "wasb", "abfss", "abfs")
"""Of Azure: of the Blob service, and of the same containers by that of Data Lake Storage."""

GOOGLE_HOST = ".storage.googleapis.com"
"""End of a host that begins with a bucket (Google, "Request endpoints")."""

PROXY_PATH = "/mlflow-artifacts/artifacts"
"""End of the route of MLflow's artifact proxy, ``/api/2.0/mlflow-artifacts/artifacts``, in ``http:`` locations."""

_UNCLEAR = re.compile(r"[\x00-\x1f\x7f%?#\\]|//|^\s|\s$")
"""In a path: control characters, escapes, queries, fragments, backslashes, empty segments, spaces around it."""


class UnclearLocationError(Exception):
    """A location whose folder must not be deleted; the text says why."""


def own_folder(location: str, *, root: Folder) -> Folder:
    """The folder of a thing that is to be deleted.

    Raises ``UnclearLocationError`` if there are two ways to read it, or it is not below ``root``, the destination of
    the artifact proxy: what lies elsewhere may belong to another deployment.
    """
    scheme, _, rest = location.partition(":")
    if scheme == "mlflow-artifacts" and rest.startswith("/") and not rest.startswith("//"):
        return root / _clear_path(location, rest[1:])
    if scheme != root.scheme or not rest.startswith("//"):
        raise UnclearLocationError(f"its artifacts are at {location}, neither proxied nor in the object store")
    bucket, _, path = rest[2:].partition("/")
    key = _clear_path(location, path)
    if bucket != root.bucket or not f"{key}/".startswith(root.prefix) or f"{key}/" == root.prefix:
        raise UnclearLocationError(f"its artifacts are at {location}, outside {root}")
    return root.at(f"{key}/")


def _clear_path(location: str, path: str) -> str:
    path = path.removesuffix("/")
    if not path or _UNCLEAR.search(path) or any(segment in ("", ".", "..") for segment in path.split("/")):
        raise UnclearLocationError(f"its artifacts are at {location!r}, which can be read in more than one way")
    return path


@lru_cache(maxsize=65536)
def readings(uri: str, root: Folder) -> frozenset[Folder]:
    """Every folder that some reader of ``uri`` may mean; none if it does not lead to an object store."""
    return frozenset(
        replace(folder, is_google=root.is_google)
        for text in _spellings(uri)
        for bucket, path in _places(text, root)
        for folder in _folders(bucket, path)
    )


def segments(uri: str) -> set[str]:
    """The parts between the slashes and colons of ``uri``, in every spelling: the identifiers that it may name."""
    return {part for text in _spellings(uri) for part in re.split(r"[/:?#&=@]", text)}


def _spellings(uri: str) -> Iterator[str]:
    """``uri`` as it is and with its escapes resolved, as often as there are any."""
    while True:
        yield uri
        if "\\" in uri:
            yield uri.replace("\\", "/")
        decoded = unquote(uri)
        if decoded == uri:
            return
        uri = decoded


def _places(uri: str, root: Folder) -> Iterator[tuple[str, str]]:
    """Buckets and paths; a path starts without its first slash."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return
    for path in _paths(parts):
        # Google's buckets speak S3 too, by requests in XML.
        if parts.scheme in S3_SCHEMES or (parts.scheme == "gs" and root.is_google):
            for bucket in {parts.netloc, parts.netloc.lower(), parts.netloc.partition("@")[0]}:
                yield bucket, path.removeprefix("/")
        elif parts.scheme in BLOB_SCHEMES:
            yield parts.netloc.lower().replace(".dfs.core.", ".blob.core."), path.removeprefix("/")
        elif parts.scheme == "mlflow-artifacts":
            inside = path.partition(PROXY_PATH)[2] or path
            for tail in {path, inside, f"{parts.netloc}{path}", posixpath.normpath(f"/{path}")}:
                yield root.bucket, root.prefix + tail.removeprefix("/")
        elif parts.scheme in ("http", "https") and PROXY_PATH in path:
            yield root.bucket, root.prefix + path.partition(PROXY_PATH)[2].removeprefix("/")
        elif parts.scheme in ("http", "https") and root.is_google:
            bucket, _, key = path.removeprefix("/").partition("/")
            yield bucket, key
            yield parts.netloc.lower().removesuffix(GOOGLE_HOST), path.removeprefix("/")
        elif parts.scheme in ("http", "https") and root.is_blob:
            container, _, key = path.removeprefix("/").partition("/")
            yield f"{container}@{parts.netloc.lower()}", key


def _paths(parts: SplitResult) -> set[str]:
    whole = parts.path + (f"?{parts.query}" if parts.query else "") + (f"#{parts.fragment}" if parts.fragment else "")
    return {parts.path, whole, parts.path.partition(";")[0]}


def _folders(bucket: str, path: str) -> Iterator[Folder]:
    plain = re.sub(r"/+", "/", path)
    normal = posixpath.normpath(f"/{plain}")
    for key in {path, plain, normal}:
        key = key.rstrip("/")
        yield Folder(bucket, f"{key}/" if key else "")
        yield Folder(bucket, f"{key.strip('/')}/" if key.strip("/") else "")
