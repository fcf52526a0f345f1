"""Waits of tests for what goes on beside them."""

import time
from collections.abc import Callable

# What takes seconds takes minutes where other suites have the processors; the limit only ends a wait for ever.
LIMIT_SECONDS = 300.0


def wait_for(condition: Callable[[], bool], said: Callable[[], str] = str) -> None:
    """Return once ``condition`` holds; fails after five minutes with what ``said`` gives."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, said()
        time.sleep(0.1)
