"""Lets a call of the AI gateway add spans only to a trace that its caller may edit when they are written.

MLflow puts a summary of each call into the trace that the header ``traceparent`` names. One that is not stored begins
in the experiment ``Default`` then, and so does a trace of MLflow's own if the header names none
(mlflow/gateway/tracing_utils.py, ``_maybe_create_distributed_span``). Without the summary the call is still served, and
its own trace is in the endpoint's experiment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.locations import Demand
from mlflow_sso.authorization.rules import Kind, Level

Judge = Callable[[Iterable[Demand]], None]
"""Raises ``RefusedError`` unless the caller has the level of each object."""

_judge: ContextVar[Judge | None] = ContextVar("judge_of_joined_traces", default=None)


@contextmanager
def joined_by(judge: Judge | None) -> Iterator[None]:
    """Let ``judge`` decide about the traces that this request joins; without one, it joins none."""
    token = _judge.set(judge)
    try:
        yield
    finally:
        _judge.reset(token)


def join_editable_traces_only() -> None:
    """Change MLflow's gateway in this process."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.gateway import tracing_utils

    create: Any = tracing_utils._maybe_create_distributed_span

    @wraps(create)
    def create_if_editable(request_headers: Mapping[str, str] | None, endpoint_config: Any) -> None:
        trace = _named(request_headers or {})
        if trace and _may_write(trace):
            create(request_headers, endpoint_config)

    tracing_utils._maybe_create_distributed_span = create_if_editable


def _named(headers: Mapping[str, str]) -> str | None:
    """The trace that MLflow would join; None if it would begin one of its own."""
    from mlflow.tracing.utils import generate_mlflow_trace_id_from_otel_trace_id
    from opentelemetry.trace import get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    # In small letters, as every server of ASGI hands names over.
    context = get_current_span(TraceContextTextMapPropagator().extract(dict(headers))).get_span_context()
    return generate_mlflow_trace_id_from_otel_trace_id(context.trace_id) if context.is_valid else None


def _may_write(trace: str) -> bool:
    from mlflow.tracking.fluent import _get_experiment_id

    judge = _judge.get()
    if judge is None:
        return False
    try:
        try:
            judge([Demand(Level.EDIT, Kind.TRACE, trace)])
        except RefusedError as refusal:
            if refusal.status != 404:
                raise
            judge([Demand(Level.EDIT, Kind.EXPERIMENT, str(_get_experiment_id()))])
    except RefusedError:
        return False
    return True
