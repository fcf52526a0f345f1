"""Files that several processes read and write, or that are secret."""

import fcntl
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

_OWNER_ONLY = 0o600


def write_whole(file: Path, content: str | bytes) -> None:
    """Give ``file`` its content, for its owner only, so that no other process reads half of it; a right one stays."""
    data = content.encode() if isinstance(content, str) else content
    if file.exists() and file.read_bytes() == data and file.stat().st_mode & 0o777 == _OWNER_ONLY:
        return
    # A temporary file has that mode from the beginning, and a rename is seen whole or not at all.
    with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}-", delete=False) as fresh:
        fresh.write(data)
    Path(fresh.name).replace(file)


def try_lock(file: IO[str] | IO[bytes]) -> bool:
    """Whether the file's exclusive lock is ours now; it is not waited for, and ends with the open file."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
