"""The product's image as an archive that a node takes in."""

from hashlib import sha256
from pathlib import Path

from live.image.built import build_image, buildah
from live.servers.cache import cache_root, locked


def image_archive(release: str, reference: str) -> Path:
    """An archive of the image of ``release`` named ``reference``; written once for each image."""
    built, _ = build_image(release)
    with locked(f"node-image-{release}"):
        identity = buildah("inspect", "--type", "image", "--format", "{{.FromImageID}}", built)
        # The name is part of the archive, so another reference is another archive of the same image.
        digest = sha256(f"{identity} {reference}".encode()).hexdigest()[:12]
        folder = cache_root() / "node" / "images"
        folder.mkdir(parents=True, exist_ok=True)
        archive = folder / f"{release}-{digest}.tar"
        if not archive.exists():
            # An archive is several hundred megabytes, and an older one is never asked for again.
            for old in folder.glob(f"{release}-*"):
                old.unlink()
            unfinished = archive.with_suffix(".unfinished")
            buildah("push", built, f"docker-archive:{unfinished}:{reference}")
            unfinished.replace(archive)
    return archive
