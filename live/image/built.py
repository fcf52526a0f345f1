"""The container image really built, by `make build-image`'s own program with buildah."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from live.commands import run_to_end
from live.files import try_lock, write_whole
from live.image.debian import root_archive
from live.servers.cache import MissingProgramError, cache_root, debian_program, locked, say

ROOT = Path(__file__).parents[2]
REGISTRY = "localhost/built"
STORE_LIMIT = 8 << 30
"""Bytes of the store above which layers of older builds are deleted; two releases with all their stages need 4 GiB."""


def publish(step: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the program behind ``make build-image`` and ``make push-image`` with buildah and the store of the tests."""
    environment = {
        **environment_of_engines(),
        "CONTAINER_ENGINE": "buildah",
        "IMAGE_REGISTRY": REGISTRY,
        **variables,
    }
    # Another folder than ours: a developer's .env.local has no say in the tests.
    with store_in_use():
        command = [sys.executable, "-m", "cdk8s_mlflow.publishing", step]
        return run_to_end(command, environment=environment, folder=cache_root())


def build_image(release: str) -> tuple[str, str]:
    """Build the image of ``release`` if anything that it is created from has changed; its reference and its base's.

    Raises:
        MissingProgramError: the build fails.
    """
    base = stand_in(release)
    reference = f"{REGISTRY}/mlflow:{release}-oidc"
    with locked(f"image-{release}") as cache:
        note = cache / "images" / f"{release}.made-of"
        # Even where every layer is cached, buildah reads a gigabyte again, which takes it half a minute.
        if not note.exists() or note.read_text() != _made_of(base, reference):
            say(f"building the image of release {release}")
            done = publish("build", RELEASE=release, BASE_IMAGE=base)
            if done.returncode:
                raise MissingProgramError(f"the image of release {release} cannot be built:\n{done.stderr}")
            note.write_text(_made_of(base, reference))
            bound_store()
    return reference, base


def _made_of(base: str, reference: str) -> str:
    """What an image is made of, down to each byte, and which image came of it."""
    digest = hashlib.sha256()
    source = ROOT / "image"
    # Bytes and modes, not times: a checkout gives every file a new time.
    for path in sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        digest.update(f"{path.relative_to(source)} {path.stat().st_mode:o} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    images = [buildah("images", "--quiet", "--no-trunc", "--filter", f"reference={name}") for name in (base, reference)]
    return "\n".join([digest.hexdigest(), *images])


def bound_store(*, limit: int = STORE_LIMIT) -> bool:
    """Delete what no named image needs if the store exceeds ``limit`` bytes and nothing uses it; whether it did."""
    # By the store's own lists: it has too many files to be measured after each build.
    if _store_bytes() <= limit:
        return False
    with _store_lock() as lock:
        # What cannot be cleaned now is cleaned after a later build.
        if not try_lock(lock):
            return False
        # Of builds that were killed: they would keep their images.
        _buildah("rm", "--all")
        _buildah("rmi", "--prune")
    return True


def _store_bytes() -> int:
    listed = [json.loads(file.read_text()) for file in (cache_root() / "images/store").glob("*-layers/layers.json")]
    return sum(layer.get("diff-size", 0) for layers in listed for layer in layers)


@contextmanager
def store_in_use() -> Iterator[None]:
    """Keep :func:`bound_store` from cleaning while the context lasts."""
    with _store_lock() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _store_lock() -> IO[str]:
    return (cache_root() / ".image-store.lock").open("w")


def stand_in(release: str) -> str:
    """A base image like the one that the release names, made of Debian's packages."""
    reference = f"localhost/base:{release}"
    debian = debian_image()
    dockerfile = Path(__file__).with_name("bases") / f"{release}.Dockerfile"
    arguments = ["--layers", "--build-arg", f"DEBIAN={debian}", "--file", str(dockerfile), "--tag", reference]
    # From an empty store it takes minutes, after which the second of two suites finds its layers.
    with locked(f"base-{release}"):
        buildah("build", *arguments, str(dockerfile.parent))
    return reference


def debian_image() -> str:
    """The image of only Debian packages, created once a machine."""
    archive = root_archive()
    reference = f"localhost/debian:{archive.stem}"
    with locked("debian-image"), store_in_use():
        if not buildah("images", "--quiet", "--filter", f"reference={reference}"):
            container = buildah("from", "scratch").strip()
            buildah("add", container, str(archive), "/")
            buildah("commit", "--rm", container, reference)
    return reference


def buildah(*arguments: str) -> str:
    """Run buildah on the store of the tests; its stdout."""
    with store_in_use():
        return _buildah(*arguments)


def _buildah(*arguments: str) -> str:
    program = str(debian_program("buildah", package="buildah"))
    done = run_to_end([program, *arguments], environment=environment_of_engines(), folder=cache_root())
    if done.returncode:
        raise MissingProgramError(f"`buildah {' '.join(arguments)}` failed:\n{done.stderr}")
    return done.stdout


def environment_of_engines() -> dict[str, str]:
    """With it, an engine works on the store of the tests."""
    debian_program("buildah", package="buildah")
    folder = cache_root() / "images"
    folder.mkdir(exist_ok=True)
    settings = folder / "storage.conf"
    # An engine that reads an empty file takes another store, which has none of our images.
    write_whole(
        settings, f'[storage]\ndriver = "{_driver()}"\ngraphroot = "{folder}/store"\nrunroot = "{folder}/run"\n'
    )
    return {**os.environ, "CONTAINERS_STORAGE_CONF": str(settings), "BUILDAH_ISOLATION": "chroot"}


def _driver() -> str:
    # vfs works everywhere and copies each layer whole; overlay is ten times faster where the kernel has it.
    return "overlay" if "\toverlay\n" in Path("/proc/filesystems").read_text() else "vfs"
