"""The built image as tests look into it: its description, and its root file system."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live.image.built import build_image, buildah, store_in_use


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """An image in the store of the tests; ``root`` is its root file system, mounted."""

    release: str
    reference: str
    base: str
    root: Path
    description: Mapping[str, Any]
    """What ``buildah inspect`` tells of it: the OCI configuration."""

    @property
    def config(self) -> Mapping[str, Any]:
        """User, environment, labels and command."""
        config: Mapping[str, Any] = self.description["config"]
        return config

    @property
    def environment(self) -> dict[str, str]:
        return dict(variable.split("=", 1) for variable in self.config["Env"])


@contextmanager
def built_image(release: str) -> Iterator[BuiltImage]:
    """The image of ``release``, up to date, and its root file system while the context lasts."""
    reference, base = build_image(release)
    with mounted(reference) as root:
        yield BuiltImage(
            release=release, reference=reference, base=base, root=root, description=describe(reference)["OCIv1"]
        )


@contextmanager
def mounted(reference: str) -> Iterator[Path]:
    """The root file system of an image."""
    with store_in_use():
        # No registry has this image; without the flag buildah would ask one.
        container = buildah("from", "--pull-never", reference).strip()
        try:
            yield Path(buildah("mount", container).strip())
        finally:
            buildah("rm", container)


def describe(reference: str) -> dict[str, Any]:
    """What the store knows of an image."""
    description: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", reference))
    return description
