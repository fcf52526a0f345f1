"""What the head of a request says about its body, and why a request is refused before anything of it is read."""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANONYMOUS_BODY = 64 << 10
"""Bytes of a body at most without credentials, and on every path that is not of the API; login forms take less."""

MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 << 10
"""Names and values together; a token of Keycloak's with a hundred groups takes 8 KiB."""

MAX_TARGET_BYTES = 16 << 10
"""Path and query; a list of a hundred runs takes 4 KiB."""

API = ("/api/", "/ajax-api/", "/graphql", "/v1/", "/gateway/")
"""Prefixes of what takes JSON or traces; on any other path a body is small."""

ARTIFACT = re.compile(r"/(?:ajax-)?api/\d\.\d/mlflow-artifacts/artifacts/.")
COMPRESSED = ("/v1/traces",)
"""Paths that take compressed bodies (OTLP/HTTP specification); clients of MLflow compress nothing else."""

ENCODINGS = (b"gzip", b"deflate")
READ = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"content-type",
        b"cookie",
        b"expect",
        b"transfer-encoding",
    }
)
SINGLE = frozenset({b"authorization", b"content-encoding", b"content-range", b"content-type", b"expect"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer to a request of which nothing was read."""

    status: int
    reason: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


LOGIN = (b"www-authenticate", b'Basic realm="mlflow"')
LOGIN_FIRST = Refusal(401, "log in first", (LOGIN,))
LOGIN_TWICE = Refusal(401, "several logins are none", (LOGIN,))


@dataclass(frozen=True, slots=True)
class Head:
    """What was found in the head of a request that may go on."""

    limit: int | None
    """Bytes that its body may have; None for an artifact."""
    has_body: bool
    length: int | None
    """Bytes that its body has; None if it says so itself, in chunks."""
    encoding: bytes | None
    """How the body is compressed."""


def has_credentials(scope: Mapping[str, Any]) -> bool:
    """Whether a request carries anything that could be a login; what it is worth is decided later."""
    return any(name in (b"authorization", b"cookie") for name, _ in scope["headers"])


def read_login(header: str) -> tuple[str, str] | None:
    """User name, in small letters, and key of an Authorization header; None if it cannot be read."""
    try:
        name, colon, key = b64decode(header.partition(" ")[2]).decode().partition(":")
    except (Error, ValueError):
        return None
    return (name.lower(), key) if colon else None


def is_artifact(scope: Mapping[str, Any]) -> bool:
    """Whether a request is about the content of an artifact, whose size only the disk limits."""
    return ARTIFACT.match(scope["path"]) is not None


def read_head(scope: Mapping[str, Any], *, maximum_body: int) -> Head | Refusal:
    """Judge a request by its head; ``maximum_body`` is the limit in bytes for bodies of the API."""
    found: dict[bytes, bytes] = {}
    size, headers = 0, scope["headers"]
    for name, value in headers:
        size += len(name) + len(value)
        if name in READ:
            if name in SINGLE and name in found:
                return LOGIN_TWICE if name == b"authorization" else Refusal(400, f"{name.decode()} is given twice")
            found[name] = value
    if size > MAX_HEADER_BYTES or len(headers) > MAX_HEADERS:
        return Refusal(431, f"at most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes in all are read")
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET_BYTES:
        return Refusal(414, f"at most {MAX_TARGET_BYTES} bytes of path and query are read")
    return _framing(scope, found) or _body(scope, found, maximum_body)


def _framing(scope: Mapping[str, Any], found: Mapping[bytes, bytes]) -> Refusal | None:
    """Where two servers could read two lengths (RFC 9112, 6.1 and 6.3), or a part would pass for the whole."""
    chunked = b"transfer-encoding" in found
    if chunked and b"content-length" in found:
        return Refusal(400, "a request has either Content-Length or Transfer-Encoding")
    if chunked and scope["http_version"] != "1.1":
        return Refusal(400, "Transfer-Encoding needs HTTP/1.1")
    if b"content-range" in found:
        return Refusal(400, "Content-Range is not supported: send the whole content (RFC 9110, 14.5)")
    if found.get(b"expect", b"100-continue").lower() != b"100-continue":
        return Refusal(417, "the only expectation that can be met is 100-continue")
    if scope["method"] == "PUT" and is_artifact(scope) and not chunked and b"content-length" not in found:
        return Refusal(411, "an artifact needs Content-Length, or Transfer-Encoding: chunked")
    return None


def _body(scope: Mapping[str, Any], found: Mapping[bytes, bytes], maximum_body: int) -> Head | Refusal:
    chunked, path = b"transfer-encoding" in found, scope["path"]
    length = None if chunked else int(found.get(b"content-length", b"0"))
    known = b"authorization" in found or b"cookie" in found
    encoding = found.get(b"content-encoding", b"identity").strip().lower()
    limit = _limit(scope, maximum_body) if known else ANONYMOUS_BODY
    has_body = chunked or bool(length)
    if has_body and encoding != b"identity" and not (path in COMPRESSED and encoding in ENCODINGS):
        return Refusal(415, "the body must not be compressed", ((b"accept-encoding", b"identity"),))
    if limit is not None and length is not None and length > limit:
        return too_large(limit)
    if has_body and not known and path.startswith(API):
        return LOGIN_FIRST
    compressed = has_body and encoding != b"identity"
    return Head(limit=limit, has_body=has_body, length=length, encoding=encoding if compressed else None)


def _limit(scope: Mapping[str, Any], maximum_body: int) -> int | None:
    if scope["method"] == "PUT" and is_artifact(scope):
        return None
    return maximum_body if scope["path"].startswith(API) else ANONYMOUS_BODY


def too_large(limit: int) -> Refusal:
    """413, with the limit."""
    return Refusal(413, f"the body may have {limit} bytes at most")
