"""Values that the server believes: tags that it interprets, ids that clients choose, paths below a folder."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.objects import artifact_segments
from mlflow_sso.authorization.reading import Request, normal

TRACE_ID = re.compile(r"tr-[0-9a-f]{32}")
"""As MLflow's clients create them (mlflow/tracing/utils/__init__.py, ``generate_trace_id_v3``)."""


TRACE_STATES = frozenset({"OK", "ERROR", "IN_PROGRESS"})
"""Of a trace in version 2 (mlflow/protos/service.proto, ``TraceStatus``), but for the one that says nothing."""

MOST_PARTS = 10_000
"""Of one upload (Amazon S3 User Guide, "Amazon S3 multipart upload limits")."""


def tags_in(request: Request, path: str) -> Iterator[tuple[Any, Any]]:
    """Keys and values of the tags at ``path`` of the body; an empty ``path`` is one tag as the body."""
    for item in [request.body] if not path else request.raw(path):
        yield from _pairs(item)


def _pairs(item: Any) -> Iterator[tuple[Any, Any]]:
    """Keys and values of ``[{key, value}]``, of ``{key, value}``, of a mapping, and of each of them as JSON in text."""
    if isinstance(item, str):
        yield from _pairs(_from_text(item))
    elif isinstance(item, list):
        for inner in item:
            yield from _pairs(inner)
    elif isinstance(item, Mapping):
        # The two names may also be the keys of two tags in a mapping: judged as both.
        if {normal(str(name)) for name in item} & {"key", "value"}:
            yield item.get("key"), item.get("value")
        yield from item.items()


def _from_text(text: str) -> Any:
    """Tags of an evaluation data set are JSON in a field of text."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return None if isinstance(parsed, str) else parsed


def trace_id(name: str) -> str:
    """``name`` if it is a trace id; raises ``RefusedError``: another object's id would name its folder."""
    if not TRACE_ID.fullmatch(name):
        raise RefusedError(f"the trace id {name[:60]!r} is not served: it is tr- and 32 hexadecimal digits")
    return name


def refuse_other_paths(paths: Sequence[str]) -> None:
    """Raise ``RefusedError`` for a path that could lead out of the folder below which it is named."""
    for path in paths:
        artifact_segments(path)


def refuse_folders(paths: Sequence[str]) -> None:
    """Raise ``RefusedError`` for a path whose last segment leads to a folder: MLflow appends it to another path."""
    for path in paths:
        if path.rpartition("/")[2] in ("", ".", ".."):
            raise RefusedError("the path of an upload ends with the name of a file", status=400)


def refuse_other_states(states: Sequence[str]) -> None:
    """Raise ``RefusedError`` unless one of ``TRACE_STATES`` is said: MLflow fails at all others."""
    if not states or not TRACE_STATES.issuperset(states):
        raise RefusedError(
            f"status is one of {', '.join(sorted(TRACE_STATES))}", status=400, error_code="INVALID_PARAMETER_VALUE"
        )


def refuse_many_parts(counts: Sequence[Any]) -> None:
    """Raise ``RefusedError`` for more parts than an upload can have: MLflow signs an address for each, at once."""
    for count in counts:
        if not isinstance(count, int) or not 1 <= count <= MOST_PARTS:
            raise RefusedError(f"num_parts is a number from 1 to {MOST_PARTS}", status=400)
