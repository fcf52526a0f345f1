"""What was marked deleted before a moment: runs, logged models and experiments."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mlflow_sso.database import lift_time_limits

DUE = {
    "logged_model": "it.lifecycle_stage = 'deleted' AND it.last_updated_timestamp_ms <= %(before)s",
    "run": "it.lifecycle_stage = 'deleted' AND it.deleted_time <= %(before)s",
    "experiment": """it.lifecycle_stage = 'deleted' AND it.last_update_time <= %(before)s AND NOT EXISTS (
        SELECT FROM runs WHERE runs.experiment_id = it.experiment_id
        AND (runs.lifecycle_stage <> 'deleted' OR coalesce(runs.deleted_time > %(before)s, true)))""",
}
"""Conditions, in the order in which the kinds go. An experiment that holds a run which is not due yet waits for it."""

KEYS = {
    "logged_model": ("logged_models", "model_id", "artifact_location"),
    "run": ("runs", "run_uuid", "artifact_uri"),
    "experiment": ("experiments", "experiment_id", "artifact_location"),
}
"""Table, column by which each kind is named, and column of its location."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """One thing that is due, or belongs to an experiment that is."""

    kind: str
    id: str
    experiment_id: int
    location: str

    @property
    def key(self) -> object:
        """``id`` as its column has it."""
        return self.experiment_id if self.kind == "experiment" else self.id


def expired(connection: Any, kind: str, *, before: int, size: int) -> Iterator[list[Expired]]:
    """All of one kind that were marked deleted at ``before`` or earlier, in milliseconds since 1970.

    In batches of ``size`` and by experiment. Each is read when the one before is done, and committed: the caller may
    have its own transactions between two batches, and no cursor stays behind in the session of a pooler.
    """
    _, column, _ = KEYS[kind]
    after, last = "", dict[str, object]()
    while True:
        with connection, connection.cursor() as cursor:
            lift_time_limits(connection)
            query = f"{_select(kind)}{after} ORDER BY it.experiment_id, it.{column} LIMIT %(size)s"
            cursor.execute(query, {"before": before, "size": size, **last})
            batch = [_expired(kind, row) for row in cursor.fetchall()]
        if not batch:
            return
        yield batch
        after = f" AND (it.experiment_id, it.{column}) > (%(experiment)s, %(key)s)"
        last = {"experiment": batch[-1].experiment_id, "key": batch[-1].key}


def claim(cursor: Any, kind: str, items: Iterable[Expired], *, before: int) -> list[Expired]:
    """Lock those of ``items`` for this transaction that are still due and that no other transaction holds."""
    keys = [item.key for item in items]
    cursor.execute(
        f"{_select(kind)} AND it.{KEYS[kind][1]} = ANY(%(keys)s)"
        f" ORDER BY it.experiment_id, it.{KEYS[kind][1]} FOR UPDATE OF it SKIP LOCKED",
        {"before": before, "keys": keys},
    )
    return [_expired(kind, row) for row in cursor.fetchall()]


def lock_runs(cursor: Any, experiments: Iterable[Expired]) -> None:
    """Lock the runs of ``experiments`` for this transaction; raises ``LockNotAvailable`` if another one holds one."""
    numbers = [experiment.experiment_id for experiment in experiments]
    cursor.execute("SELECT FROM runs WHERE experiment_id = ANY(%s) ORDER BY run_uuid FOR UPDATE", [numbers])


def members(cursor: Any, experiment_id: int) -> Iterator[Expired]:
    """Runs and logged models that are in the experiment now, due or not."""
    for kind in ("run", "logged_model"):
        table, column, location = KEYS[kind]
        cursor.execute(
            f"SELECT {column}, experiment_id, {location} FROM {table}"  # noqa: S608 - names of ours
            f" WHERE experiment_id = %s ORDER BY {column}",
            [experiment_id],
        )
        yield from (_expired(kind, row) for row in cursor.fetchall())


def traces(cursor: Any, experiment: Expired) -> Iterator[Expired]:
    """The traces of an experiment, each with the location that the server gives a trace of its id."""
    cursor.execute(
        "SELECT request_id FROM trace_info WHERE experiment_id = %s ORDER BY request_id", [experiment.experiment_id]
    )
    for (trace,) in cursor.fetchall():
        location = f"{experiment.location.rstrip('/')}/traces/{trace}/artifacts"
        yield Expired(kind="trace", id=trace, experiment_id=experiment.experiment_id, location=location)


def _select(kind: str) -> str:
    table, column, location = KEYS[kind]
    selected = f"SELECT it.{column}, it.experiment_id, it.{location}"
    return f"{selected} FROM {table} AS it WHERE {DUE[kind]}"


def _expired(kind: str, row: tuple[Any, int, str | None]) -> Expired:
    identity, experiment_id, location = row
    return Expired(kind=kind, id=str(identity), experiment_id=experiment_id, location=location or "")
