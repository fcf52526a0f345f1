"""Where servers that create thousands of files have their data, which is not kept."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from live.servers.process import passable

MEMORY = Path("/dev/shm")  # noqa: S108


@contextmanager
def memory_folder(prefix: str, *, room: int = 0) -> Iterator[Path]:
    """A temporary folder in memory where ``room`` bytes are free there, else on the disk."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= room
    with TemporaryDirectory(prefix=prefix, dir=MEMORY if in_memory else None, ignore_cleanup_errors=True) as folder:
        yield passable(Path(folder))
