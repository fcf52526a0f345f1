"""The digest that `make push-image` prints, against a real registry.

What is pushed is the small base of the image under the image's name: the gigabyte above it takes a minute to compress.
"""

import hashlib
import os

import httpx
import pytest
from engines import reached, tagged

from cdk8s_mlflow.settings.image import ImageSettings
from live.image.built import publish, stand_in
from testbed.servers import Registry

MANIFESTS = (
    # The engines write one or the other.
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(os.geteuid() != 0, reason="images are built as root"),
]


@pytest.mark.parametrize("engine", ["buildah", "podman", "docker"])
def test_push_prints_digest_and_its_settings(engine: str) -> None:
    base = stand_in("3.6.0")

    with Registry() as registry, reached(engine, registry.host) as variables:
        with tagged(base, f"{registry.host}/mlflow:3.6.0-oidc"):
            done = publish("push", IMAGE_REGISTRY=registry.host, **variables)
        stored = httpx.get(
            f"http://{registry.host}/v2/mlflow/manifests/3.6.0-oidc",
            # A registry may convert a manifest that is not accepted, which changes its digest.
            headers={"Accept": ", ".join(MANIFESTS)},
            timeout=60,
        )

    assert done.returncode == 0, done.stderr
    digest = stored.headers["Docker-Content-Digest"]
    assert digest == f"sha256:{hashlib.sha256(stored.content).hexdigest()}"
    assert f"\nimage:\n  digest: {digest}\n" in done.stdout
    assert ImageSettings(digest=digest).digest == digest
    assert f"$ {engine} push " in done.stderr
