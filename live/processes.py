"""Memory and time of a process and all that it has started."""

import os
import re
from pathlib import Path

_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.M)
"""Proportional set size: a page that several processes share is counted once."""

TRIES = 50
"""Readings of a process whose threads change all the time; the last one counts."""


def resident(pid: int) -> int:
    """Bytes of the process and its descendants; what has ended meanwhile counts nothing."""
    total = 0
    for member in tree(pid):
        try:
            total += int(_PSS.findall(Path(f"/proc/{member}/smaps_rollup").read_text())[0]) * 1024
        except (OSError, IndexError):
            continue
    return total


def cpu_seconds(pid: int) -> float:
    """Processor time of the process, its descendants, and those of them that have ended and were waited for."""
    return sum(map(_ticks, tree(pid))) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    try:
        # The command's name stands in brackets and may have any character.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15]))


def tree(pid: int, *, proc: Path = Path("/proc")) -> list[int]:
    """The process and its descendants; empty if it has ended.

    A thread may end while the threads are read, and the kernel then gives its children to another one, which may have
    been read before: they are read again until none has come or gone meanwhile.
    """
    threads, children = _threads(proc / str(pid)), list[int]()
    for _ in range(TRIES):
        children = [child for thread in threads for child in _children(thread)]
        before, threads = threads, _threads(proc / str(pid))
        if threads == before:
            break
    if not threads:
        return []
    return [pid, *(found for child in children for found in tree(child, proc=proc))]


def _threads(process: Path) -> list[Path]:
    try:
        return sorted((process / "task").iterdir())
    except OSError:
        return []


def _children(thread: Path) -> list[int]:
    try:
        return [int(child) for child in (thread / "children").read_text().split()]
    except OSError:
        return []
