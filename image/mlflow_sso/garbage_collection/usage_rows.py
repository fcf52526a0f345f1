"""What the database says, at one moment, about the locations that its rows use.

Locations of the shape that the server gives (``<location of the experiment>/<id>/artifacts`` and its like) are told by
their prefix, once an experiment, so that what is kept in memory grows with experiments and not with runs. A location of
any other shape is told by itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from mlflow_sso.garbage_collection.due import DUE
from mlflow_sso.garbage_collection.locations import segments

DELETED_VERSION = "Deleted_Internal"
"""Stage that MLflow gives a model version instead of deleting its row (``mlflow.entities.model_registry``)."""

SERVER_MADE_ID = re.compile(r"(m-)?[0-9a-f]{32}")
"""A run's or a logged model's identifier, which is not in a URI by chance."""

_EXPERIMENTS = "SELECT it.experiment_id, it.artifact_location, ({due}) IS TRUE FROM experiments AS it ORDER BY 1"
_VERSIONS = """
SELECT name || '/' || version, source, storage_location FROM model_versions
WHERE current_stage IS DISTINCT FROM %(deleted)s
"""
_NAMED = """
SELECT experiment_id, run_uuid, artifact_uri FROM runs WHERE run_uuid = ANY(%(ids)s)
UNION ALL SELECT experiment_id, model_id, artifact_location FROM logged_models WHERE model_id = ANY(%(ids)s)
"""
_CLAIMS = """
WITH used AS MATERIALIZED (
  SELECT experiment_id, id, location, length(suffix) AS length, right(location, length(suffix)) = suffix
  AND id ~ '^[0-9A-Za-z][0-9A-Za-z_-]*$' AS is_regular FROM ({rows}) AS rows)
SELECT DISTINCT experiment_id, 'experiment ' || experiment_id, left(location, -length) FROM used WHERE is_regular
UNION ALL SELECT experiment_id, '{kind} ' || id, location FROM used WHERE NOT is_regular
"""
_RUNS = """
SELECT experiment_id, run_uuid AS id, artifact_uri AS location, '/' || run_uuid || '/artifacts' AS suffix
FROM runs AS it WHERE artifact_uri <> '' AND ({due}) IS NOT TRUE
"""
_LOGGED_MODELS = """
SELECT experiment_id, model_id AS id, artifact_location AS location, '/models/' || model_id || '/artifacts' AS suffix
FROM logged_models AS it WHERE ({due}) IS NOT TRUE
"""
_TRACES = """
SELECT experiment_id, request_id AS id, value AS location, '/traces/' || request_id || '/artifacts' AS suffix
FROM trace_tags JOIN trace_info USING (request_id)
WHERE key IN ('mlflow.artifactLocation', 'mlflow.trace.archiveLocation') AND value <> ''
"""


class Claim(NamedTuple):
    """A location that a row uses."""

    experiment_id: int
    user: str
    location: str


class Named(NamedTuple):
    """A run or a logged model that a registered model version names."""

    experiment_id: int
    id: str
    location: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRows:
    """All that decides which folders are in use."""

    experiments: tuple[tuple[int, str, bool], ...]
    """Experiment, its location, whether it is due."""

    claims: frozenset[Claim]
    """Of runs and logged models that are not due."""

    traces: frozenset[Claim]
    """Of traces, by their tags, which clients may set: they protect a folder and never give one up."""

    versions: frozenset[tuple[str, str, str]]
    """Registered model version as ``name/version``, its source, its storage location."""

    named: frozenset[Named]

    def with_traces(self, traces: frozenset[Claim]) -> "UsageRows":
        """The same, but for the claims of traces."""
        return replace(self, traces=traces)

    @classmethod
    def read(cls, cursor: Any, *, before: int) -> "UsageRows":
        """Read it all; ``before`` as for ``due.expired``. Raises psycopg2's errors."""
        cursor.execute(_EXPERIMENTS.format(due=DUE["experiment"]), {"before": before})
        experiments = tuple((number, location or "", due) for number, location, due in cursor.fetchall())
        cursor.execute(_VERSIONS, {"deleted": DELETED_VERSION})
        versions = frozenset((name, source or "", storage or "") for name, source, storage in cursor.fetchall())
        cursor.execute(_NAMED, {"ids": list(named_by(versions))})
        named = frozenset(Named(*row) for row in cursor.fetchall())
        return cls(
            experiments=experiments,
            claims=_claims(cursor, "run", _RUNS, before) | _claims(cursor, "logged_model", _LOGGED_MODELS, before),
            traces=read_trace_claims(cursor),
            versions=versions,
            named=named,
        )


def _claims(cursor: Any, kind: str, rows: str, before: int) -> frozenset[Claim]:
    query = _CLAIMS.format(kind=kind, rows=rows.format(due=DUE.get(kind)))
    cursor.execute(query, {"before": before})
    return frozenset(Claim(*row) for row in cursor.fetchall())


def read_trace_claims(cursor: Any) -> frozenset[Claim]:
    """What traces use; raises psycopg2's errors."""
    return _claims(cursor, "trace", _TRACES, 0)


# Every look reads the versions anew, and they are mostly those of the look before.
@lru_cache(maxsize=2)
def named_by(versions: frozenset[tuple[str, str, str]]) -> Mapping[str, str]:
    """Which model version, as ``name/version``, names a run or a logged model in its source or location, by their id.

    Every part of such a URI counts, ``runs:/ID/model`` and ``models:/ID`` as well as a path.
    """
    return {
        part: name
        for name, *uris in versions
        for uri in uris
        for part in segments(uri)
        if SERVER_MADE_ID.fullmatch(part)
    }
