"""Slots of the cache, so that nodes at the same time do not share images and cgroups, and later ones do."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import IO

from live.servers.cache import cache_root
from live.servers.process import ServerError

_UNFINISHED = "unfinished-"


def free_slot() -> IO[str]:
    """A locked file beside a folder of images; raises ``ServerError`` when a hundred are locked."""
    folder = cache_root() / "node"
    for number in range(1, 100):
        slot = (folder / f"slot-{number}").open("w")
        try:
            fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Closed, or a process that looks for a slot would keep a hundred files open.
            slot.close()
            continue
        return slot
    raise ServerError("a hundred nodes run already; end some of them")


def slot_is_held(number: str) -> bool:
    """Whether a node has it, or is still clearing up behind one."""
    slot = cache_root() / "node" / f"slot-{number}"
    if not slot.exists():
        return False
    with slot.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


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
        shutil.rmtree(images, ignore_errors=True)
