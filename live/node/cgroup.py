"""The cgroup below which the pods of one node are, in every hierarchy of cgroup v1 or in the one of v2."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def writable() -> bool:
    """Whether there are hierarchies, and groups can be created in each."""
    return bool(_hierarchies()) and all(os.access(hierarchy, os.W_OK) for hierarchy in _hierarchies())


def create(name: str) -> None:
    """Create ``/name`` in each hierarchy."""
    for hierarchy in _hierarchies():
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        # In v1 a new group has neither processors nor memory until it is given some.
        for file in ("cpuset.mems", "cpuset.cpus"):
            if hierarchy != ROOT and (hierarchy / file).exists():
                (group / file).write_text((hierarchy / file).read_text())


def remove(name: str, *, seconds: float = 60) -> None:
    """Remove ``/name`` and all below it, whose processes are ending."""
    deadline = time.monotonic() + seconds
    while any((hierarchy / name).exists() for hierarchy in _hierarchies()):
        for hierarchy in _hierarchies():
            # From the leaves: a group with groups in it cannot be removed.
            for folder, _, _ in os.walk(hierarchy / name, topdown=False):
                # Busy as long as a process of it has not ended.
                with suppress(OSError):
                    Path(folder).rmdir()
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


def _hierarchies() -> list[Path]:
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    if not ROOT.is_dir():
        return []
    return [
        path for path in ROOT.iterdir() if path.is_dir() and not path.is_symlink() and (path / "cgroup.procs").exists()
    ]


if __name__ == "__main__":
    remove(sys.argv[1])
