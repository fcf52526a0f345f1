"""The product's image as an archive that a node takes in."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from live.files import try_lock
from live.image.built import build_image, buildah
from live.node.image_store import ImageStore
from live.servers.cache import cache_root, locked


def take_image(node: ImageStore, release: str, reference: str) -> None:
    """Have the image of ``release`` on a node, named ``reference``."""
    with image_archive(release, reference) as archive:
        node.import_image(archive)


@contextmanager
def image_archive(release: str, reference: str) -> Iterator[Path]:
    """An archive of the image of ``release`` named ``reference``, kept while the context lasts; written once."""
    built, _ = build_image(release)
    with locked(f"node-image-{release}"):
        identity = buildah("inspect", "--type", "image", "--format", "{{.FromImageID}}", built)
        # The name is part of the archive, so another reference is another archive of the same image.
        digest = sha256(f"{identity} {reference}".encode()).hexdigest()[:12]
        folder = cache_root() / "node" / "images"
        folder.mkdir(parents=True, exist_ok=True)
        archive = folder / f"{release}-{digest}.tar"
        if not archive.exists():
            delete_unused(folder, f"{release}-*")
            unfinished = archive.with_suffix(".unfinished")
            buildah("push", built, f"docker-archive:{unfinished}:{reference}")
            unfinished.replace(archive)
        use = archive.open("rb")
        fcntl.flock(use, fcntl.LOCK_SH)
    with use:
        yield archive


def delete_unused(folder: Path, pattern: str) -> None:
    """Delete archives that no node takes in at this moment; each has several hundred megabytes."""
    for archive in folder.glob(pattern):
        with archive.open("rb") as use:
            if try_lock(use):
                archive.unlink()
