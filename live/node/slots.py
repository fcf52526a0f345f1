"""Slots of the cache, so that nodes at the same time do not share images and cgroups, and later ones do."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp, mkstemp
from typing import IO

from live.files import try_lock
from live.servers.cache import cache_root
from live.servers.process import ServerError

_UNFINISHED = "unfinished-"


def cgroup_prefix() -> str:
    """How the cgroups of nodes begin whose slots are in this cache: two users have a first slot each."""
    return f"cdk8s-mlflow-node-{sha256(str(cache_root()).encode()).hexdigest()[:8]}-"


def cgroup_name(number: str) -> str:
    """Name of the cgroup of the node that has a slot."""
    return cgroup_prefix() + number


def free_slot() -> IO[str]:
    """A locked file beside a folder of images; raises ``ServerError`` when a hundred are locked."""
    folder = cache_root() / "node"
    for number in range(1, 100):
        slot = (folder / f"slot-{number}").open("w")
        if try_lock(slot):
            return slot
        # Or a process that looks for a slot would keep a hundred files open.
        slot.close()
    raise ServerError("a hundred nodes run already; end some of them")


@contextmanager
def importing(images: Path) -> Iterator[None]:
    """Marks a folder of images as unfinished until the block has succeeded."""
    # A mark for each, since two systems of a node import at the same time and end in any order.
    handle, mark = mkstemp(prefix=_UNFINISHED, dir=images)
    os.close(handle)
    yield
    Path(mark).unlink()


def discard_unfinished(images: Path) -> None:
    """Delete a folder of images into which an import failed, or was killed."""
    # containerd then names snapshots that are not there, and takes no image on top of them any more.
    if any(images.glob(f"{_UNFINISHED}*")):
        # Renamed first: deleting may be killed too, or fail, after the mark is gone and before all else is.
        images.rename(Path(mkdtemp(prefix=f"{images.stem}.discarded-", dir=images.parent)) / images.name)
    for waste in images.parent.glob(f"{images.stem}.discarded-*"):
        shutil.rmtree(waste, ignore_errors=True)
