"""One JSON object a line: progress on stderr, results on stdout."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TextIO

REPEAT_SECONDS = 10.0


def _line(fields: dict[str, object], stream: TextIO) -> None:
    try:
        # As one text: print writes the end of a line apart, and lines of two threads would run together.
        print(f"{json.dumps(fields, default=str)}\n", end="", file=stream, flush=True)
    except BrokenPipeError:
        # Who read it is gone, as in `| head`. What is still buffered would fail once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        # As a shell reports SIGPIPE: 128 and its number.
        sys.exit(141)


def progress(message: str, *, level: str = "info", **fields: object) -> None:
    """Say on stderr what is going on, for whoever reads the pod's log."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    _line({"time": now, "level": level, "message": message, **fields}, sys.stderr)


@contextmanager
def still_at_work(message: str, **fields: str) -> Iterator[None]:
    """Say ``message`` again, with the seconds since, once in ten seconds until the block ends."""
    ended, started = Event(), time.monotonic()

    def say() -> None:
        while not ended.wait(REPEAT_SECONDS):
            progress(message, seconds=round(time.monotonic() - started), **fields)

    thread = Thread(target=say, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def result(**fields: object) -> None:
    """Print on stdout what was found or done, for whoever reads it by program."""
    _line(fields, sys.stdout)
