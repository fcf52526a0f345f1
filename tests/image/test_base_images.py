"""The base images by their digests, asked of a real registry."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cdk8s_mlflow.publishing.base_images import PINS, digest_of, pin, pinned, read
from cdk8s_mlflow.publishing.errors import PublishingError, UsageError
from cdk8s_mlflow.publishing.variables import target
from cdk8s_mlflow.releases import RELEASES
from testbed.servers import Registry

INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with Registry() as server:
        yield server


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    """A file without pins."""
    file = tmp_path / "base_images.json"
    file.write_text("{}\n")
    return file


def push(registry: Registry, content: str) -> str:
    """Tag an image index with some ``content`` as base:1; its digest."""
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"content": content}}
    body = json.dumps(index).encode()
    url = f"http://{registry.host}/v2/base/manifests/1"
    httpx.put(url, content=body, headers={"Content-Type": INDEX}).raise_for_status()
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@pytest.mark.servers
def test_pin_writes_what_tag_names_now(registry: Registry, pins: Path) -> None:
    image = f"{registry.host}/base:1"
    first = push(registry, "first")
    before = [*pin({"3.6.0": image}, pins=pins)]
    second = push(registry, "second")
    unchanged = pinned("3.6.0", pins=pins)

    after = [*pin({"3.6.0": image}, pins=pins)]

    name = f"{registry.host}/base"
    assert (before, unchanged, after) == ([f"{name}@{first}"], f"{name}@{first}", [f"{name}@{second}"])
    assert pinned("3.17.2", pins=pins) == RELEASES["3.17.2"].base_image


@pytest.mark.servers
def test_pin_writes_all_or_nothing(registry: Registry, pins: Path) -> None:
    push(registry, "first")
    images = {"3.6.0": f"{registry.host}/base:1", "3.17.2": f"{registry.host}/base:missing"}

    with pytest.raises(PublishingError, match="answers 404"):
        pin(images, pins=pins)

    assert read(pins) == {}


def test_pin_says_that_registry_is_away() -> None:
    with pytest.raises(PublishingError, match=r"cannot ask 127\.0\.0\.1:1 for"):
        digest_of("127.0.0.1:1/base:1")


@pytest.mark.parametrize("image", ["python:3.12", "library/python", f"docker.io/library/python@sha256:{'0' * 64}", ""])
def test_pin_refuses_unclear_names(image: str) -> None:
    with pytest.raises(UsageError):
        digest_of(image)


@pytest.mark.parametrize("text", ["", "[]", '{"3.6.0": {}}', '{"3.6.0": {"image": "a", "digest": "latest"}}'])
def test_pins_that_cannot_be_read_are_refused(pins: Path, text: str) -> None:
    pins.write_text(text)

    with pytest.raises(UsageError, match="make image-base"):
        pinned("3.6.0", pins=pins)


def test_build_takes_given_base_before_pinned_one() -> None:
    given = target({"BASE_IMAGE": "localhost:5000/base:1"}, revision="1")
    default = target({}, revision="1")

    assert (given.base_image, default.base_image) == ("localhost:5000/base:1", pinned("3.6.0"))
    assert set(read(PINS)) <= set(RELEASES)
