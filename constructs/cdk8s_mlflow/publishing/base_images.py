"""The digests of the base images: in one file beside this module, used by builds, renewed by ``make image-base``."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from cdk8s_mlflow.publishing.errors import PublishingError, UsageError
from cdk8s_mlflow.releases import RELEASES

PINS = Path(__file__).with_name("base_images.json")
"""By release: the image as it is named by a tag, and the digest that the tag had."""

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""What may stand behind a tag; an index first, so that the digest is that of all architectures."""

DOCKER_HUB = "registry-1.docker.io"
"""Where docker.io keeps its images."""

SECONDS = 30
BY_TAG = "BASE_IMAGE_BY_TAG"
"""Variable that lets a build use a base image that no digest names."""

_LOOPBACK = re.compile(r"(localhost|127(\.[0-9]+){3}|\[::1\])(:[0-9]+)?/")
"""Registries of this machine, and what engines call an image that no registry has."""

_LAYOUT = re.compile(r"(oci|oci-archive|dir|docker-archive|containers-storage):")
"""Images in files of this machine (containers-transports(5))."""

_REFERENCE = re.compile(r"(?P<host>[^/]+)/(?P<repository>[^:@]+)(:(?P<tag>[^:@]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?")


def pinned(release: str, *, pins: Path = PINS) -> str:
    """The base image of ``release``: by its digest if one was written down, else by its tag.

    Raises:
        UsageError: the file of the pins cannot be read.
    """
    entry = read(pins).get(release)
    if entry is None:
        return RELEASES[release].base_image
    return f"{_parts(entry['image'])['name']}@{entry['digest']}"


def require_digest(image: str, *, by_tag: str) -> None:
    """Refuse a base image that another machine could exchange; ``by_tag`` is the value of ``BY_TAG``.

    Raises:
        UsageError: no digest names it, it does not come from this machine, and ``by_tag`` is not ``true``.
    """
    if by_tag not in {"", "true", "false"}:
        raise UsageError(f"{BY_TAG} is {by_tag!r}; set it to true or false")
    is_local = _LOOPBACK.match(image) or _LAYOUT.match(image)
    if by_tag == "true" or is_local or re.search(r"@sha256:[0-9a-f]{64}$", image):
        return
    raise UsageError(
        f"the base {image} is named by a tag, whose content changes without notice; run `make image-base`, which pins "
        f"its digest, or set {BY_TAG}=true to build on whatever the tag names now"
    )


def read(pins: Path) -> dict[str, dict[str, str]]:
    """The pins of a file."""
    try:
        found: dict[str, dict[str, str]] = json.loads(pins.read_text(encoding="utf-8"))
        if not all(
            re.fullmatch(r"sha256:[0-9a-f]{64}", entry["digest"]) and entry["image"] for entry in found.values()
        ):
            raise ValueError
    # Any JSON may stand there, so that every lookup can fail in its own way.
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(
            f"{pins} is not a file of pins; restore it from git, or write {{}} and run make image-base"
        ) from None
    return found


def pin(images: Mapping[str, str], *, pins: Path = PINS) -> Iterable[str]:
    """Ask the registries what each release's image is now, and write it down, all of them or none; gives references.

    Raises:
        PublishingError: a registry does not answer, or has no such image.
    """
    # Before the file is opened: a registry that does not answer leaves all pins as they are.
    entries = {release: {"image": image, "digest": digest_of(image)} for release, image in images.items()}
    known = {**read(pins), **entries}
    pins.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n", encoding="utf-8")
    return [pinned(release, pins=pins) for release in images]


def digest_of(image: str) -> str:
    """Digest of the manifest or index that an image's tag names, computed from its content.

    Raises:
        UsageError: the name has no registry, or a digest in place of a tag.
        PublishingError: the registry does not answer, refuses, or says another digest than its content has.
    """
    parts = _parts(image)
    if parts["digest"]:
        raise UsageError(f"{image} is named by a digest already; name it by a tag")
    host = DOCKER_HUB if parts["host"] == "docker.io" else parts["host"]
    # As engines do: a registry on this machine seldom has a certificate.
    scheme = "http" if host.partition(":")[0] in {"localhost", "127.0.0.1"} else "https"
    url = f"{scheme}://{host}/v2/{parts['repository']}/manifests/{parts['tag'] or 'latest'}"
    try:
        content, said = _manifest(url)
    except HTTPError as error:
        raise PublishingError(
            f"{url} answers {error.code}; check the name of the image, or its registry's login"
        ) from None
    except (URLError, OSError, ValueError) as error:
        raise PublishingError(f"cannot ask {host} for {image}: {getattr(error, 'reason', error)}") from None
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    # The header is optional, and a proxy in between may have changed either.
    if said not in (None, digest):
        raise PublishingError(f"{host} says that {image} is {said}, but sent {digest}; do not use it")
    return digest


def _parts(image: str) -> dict[str, Any]:
    match = _REFERENCE.fullmatch(image)
    # Engines complete such names differently: docker takes docker.io, podman asks a list of its own.
    if match is None or not re.search(r"[.:]|^localhost$", match["host"]):
        raise UsageError(f"{image!r} does not name its registry; write docker.io/library/python:3.12-slim, for example")
    return {**match.groupdict(), "name": f"{match['host']}/{match['repository']}"}


def _manifest(url: str, token: str | None = None) -> tuple[bytes, str | None]:
    headers = {"Accept": ", ".join(MANIFESTS), **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        with urlopen(Request(url, headers=headers), timeout=SECONDS) as answer:  # noqa: S310  (http or https, above)
            return answer.read(), answer.headers.get("Docker-Content-Digest")
    except HTTPError as error:
        challenge = error.headers.get("WWW-Authenticate", "")
        # One try with a token; a second 401 means that the image is not public.
        if token or error.code != 401 or not challenge.startswith("Bearer "):
            raise
        return _manifest(url, _token(challenge))


def _token(challenge: str) -> str:
    """What a registry's token server gives to anyone (Distribution specification, "Token Authentication")."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = fields.pop("realm")
    # The realm is what the registry answered, perhaps over plain http.
    if not realm.startswith("https://"):
        raise ValueError(f"its token server is {realm!r}, without TLS")
    with urlopen(f"{realm}?{urlencode(fields)}", timeout=SECONDS) as answer:  # noqa: S310
        found = json.load(answer)
    return str(found.get("token") or found["access_token"])
