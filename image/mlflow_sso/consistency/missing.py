"""Rows whose objects are gone: they promise artifacts, and their folder is empty.

A run may have no artifacts, so an empty folder says nothing about it. These rows do not exist before their upload: a
version of a registered model, a logged model that is READY, a model that a run has noted, a trace with spans in S3.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mlflow_sso.garbage_collection.locations import readings
from mlflow_sso.garbage_collection.usage_rows import DELETED_VERSION
from mlflow_sso.object_store import Folder, ObjectStore

READY = 2
"""``LoggedModelStatus.READY`` as its column has it (``mlflow.entities.logged_model_status``)."""

LONGEST_KEY = 1024
"""Bytes of a key of S3, Azure and Google's store allow no more (AWS, "Naming Amazon S3 objects")."""

_VERSIONS = f"""
SELECT 'model version', name || '/' || version, coalesce(nullif(storage_location, ''), source) FROM model_versions
WHERE current_stage IS DISTINCT FROM '{DELETED_VERSION}'
"""  # noqa: S608 - constants of ours
_LOGGED_MODELS = f"""
SELECT 'logged model', model_id, artifact_location FROM logged_models
WHERE status = {READY} AND lifecycle_stage = 'active'
"""  # noqa: S608
_TRACES = """
SELECT 'trace', here.request_id, place.value FROM trace_tags AS here JOIN trace_tags AS place USING (request_id)
WHERE here.key = 'mlflow.trace.spansLocation' AND here.value = 'ARTIFACT_REPO'
AND place.key = 'mlflow.artifactLocation'
"""
_NOTED = """
SELECT tags.run_uuid, runs.artifact_uri, tags.value FROM tags JOIN runs USING (run_uuid)
WHERE tags.key = 'mlflow.log-model.history' AND runs.lifecycle_stage = 'active'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A row and the folder that should hold its objects."""

    kind: str
    id: str
    location: str


def find_missing(connection: Any, store: ObjectStore, root: Folder) -> Iterator[Missing]:
    """All of them; raises psycopg2's errors and ``ProgramError``."""
    for promise in _promises(connection):
        for location in _resolved(connection, promise.location):
            named = [folder for folder in readings(location, root) if folder.bucket == root.bucket and folder.prefix]
            folders = filter(_can_hold_objects, named)
            if named and not any(store.page(folder, limit=1).objects for folder in folders):
                yield Missing(kind=promise.kind, id=promise.id, location=location)


def _can_hold_objects(folder: Folder) -> bool:
    """Whether every object store takes such a key: they refuse empty segments and dots, as well as long keys."""
    segments = folder.prefix.removesuffix("/").split("/")
    return not {"", ".", ".."} & set(segments) and len(folder.prefix.encode()) <= LONGEST_KEY


def _promises(connection: Any) -> Iterator[Missing]:
    for number, query in enumerate((_VERSIONS, _LOGGED_MODELS, _TRACES)):
        with closing(connection.cursor(name=f"promises_{number}")) as cursor:
            cursor.execute(query)
            for kind, identity, location in cursor:
                yield Missing(kind=kind, id=identity, location=location or "")
    with closing(connection.cursor(name="noted")) as cursor:
        cursor.execute(_NOTED)
        for run, location, text in cursor:
            for path in _noted_paths(text):
                yield Missing(kind="model of run", id=run, location=f"{(location or '').rstrip('/')}/{path}")


def _noted_paths(text: str) -> list[str]:
    """Artifact paths in the tag that MLflow 2 and 3.6 write for each logged model."""
    try:
        return [str(item["artifact_path"]) for item in json.loads(text) if item.get("artifact_path")]
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return []


def _resolved(connection: Any, location: str) -> list[str]:
    """``location``; for ``runs:/ID/path`` and ``models:/ID``, where that run or model keeps its artifacts."""
    scheme, _, rest = location.partition(":/")
    identity, _, path = rest.strip("/").partition("/")
    queries = {
        "runs": "SELECT artifact_uri FROM runs WHERE run_uuid = %s",
        "models": "SELECT artifact_location FROM logged_models WHERE model_id = %s",
    }
    if scheme not in queries:
        return [location]
    with connection.cursor() as cursor:
        cursor.execute(queries[scheme], [identity])
        return [f"{(place or '').rstrip('/')}/{path}".rstrip("/") for (place,) in cursor.fetchall()]
