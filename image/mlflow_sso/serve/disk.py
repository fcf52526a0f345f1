"""The room for files in the temporary directory, which all requests share: those that find none are told at once.

A volume that is full would fail every request, or have the kubelet evict the pod (``emptyDir.sizeLimit``).
"""

from threading import Lock


class DiskSpace:
    """The room that the requests of one process may take; ``total`` in bytes, None for no limit."""

    def __init__(self, total: int | None = None) -> None:
        self.total, self._taken, self._lock = total, 0, Lock()

    @property
    def taken(self) -> int:
        """Bytes that are taken now."""
        return self._taken

    def take(self, size: int) -> bool:
        """Take ``size`` bytes, if there is room for them."""
        with self._lock:
            if self.total is not None and self._taken + size > self.total:
                return False
            self._taken += size
            return True

    def give_back(self, size: int) -> None:
        """Give back what was taken."""
        with self._lock:
            self._taken -= size


class Reservation:
    """The room that one request has taken."""

    def __init__(self, space: DiskSpace) -> None:
        self._space, self._size, self._lock = space, 0, Lock()

    @property
    def limit(self) -> int | None:
        """What no request may exceed, in bytes; None for no limit."""
        return self._space.total

    def grow(self, size: int) -> bool:
        """Take ``size`` more bytes; False if there is no room now."""
        with self._lock:
            if not self._space.take(size):
                return False
            self._size += size
            return True

    def release(self) -> None:
        """Give everything back; again does nothing."""
        with self._lock:
            size, self._size = self._size, 0
        self._space.give_back(size)
