"""Threads for requests, taken when there is work for them and never while a client is waited for."""

from asyncio import Semaphore, timeout
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from anyio import CapacityLimiter

SLOTS = 40
"""Requests that work at once; the rest wait, with their bodies complete. As many as Starlette's adapter allows."""

ANONYMOUS_SLOTS = 8
"""Of these, what requests without credentials may have, so that they cannot keep users from all of them."""

THREADS = 1000
"""Threads at most: those that work, and those whose answer waits for its client."""

LONGEST_WAIT = 20.0
"""Seconds for which a request waits for a slot. With what it may wait for a connection to the database, 30 seconds, it
is answered before a proxy (Traefik: 60) or a client (MLflow: 120) gives up, who would not know whether it was done."""


class BusyError(Exception):
    """No slot became free; nothing was done for the request."""


class Slot:
    """The right to work, which may be given back before the end."""

    def __init__(self, *semaphores: Semaphore) -> None:
        self._semaphores = semaphores

    def release(self) -> None:
        """Give it back; again does nothing."""
        semaphores, self._semaphores = self._semaphores, ()
        for semaphore in semaphores:
            semaphore.release()


class Slots:
    """The slots of a process."""

    def __init__(
        self, *, slots: int = SLOTS, anonymous: int = ANONYMOUS_SLOTS, longest_wait: float = LONGEST_WAIT
    ) -> None:
        self._longest_wait = longest_wait
        self._slots, self._anonymous = Semaphore(slots), Semaphore(anonymous)
        self.threads = CapacityLimiter(THREADS)

    @asynccontextmanager
    async def take(self, *, anonymous: bool) -> AsyncIterator[Slot]:
        """Wait for a slot and give it back at the end; raises ``BusyError`` if none becomes free."""
        # The scarcer one first: who waits for it holds no place that users need.
        semaphores = (self._anonymous, self._slots) if anonymous else (self._slots,)
        # What was acquired is released again if the other one does not come in time.
        async with AsyncExitStack() as waiting:
            try:
                async with timeout(self._longest_wait):
                    for semaphore in semaphores:
                        await semaphore.acquire()
                        waiting.callback(semaphore.release)
            except TimeoutError:
                raise BusyError from None
            slot = Slot(*semaphores)
            waiting.pop_all()
        try:
            yield slot
        finally:
            slot.release()
