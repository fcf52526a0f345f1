"""Values that the server believes: tags that it interprets, ids that clients choose, paths below a folder."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.objects import artifact_segments
from mlflow_sso.authorization.reading import Request, normal

LOCATION_TAG = "mlflow.artifactLocation"
"""Where the server looks for the data of a trace (mlflow/tracing/utils/artifact_utils.py)."""
SPANS_LOCATION_TAG = "mlflow.trace.spansLocation"
"""Whether the server reads a trace's spans from its tables, from the artifacts, or from an archive."""
SPANS_LOCATIONS = frozenset({"TRACKING_STORE", "ARTIFACT_REPO"})
"""What clients may say; ARCHIVE_REPO sends the server to wherever a second tag points."""
REFUSED_TAGS = frozenset(
    {
        "mlflow.trace.archiveLocation",
        "mlflow.trace.archivalFailure",
        "mlflow.trace.archiveNow",
    }
)
"""What only the server's own archival of traces sets, by which it finds data (mlflow/tracing/constant.py)."""
_JUDGED = {normal(key): key for key in (LOCATION_TAG, SPANS_LOCATION_TAG, *REFUSED_TAGS)}
TRACE_ID = re.compile(r"tr-[0-9a-f]{32}")
"""As MLflow's clients create them (mlflow/tracing/utils/__init__.py, ``generate_trace_id_v3``)."""


def locations_in_tags(request: Request, path: str) -> Iterator[str]:
    """The locations that tags at ``path`` of the body give the server; an empty ``path`` is one tag as the body.

    Raises ``RefusedError`` for a tag that no client may set.
    """
    found: list[Any] = [request.body] if not path else request.raw(path)
    for key, value in (pair for item in found for pair in _pairs(item)):
        judged = _JUDGED.get(normal(key)) if isinstance(key, str) else None
        if judged is None:
            continue
        if key != judged or not isinstance(value, str) or judged in REFUSED_TAGS:
            raise RefusedError(f"the tag {key!r} is read by the server and is not served in this form")
        if judged == LOCATION_TAG:
            yield value
        elif value not in SPANS_LOCATIONS:
            raise RefusedError(f"the tag {key!r} may be {' or '.join(sorted(SPANS_LOCATIONS))}")


def _pairs(item: Any) -> Iterator[tuple[Any, Any]]:
    """Keys and values of ``[{key, value}]``, of ``{key, value}`` and of a mapping."""
    if isinstance(item, list):
        for inner in item:
            yield from _pairs(inner)
    elif isinstance(item, Mapping):
        if {normal(str(name)) for name in item} & {"key", "value"}:
            yield item.get("key"), item.get("value")
        yield from item.items()


def trace_id(name: str) -> str:
    """``name`` if it is a trace id; raises ``RefusedError``: another object's id would name its folder."""
    if not TRACE_ID.fullmatch(name):
        raise RefusedError(f"the trace id {name[:60]!r} is not served: it is tr- and 32 hexadecimal digits")
    return name


def refuse_other_paths(paths: Sequence[str]) -> None:
    """Raise ``RefusedError`` for a path that could lead out of the folder below which it is named."""
    for path in paths:
        artifact_segments(path)
