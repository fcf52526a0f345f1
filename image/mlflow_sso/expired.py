"""What was marked deleted before a moment: runs, logged models and experiments, and where their artifacts are."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DELETED_VERSION = "Deleted_Internal"
"""Stage that MLflow gives a model version instead of deleting its row (``mlflow.entities.model_registry``)."""

DUE = {
    "logged_model": """
        SELECT model_id, experiment_id, artifact_location FROM logged_models AS it
        WHERE lifecycle_stage = 'deleted' AND last_updated_timestamp_ms <= %(before)s
    """,
    "run": """
        SELECT run_uuid, experiment_id, artifact_uri FROM runs AS it
        WHERE lifecycle_stage = 'deleted' AND deleted_time <= %(before)s
    """,
    "experiment": """
        SELECT experiment_id, experiment_id, artifact_location FROM experiments AS it
        WHERE lifecycle_stage = 'deleted' AND last_update_time <= %(before)s AND NOT EXISTS (
          SELECT FROM runs WHERE runs.experiment_id = it.experiment_id
          AND (runs.lifecycle_stage <> 'deleted' OR coalesce(runs.deleted_time > %(before)s, true)))
    """,
}
"""In the order in which they go. An experiment that holds a run which is not due yet waits for it."""

KEYS = {
    "logged_model": ("logged_models", "model_id"),
    "run": ("runs", "run_uuid"),
    "experiment": ("experiments", "experiment_id"),
}
"""Table and column by which each kind is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """One thing that is due."""

    kind: str
    id: str
    experiment_id: int
    location: str

    @property
    def key(self) -> object:
        """``id`` as its column has it."""
        return self.experiment_id if self.kind == "experiment" else self.id


def expired(cursor: Any, kind: str, *, before: int) -> list[Expired]:
    """All of one kind that were marked deleted at ``before`` or earlier, in milliseconds since 1970."""
    cursor.execute(f"{DUE[kind]} ORDER BY 2, 1", {"before": before})
    return [_expired(kind, row) for row in cursor.fetchall()]


def claim(cursor: Any, item: Expired, *, before: int) -> Expired | None:
    """Lock ``item`` for this transaction; None where it was restored meanwhile, or another run of ours has it."""
    column = KEYS[item.kind][1]
    cursor.execute(
        f"{DUE[item.kind]} AND {column} = %(key)s FOR UPDATE OF it SKIP LOCKED", {"before": before, "key": item.key}
    )
    row = cursor.fetchone()
    return _expired(item.kind, row) if row else None


def _expired(kind: str, row: tuple[Any, int, str | None]) -> Expired:
    identity, experiment_id, location = row
    return Expired(kind=kind, id=str(identity), experiment_id=experiment_id, location=location or "")


def users_by_id(cursor: Any) -> Mapping[str, str]:
    """Which registered model version, as ``name/version``, names a run or a logged model in its source or location.

    Every part of such a URI counts; the 32 digits of an identifier are not there by chance.
    """
    cursor.execute(
        "SELECT name, version, source, storage_location FROM model_versions WHERE current_stage <> %s",
        [DELETED_VERSION],
    )
    return {
        part: f"{name}/{version}"
        for name, version, *uris in cursor.fetchall()
        for uri in uris
        for part in (uri or "").split("/")
    }


def members(cursor: Any, experiment_id: int) -> list[Expired]:
    """Runs and logged models that are in the experiment now, due or not."""
    cursor.execute("SELECT run_uuid, experiment_id, artifact_uri FROM runs WHERE experiment_id = %s", [experiment_id])
    runs = [_expired("run", row) for row in cursor.fetchall()]
    cursor.execute(
        "SELECT model_id, experiment_id, artifact_location FROM logged_models WHERE experiment_id = %s", [experiment_id]
    )
    return runs + [_expired("logged_model", row) for row in cursor.fetchall()]


def locations(cursor: Any, item: Expired) -> Iterator[tuple[str, str]]:
    """Artifact URIs that go with ``item``, each with the identifier that its path has to contain.

    An experiment whose location MLflow itself has chosen goes whole. A location that a person has chosen may be shared,
    so there only what carries the identifier of a member goes: its logged models and traces.
    """
    root = (os.environ.get("MLFLOW_DEFAULT_ARTIFACT_ROOT") or "mlflow-artifacts:/").rstrip("/")
    if item.kind != "experiment" or item.location == f"{root}/{item.id}":
        yield item.location, item.id
        return
    for member in members(cursor, item.experiment_id):
        yield member.location, member.id
    cursor.execute(
        "SELECT tags.value, tags.request_id FROM trace_tags AS tags JOIN trace_info USING (request_id)"
        " WHERE tags.key = 'mlflow.artifactLocation' AND trace_info.experiment_id = %s",
        [item.experiment_id],
    )
    yield from cursor.fetchall()
