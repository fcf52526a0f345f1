"""Reads what a request refers to beside the things that it is about: runs, traces, issues, and models of scorers.

A scorer is JSON in a text, and may hold others; MLflow itself looks for its model in some places only.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlflow_sso.authorization.locations import Demand
from mlflow_sso.authorization.reading import Request, text
from mlflow_sso.authorization.rules import Field, Form, Kind, Level, Rule, Value, Where

GATEWAY_MODEL = re.compile(r"\s*gateway\s*:/+(.+)", re.IGNORECASE | re.DOTALL)
"""A model that the AI gateway serves; MLflow drops further slashes (mlflow/metrics/genai/model_utils.py)."""

ISSUE_PREFIX = "iss-"
"""Of the ids that MLflow gives to issues (``create_issue`` of its tracking store)."""

TRACEPARENT = Field("traceparent", Where.HEADER)
"""Of W3C's Trace Context: it holds the id of a trace of MLflow's without ``tr-``, to which the gateway adds spans."""

LOCATION = "trace.trace_info.trace_location.mlflow_experiment.experiment_id"
"""Of a new trace, the experiment."""


def refers_to(kind: Kind, path: str) -> Rule:
    """What the field ``path`` of the body leads to is of ``kind``, and its level is needed if it exists.

    ``GATEWAY_ENDPOINT`` are those that any text at or below ``path`` has as its model, ``SCORER_MODEL`` those that
    the stored scorers have which ``path`` names, and ``ISSUE`` one of the same experiment as the trace.
    """
    return Rule(values=(Value(Form.REFERENCE, Field(path, Where.BODY), kind),))


def joins_traces() -> Rule:
    """A trace of which the call becomes a part, by its headers, is one that the caller may edit, if it exists."""
    return Rule(values=(Value(Form.REFERENCE, TRACEPARENT, Kind.TRACE),))


def demands(value: Value, request: Request) -> Iterator[Demand]:
    """What the caller needs for the references in ``value``; raises ``RefusedError`` for one that names nothing."""
    if value.field == TRACEPARENT:
        yield from _joined(request)
    else:
        yield from _in_body(value.kind, value.field.path, request)


def _joined(request: Request) -> Iterator[Demand]:
    for header in request.headers.get(TRACEPARENT.path, ()):
        for number in re.findall("[0-9a-f]{32}", header.lower()):
            yield Demand(Level.EDIT, Kind.TRACE, f"tr-{number}", if_there=True)


def _in_body(kind: Kind | None, path: str, request: Request) -> Iterator[Demand]:
    match kind:
        case Kind.GATEWAY_ENDPOINT:
            for name in gateway_models(request.raw(path)):
                yield Demand(Level.USE, kind, text(name, path))
        case Kind.SCORER_MODEL if path != "name" or not _is_off(request):
            for scorer in _stored_scorers(path, request):
                yield Demand(Level.USE, kind, scorer.key)
        case Kind.ISSUE:
            beside = _place(request)
            # Assessments of all other names are asked for nothing.
            for name in request.raw(path):
                if isinstance(name, str) and name.startswith(ISSUE_PREFIX):
                    yield Demand(Level.READ, kind, text(name, path), if_there=True, beside=beside)
        case Kind.RUN | Kind.TRACE | Kind.SCORER | Kind.REGISTERED_MODEL:
            for name in request.raw(path):
                yield Demand(Level.READ, kind, text(name, path), if_there=True)


def gateway_models(value: Any) -> Iterator[str]:
    """Names of the endpoints that any text in ``value`` has as its model, also in JSON within a text."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list | tuple):
            waiting += item
        elif isinstance(item, str):
            if found := GATEWAY_MODEL.fullmatch(item):
                yield found[1]
            waiting.append(_parsed(item))


def _parsed(item: str) -> Any:
    """JSON in a text, each key of an object as often as it stands there; None for all other text."""
    if item.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(item, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class StoredScorer:
    """A scorer of an experiment; every version, unless one is named: the latest may be deleted."""

    experiment: str
    name: str
    version: int | None

    @property
    def key(self) -> str:
        """As a demand names it."""
        return json.dumps([self.experiment, self.name, self.version])

    @classmethod
    def of_key(cls, key: str) -> "StoredScorer":
        """The one that ``key`` stands for."""
        return cls(*json.loads(key))


def _is_off(request: Request) -> bool:
    """Whether online scoring is to end, which who may not use the scorer's model may say, too."""
    rate = request.body.get("sample_rate")
    return isinstance(rate, int | float) and not isinstance(rate, bool) and rate == 0


def _stored_scorers(path: str, request: Request) -> Iterator[StoredScorer]:
    inner = request.body.get("params")
    experiment = (inner if path.startswith("params.") and isinstance(inner, dict) else request.body).get(
        "experiment_id"
    )
    for name, version in _names_and_versions(path, request):
        if isinstance(name, str) and str(experiment).isascii() and str(experiment).isdecimal():
            yield StoredScorer(str(experiment), text(name, path), version if isinstance(version, int) else None)


def _names_and_versions(path: str, request: Request) -> Iterator[tuple[Any, Any]]:
    """Of a list of scorers in texts, MLflow takes the stored one instead of each for which a version is given."""
    if not path.startswith("serialized_scorers"):
        # MLflow reads a version beside this name only.
        version = request.body.get("scorer_version") if path == "scorer_name" else None
        yield from ((name, version) for name in request.raw(path))
        return
    # With their gaps, so that each stands beside its version.
    items, versions = (request.body.get(name) for name in ("serialized_scorers", "scorer_versions"))
    for item, version in zip(items or (), versions if isinstance(versions, list) else (), strict=False):
        if version is not None and isinstance(item, str):
            yield from ((value, version) for key, value in _pairs(_parsed(item)) if key == "name")


def _pairs(parsed: Any) -> Iterator[tuple[Any, Any]]:
    return (pair for pair in parsed if isinstance(pair, tuple)) if isinstance(parsed, list) else iter(())


def _place(request: Request) -> tuple[Kind, str]:
    if "trace_id" in request.path:
        return Kind.TRACE, request.path["trace_id"]
    return Kind.EXPERIMENT, next((text(name, LOCATION) for name in request.raw(LOCATION)), "")
