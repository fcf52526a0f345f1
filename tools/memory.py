"""Memory of a process and all that it has started."""

import re
from pathlib import Path

_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.M)
"""Proportional set size: a page that several processes share is counted once."""


def resident(pid: int) -> int:
    """Bytes of the process and its descendants; what has ended meanwhile counts nothing."""
    total = 0
    for member in _tree(pid):
        try:
            total += int(_PSS.findall(Path(f"/proc/{member}/smaps_rollup").read_text())[0]) * 1024
        except (OSError, IndexError):
            continue
    return total


def _tree(pid: int) -> list[int]:
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(found for child in children for found in _tree(child))]
