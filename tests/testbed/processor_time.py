"""Processor time of a process and all that it has started."""

import os
from pathlib import Path

from live.processes import tree


def cpu_seconds(pid: int) -> float:
    """Processor time of the process, its descendants, and those of them that have ended and were waited for."""
    return sum(map(_ticks, tree(pid))) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    try:
        # The command's name stands in brackets and may have any character.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    # utime, stime, cutime and cstime (proc(5), counted from the field after the name).
    return sum(map(int, fields[11:15]))
