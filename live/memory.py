"""How much memory a process and all that came from it take."""

import os
from pathlib import Path

PROCESSES = Path("/proc")


def megabytes() -> int:
    """Of this process and its descendants: proportional set size, which counts a shared page once in all."""
    parents = {int(path.name): _parent(path) for path in PROCESSES.glob("[0-9]*")}
    family = {os.getpid()}
    while new := {child for child, parent in parents.items() if parent in family} - family:
        family |= new
    return sum(map(_kilobytes, family)) // 1024


def _parent(process: Path) -> int:
    try:
        # The command's name stands in brackets and may have any character.
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return 0


def _kilobytes(process: int) -> int:
    try:
        lines = (PROCESSES / str(process) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
