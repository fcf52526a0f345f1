"""Where servers that create thousands of files have their data, which is not kept."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from live.files import try_lock
from live.servers.process import passable

MEMORY = Path("/dev/shm")
MARK = ".in-use"
"""A file of each folder, locked as long as the process lives that uses it."""


@contextmanager
def memory_folder(prefix: str, *, room: int = 0) -> Iterator[Path]:
    """A temporary folder in memory where ``room`` bytes are free there, else on the disk.

    Folders in memory with the same prefix whose process was killed are deleted first.
    """
    if MEMORY.is_dir():
        _delete_abandoned(prefix)
    in_memory = MEMORY.is_dir() and _free() >= room
    with TemporaryDirectory(prefix=prefix, dir=MEMORY if in_memory else None, ignore_cleanup_errors=True) as name:
        folder = passable(Path(name))
        with (folder / f"{MARK}.new").open("w") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX)
            # Under its name only once it is locked, or another process would take the folder for abandoned.
            Path(mark.name).rename(folder / MARK)
            yield folder


def _free() -> int:
    """Bytes: a file system in memory may call free what processes have taken meanwhile."""
    free = shutil.disk_usage(MEMORY).free
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return min(free, int(line.split()[1]) * 1024)
    return free


def _delete_abandoned(prefix: str) -> None:
    # Gigabytes stay in memory after a kill, until the machine has none left for the next run.
    for folder in MEMORY.glob(f"{prefix}*"):
        # Without the mark it may be just about to get one; another user's cannot be opened.
        with suppress(OSError), (folder / MARK).open("r+") as mark:
            if try_lock(mark) and folder.stat().st_uid == os.geteuid():
                shutil.rmtree(folder, ignore_errors=True)
