"""Whether the server is alive, asked from outside its event loop: on the metrics port, in a thread of its own.

Each worker touches a file while its event loop turns, so that the process that answers knows of all of them, and
neither requests nor the threads that serve them can keep a probe waiting.
"""

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

BEAT_SECONDS = 2
ALIVE_SECONDS = 30
"""An event loop that has not turned for so long hangs."""

FOLDER = "alive"


def heartbeat_folder() -> Path:
    """Where the files of the workers are."""
    return Path(tempfile.gettempdir()) / FOLDER


def prepare(folder: Path) -> None:
    """Create ``folder``, without what an earlier server has left: /tmp outlives a container that is restarted."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def beat(folder: Path) -> None:
    """Say that the event loop of this process turns; a full disk is no reason to end."""
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
        (folder / str(os.getpid())).touch()


def alive(folder: Path, *, now: float | None = None) -> bool:
    """Whether there is a worker, and every worker's event loop turns; files of ended processes are deleted."""
    moment, beats = time.time() if now is None else now, []
    for file in folder.glob("*"):
        if not Path("/proc", file.name).exists():
            file.unlink(missing_ok=True)
            continue
        try:
            beats.append(file.stat().st_mtime)
        except FileNotFoundError:
            continue
    return bool(beats) and min(beats) > moment - ALIVE_SECONDS
