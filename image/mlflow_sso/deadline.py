"""How long a program may wait for something, and the pauses between its tries."""

import time
from argparse import ArgumentParser, ArgumentTypeError

from mlflow_sso import termination

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0
LONGEST_WAIT = 604_800
"""Seconds, a week: PostgreSQL's ``lock_timeout`` ends at 24 days."""


class Deadline:
    """A point in time, ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._pause = FIRST_PAUSE

    @property
    def left(self) -> float:
        """Seconds left; zero once it has passed."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        return self.left == 0.0

    def pause(self) -> None:
        """Sleep before the next try: a quarter of a second at first, five at most, never past the end.

        Raises ``RetryableError`` once SIGTERM comes.
        """
        termination.pause(min(self._pause, self.left))
        self._pause = min(self._pause * 1.5, LONGEST_PAUSE)


def add_timeout_argument(parser: ArgumentParser, *, default: float, what: str) -> None:
    """``--timeout SECONDS``."""
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=default,
        metavar="SECONDS",
        help=f"how long to wait for {what} (default: %(default)g)",
    )


def _seconds(text: str) -> float:
    try:
        # float() reads digits of every script, and underscores between them.
        seconds = float(text) if text.isascii() and "_" not in text else -1.0
    except ValueError:
        seconds = -1.0
    # It reads "nan" and "inf", too.
    if not 0 <= seconds <= LONGEST_WAIT:
        raise ArgumentTypeError(f"{text[:40]!r} is not a number of seconds, {LONGEST_WAIT} at most")
    return seconds
