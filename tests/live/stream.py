"""A stream of requests that goes on while something else happens."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import httpx
from depth import IS_CHANGE

THREADS = 4
PAUSE_SECONDS = 0.1 if IS_CHANGE else 0.0
"""Of a thread between two requests: without it they take all processors, and what goes on meanwhile takes longer."""


class Stream:
    """Calls ``request`` with 1, 2, 3 … from four threads, at least ``least`` times and until the block ends.

    Exposes ``failures``, a line for each answer that was none or no success, and ``sent``.
    """

    def __init__(self, request: Callable[[int], httpx.Response], *, least: int) -> None:
        self._request, self._least = request, least
        self._over = threading.Event()
        self._counting = threading.Lock()
        self.sent = 0
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        self._threads = ThreadPoolExecutor(THREADS)
        self._flows: list[Future[None]] = [self._threads.submit(self._flow) for _ in range(THREADS)]
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # A failed assertion in a thread is raised by its result only.
        for flow in self._flows:
            flow.result()
        self._threads.shutdown()

    def _flow(self) -> None:
        while number := self._next():
            self._send(number)
            time.sleep(PAUSE_SECONDS)

    def _next(self) -> int:
        with self._counting:
            if self._over.is_set() and self.sent >= self._least:
                return 0
            self.sent += 1
            return self.sent

    def _send(self, number: int) -> None:
        try:
            answer = self._request(number)
        # A reset or refused connection is a lost request as much as a 502 is.
        except httpx.HTTPError as error:
            self.failures.append(f"{number}: {error!r}")
            return
        if answer.status_code != 200:
            self.failures.append(f"{number}: {answer.status_code} {answer.text[:200]}")
