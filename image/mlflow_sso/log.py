"""One JSON object a line: progress on stderr, results on stdout."""

import json
import sys
from datetime import UTC, datetime
from typing import TextIO


def _line(fields: dict[str, object], stream: TextIO) -> None:
    print(json.dumps(fields, default=str), file=stream, flush=True)


def progress(message: str, *, level: str = "info", **fields: object) -> None:
    """Say on stderr what is going on, for whoever reads the pod's log."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    _line({"time": now, "level": level, "message": message, **fields}, sys.stderr)


def result(**fields: object) -> None:
    """Print on stdout what was found or done, for whoever reads it by program."""
    _line(fields, sys.stdout)
