"""The image in its registry."""

import re
from collections.abc import Iterator, Mapping

from mlflow_bootstrap.doctor.errors import CannotReadError
from mlflow_bootstrap.doctor.examination import Examination
from mlflow_bootstrap.doctor.line import Line, failed, passed, skipped
from mlflow_bootstrap.doctor.web import Reply, Web

_ACCEPTED = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)


def image(examined: Examination) -> Iterator[Line]:
    """Whether the registry has the image, and under which digest (OCI Distribution Specification, Pulling)."""
    reference = examined.settings.image_reference
    registry, repository, version = _parts(reference)
    local = registry.partition(":")[0] in ("localhost", "127.0.0.1")
    # The registry has an address of its own, whatever --connect says of the public hosts.
    web = Web(environ=examined.web.environ)
    url = f"{'http' if local else 'https'}://{registry}/v2/{repository}/manifests/{version}"
    try:
        answer = _ask(web, url)
    except CannotReadError as error:
        if not local:
            raise
        remedy = "run doctor on a node, or look there with `crictl pull`"
        yield skipped("image", f"{registry} is a registry of the nodes: {error}", do=remedy)
        return
    yield _line(reference, version, answer)


def _line(reference: str, version: str, answer: Reply) -> Line:
    digest = answer.headers.get("Docker-Content-Digest", "")
    if answer.status in (401, 403):
        return skipped("image", f"the registry wants a login for {reference}", do="look with a login of yours")
    if answer.status != 200:
        return failed(
            "image",
            f"the registry answers {answer.status} for {reference}",
            means="pods stay in ImagePullBackOff",
            do="build and push it (`cdk8s-mlflow image build-and-push`), or correct image.registry, name and tag",
        )
    if version.startswith("sha256:") and digest != version:
        return failed(
            "image",
            f"the registry gives {digest} for {version}",
            means="what is pulled is not what was committed",
            do="do not use this registry; push the image again",
        )
    return passed("image", f"{reference} is {digest or 'there'}")


def _ask(web: Web, url: str) -> Reply:
    headers = {"Accept": _ACCEPTED}
    answer = web.request("HEAD", url, headers=headers)
    challenge = answer.headers.get("WWW-Authenticate", "")
    if answer.status != 401 or not challenge.lower().startswith("bearer "):
        return answer
    token = _anonymous_token(web, dict(re.findall(r'(\w+)="([^"]*)"', challenge)))
    return web.request("HEAD", url, headers={**headers, "Authorization": f"Bearer {token}"}) if token else answer


def _anonymous_token(web: Web, challenge: Mapping[str, str]) -> str | None:
    """Public registries hand a token to anyone (CNCF Distribution, Token Authentication Specification)."""
    realm = challenge.get("realm", "")
    if not realm.startswith("https://"):
        return None
    query = "&".join(f"{name}={challenge[name]}" for name in ("service", "scope") if name in challenge)
    found = web.request("GET", f"{realm}?{query}").json()
    return found.get("token") or found.get("access_token")


def _parts(reference: str) -> tuple[str, str, str]:
    """Registry, repository, and tag or digest."""
    name, _, digest = reference.partition("@")
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = "registry-1.docker.io", name if slash else f"library/{name}"
    if first == "docker.io":
        first = "registry-1.docker.io"
    repository, _, tag = rest.partition(":")
    return first, repository, digest or tag or "latest"
