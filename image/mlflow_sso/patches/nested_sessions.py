"""Keeps requests from waiting for one another's connections: who holds one may have a second before others a first.

MLflow opens a session within a session: ``log_batch`` keeps a connection with the run's row while it writes parameters,
metrics and tags over others (mlflow/store/tracking/sqlalchemy_store.py). As soon as as many requests as the pool has
connections hold one each, none gets its second, and all fail after 30 seconds; so do those that come then.
"""

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to a connection, by a thread that holds others already or none."""

    thread: int
    level: "threading.Semaphore | None"


class Turns:
    """Of a pool of ``connections``: most for a first one, some for a second, and one that is left for a third."""

    def __init__(self, connections: int) -> None:
        nested = max(2, connections // 3)
        self._levels = (threading.Semaphore(max(1, connections - nested)), threading.Semaphore(nested - 1))
        self._held: Counter[int] = Counter()
        self._lock = threading.Lock()

    def take(self, seconds: float) -> Turn | None:
        """Wait for a turn; None if there was none within ``seconds``."""
        thread = threading.get_ident()
        held = self._held[thread]
        level = self._levels[held] if held < len(self._levels) else None
        if level is not None and not level.acquire(timeout=seconds):
            return None
        with self._lock:
            self._held[thread] += 1
        return Turn(thread, level)

    def give_back(self, turn: Turn) -> None:
        """End a turn, in any thread."""
        with self._lock:
            self._held[turn.thread] -= 1
            if not self._held[turn.thread]:
                del self._held[turn.thread]
        if turn.level is not None:
            turn.level.release()


_creating = threading.Lock()


def _turns_of(pool: Any) -> Turns:
    # SQLAlchemy makes pools of its own accord, also again after ``dispose``: the turns live and end with theirs.
    with _creating:
        if "_turns" not in vars(pool):
            pool._turns = Turns(pool.size() + pool._max_overflow)
        turns: Turns = pool._turns
        return turns


def reserve_connections_for_nested_sessions() -> None:
    """In all pools of this process that have a limit."""
    # sqlalchemy is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from sqlalchemy import exc
    from sqlalchemy.pool import QueuePool

    get, put_back = QueuePool._do_get, QueuePool._do_return_conn

    def get_in_turn(pool: Any) -> Any:
        # SQLAlchemy's -1: a pool without a limit, in which no request waits.
        if pool._max_overflow < 0:
            return get(pool)
        turns = _turns_of(pool)
        turn = turns.take(pool._timeout)
        if turn is None:
            raise exc.TimeoutError(f"no connection became free within {pool._timeout:.0f} s", code="3o7r")
        try:
            record = get(pool)
        except BaseException:
            turns.give_back(turn)
            raise
        record._turn = turn
        return record

    def put_back_in_turn(pool: Any, record: Any) -> None:
        try:
            put_back(pool, record)
        finally:
            turn = vars(record).pop("_turn", None)
            if turn is not None:
                _turns_of(pool).give_back(turn)

    QueuePool._do_get, QueuePool._do_return_conn = get_in_turn, put_back_in_turn
