"""What decisions remember from one request to the next, and when that ends.

Runs and logged models never change their experiment, so theirs is remembered as long as there is room. Grants are
remembered together with the number of changes (``mlflow_sso.changes``) that was read before they were: a request finds
only what was read at its own number, so a change on any replica ends it with the next request.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from mlflow_sso.authorization.rules import Kind

GRANT_SECONDS = 5
"""How long grants are remembered at most: should a change not be counted, it is seen after this time."""

GRANTS, OWNERS = 4096, 16384
"""Entries at most; about 1 and 4 MB."""

T = TypeVar("T")

Owners = tuple[str, ...]
"""Experiments, by their ids."""

number_of_changes: ContextVar[int | None] = ContextVar("number_of_changes", default=None)
"""As read by the login of the request that is decided now; None if it was not, and nothing is remembered."""
_only_remembered: ContextVar[bool] = ContextVar("only_remembered", default=False)


class NotRememberedError(Exception):
    """The database would have to be asked, in the event loop."""


class Recent:
    """The entries of the last ``seconds``, ``most`` of them; the oldest one makes room."""

    def __init__(self, *, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._entries: dict[Hashable, tuple[float, Any]] = {}
        self._lock = Lock()

    def get(self, key: Hashable) -> Any:
        """The value; None if there is none."""
        since, value = self._entries.get(key, (0.0, None))
        return value if value is not None and monotonic() - since < self._seconds else None

    def put(self, key: Hashable, value: Any) -> None:
        """Keep ``value`` from now on."""
        with self._lock:
            # A dictionary keeps the place of a key that is set again: deleted first, it becomes the youngest.
            self._entries.pop(key, None)
            self._entries[key] = (monotonic(), value)
            if len(self._entries) > self._most:
                del self._entries[next(iter(self._entries))]


class Remembered:
    """The memory of one process."""

    def __init__(self) -> None:
        self._grants = Recent(most=GRANTS, seconds=GRANT_SECONDS)
        self._owners = Recent(most=OWNERS, seconds=inf)

    def grants(self, key: Hashable, read: Callable[[], tuple[T, bool]]) -> T:
        """What ``read`` gives, which also tells whether it may be remembered."""
        number = number_of_changes.get()
        if number is None:
            return read()[0]
        known: T | None = self._grants.get((number, key))
        if known is not None:
            return known
        found, lasting = read()
        if lasting:
            self._grants.put((number, key), found)
        return found

    def owners(self, kind: Kind, names: list[str], read: Callable[[list[str]], dict[str, Owners]]) -> dict[str, Owners]:
        """The experiments of each of ``names`` that exists; ``read`` is asked for those that are not known."""
        known: dict[str, Owners] = {
            name: owner for name in names if (owner := self._owners.get((kind, name))) is not None
        }
        left = [name for name in names if name not in known]
        found = read(left) if left else {}
        for name, owner in found.items():
            self._owners.put((kind, name), owner)
        return known | found


@contextmanager
def only_remembered() -> Iterator[None]:
    """Decide without a database: raises ``NotRememberedError`` where one would be asked."""
    token = _only_remembered.set(True)
    try:
        yield
    finally:
        _only_remembered.reset(token)


def in_thread(open_session: Callable[..., Any]) -> Callable[..., Any]:
    """``open_session``, but for decisions that may ask no database."""

    def opened(*arguments: Any, **named: Any) -> Any:
        if _only_remembered.get():
            raise NotRememberedError
        return open_session(*arguments, **named)

    return opened
