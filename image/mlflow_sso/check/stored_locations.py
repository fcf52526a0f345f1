"""Counts rows whose location is not served, as earlier installations may have written: of each table, in one statement.

The same rules as ``authorization.locations``, which judges a location when a request follows it.
"""

from collections.abc import Mapping
from typing import Any

from mlflow_sso.authorization.locations import PROMPT_SOURCES
from mlflow_sso.authorization.objects import OWN_ROOT

LOCATIONS: Mapping[str, str] = {
    "experiments": "SELECT artifact_location, experiment_id FROM experiments",
    "runs": "SELECT artifact_uri, experiment_id FROM runs",
    "logged_models": "SELECT artifact_location, experiment_id FROM logged_models",
    # A version has no experiment, and that of a prompt no files.
    "model_versions": "SELECT coalesce(nullif(storage_location, ''), source), NULL::integer FROM model_versions "
    "WHERE source <> ALL(%(prompts)s)",
    "trace_tags": "SELECT t.value, i.experiment_id FROM trace_tags AS t JOIN trace_info AS i USING (request_id) "
    "WHERE t.key IN ('mlflow.artifactLocation', 'mlflow.trace.archiveLocation')",
}
"""The stored locations by table, each with the experiment that the row belongs to."""

_COUNT = """
WITH stored (location, experiment) AS ({locations}),
below (location, experiment, path) AS (
  SELECT location, experiment, CASE
    WHEN starts_with(location, %(root)s) THEN substr(location, length(%(root)s) + 1)
    WHEN starts_with(location, %(destination)s) THEN substr(location, length(%(destination)s) + 1) END FROM stored
  WHERE coalesce(location, '') <> '' AND NOT EXISTS (
    SELECT FROM unnest(%(allowed)s::text[]) AS prefix WHERE location = prefix OR starts_with(location, prefix || '/')))
SELECT count(*) FILTER (WHERE path IS NULL OR path = '' OR path ~ %(ambiguous)s),
  count(*) FILTER (WHERE path ~ '^[0-9]+(/|$)' AND experiment IS NOT NULL
    AND substring(path FROM '^[0-9]+') <> experiment::text AND path !~ %(ambiguous)s) FROM below
"""

_AMBIGUOUS = r"^/|//|(^|/)\.\.?(/|$)|[?#;\\%]"


def describe(connection: Any, *, allowed: tuple[str, ...], destination: str) -> list[str]:
    """A line for each table that has such rows: how many, and what to do; raises psycopg2's errors."""
    places = {
        "root": OWN_ROOT,
        "destination": f"{destination.rstrip('/')}/",
        "allowed": [p.rstrip("/") for p in allowed],
    }
    values = {**places, "ambiguous": _AMBIGUOUS, "prompts": sorted(PROMPT_SOURCES)}
    lines = []
    with connection.cursor() as cursor:
        for table, locations in LOCATIONS.items():
            cursor.execute(_COUNT.format(locations=locations), values)
            outside, of_others = cursor.fetchone()
            if outside:
                lines.append(
                    f"{outside} of {table} lie elsewhere and are not served (name their prefix in "
                    "artifacts.allowed_locations, or copy the files into the bucket and correct the rows)"
                )
            if of_others:
                lines.append(
                    f"{of_others} of {table} lie in the folder of another experiment and are served to those who may "
                    "read that one (grant it, or correct the rows)"
                )
    return lines
