"""Rations the hashing of access keys that are not known to be right.

Two are hashed at once, one of any name. While a key of a name is hashed, others of it are refused at once; so are those
of a name with a wrong key within the last minute if both places are taken, and after a few wrong ones it gets one try a
second. Names without one may wait, a few of them and not for long, so that after a restart the right keys of many users
get their turn; requests with the very same key wait for one check together. So who attacks one name costs a tenth of a
core and delays no other; an attack on many names fills both places, and a right key that is not remembered yet is
then told to try again, which MLflow's client does (429 with Retry-After; mlflow/utils/request_utils.py). Remembered
keys never come here.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from hashlib import sha256

from cachetools import TTLCache

HASHES = 2
"""At once: each takes 32 MB and a core for about 0.1 s; without a limit, 40 wrong keys at once take a gigabyte."""

WAITING = 8
"""Names that wait at most, for one of these or for their next try; each holds a thread."""

WAITING_SECONDS = 10.0
"""A hash of 0.1 s takes as long on a busy machine; a client that hears 503 or 429 would come back then anyway."""

FORGIVEN_SECONDS = 60
"""How long a wrong key counts against its name."""

FREE_FAILURES = 5
"""Wrong keys of a name before it gets one try a second."""

PAUSE_SECONDS = 1.0


class KeyChecksBusyError(Exception):
    """There is no room to check a key now; whether it is right is not known."""


class KeyChecks:
    """The places for hashing, of one process."""

    def __init__(self, *, hashes: int = HASHES, waiting: int = WAITING) -> None:
        self._free, self._room = hashes, waiting
        self._changed = threading.Condition()
        self._running: dict[str, tuple[bytes, Future[bool]]] = {}
        self._failures: TTLCache[str, tuple[int, float]] = TTLCache(4096, FORGIVEN_SECONDS)

    def run(self, name: str, mark: bytes, check: Callable[[], bool]) -> bool:
        """``check()``, which tells whether the key that ``mark`` stands for is one of ``name``.

        Raises ``KeyChecksBusyError`` if there is no room for it.
        """
        # A name may be as long as a header.
        name = sha256(name.encode(errors="surrogatepass")).hexdigest()
        with self._changed:
            same = self._same(name, mark)
            future: Future[bool] = Future()
            if same is None:
                self._enter(name, mark, future)
        if same is not None:
            return _result(same)
        return self._checked(name, future, check)

    def _same(self, name: str, mark: bytes) -> "Future[bool] | None":
        running = self._running.get(name)
        if running is None:
            return None
        if running[0] != mark or name in self._failures:
            raise KeyChecksBusyError
        return running[1]

    def _enter(self, name: str, mark: bytes, future: "Future[bool]") -> None:
        count, last = self._failures.get(name, (0, 0.0))
        pause = last + PAUSE_SECONDS - time.monotonic() if count >= FREE_FAILURES else 0.0
        if self._room == 0 and (pause > 0 or self._free == 0):
            raise KeyChecksBusyError
        self._running[name] = (mark, future)
        if pause > 0:
            self._wait(lambda: False, pause)
        if self._free == 0 and not count:
            self._wait(lambda: self._free > 0, WAITING_SECONDS)
        if self._free == 0:
            del self._running[name]
            future.set_exception(KeyChecksBusyError())
            raise KeyChecksBusyError
        self._free -= 1

    def _wait(self, end: Callable[[], bool], seconds: float) -> None:
        self._room -= 1
        try:
            self._changed.wait_for(end, seconds)
        finally:
            self._room += 1

    def _checked(self, name: str, future: "Future[bool]", check: Callable[[], bool]) -> bool:
        good: bool | None = None
        try:
            good = check()
        finally:
            with self._changed:
                self._free += 1
                del self._running[name]
                self._note(name, good)
                self._changed.notify()
            # Requests with the same key wait for this, so it is settled even if the check raised.
            if good is None:
                future.set_exception(KeyChecksBusyError())
            else:
                future.set_result(good)
        return good

    def _note(self, name: str, good: bool | None) -> None:
        if good:
            self._failures.pop(name, None)
        elif good is False:
            count, _ = self._failures.get(name, (0, 0.0))
            self._failures[name] = (count + 1, time.monotonic())


def _result(future: "Future[bool]") -> bool:
    try:
        return future.result(WAITING_SECONDS)
    except TimeoutError:
        raise KeyChecksBusyError from None
