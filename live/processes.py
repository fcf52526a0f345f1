"""Memory of a process and all that it has started."""

import re
from pathlib import Path

_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.M)
"""Proportional set size: a page that several processes share is counted once."""


def resident(pid: int) -> int:
    """Bytes of the process and its descendants; what has ended meanwhile counts nothing."""
    total = 0
    for member in tree(pid):
        try:
            # A process may end, or be replaced, between the listing and this.
            total += int(_PSS.findall(Path(f"/proc/{member}/smaps_rollup").read_text())[0]) * 1024
        except (OSError, IndexError):
            continue
    return total


def tree(pid: int, *, proc: Path = Path("/proc")) -> list[int]:
    """The process and its descendants; empty if it has ended.

    Children are found by the parent that each process names. The kernel's own lists of them are a thread's, and leave
    some out while threads end (proc_pid_task_children(5)).
    """
    children: dict[int, list[int]] = {}
    for folder in sorted(proc.glob("[0-9]*"), key=lambda folder: int(folder.name)):
        parent = _parent(folder)
        if parent is not None:
            children.setdefault(parent, []).append(int(folder.name))
    if _parent(proc / str(pid)) is None:
        return []
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def _parent(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None
