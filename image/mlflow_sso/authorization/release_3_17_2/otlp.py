"""Reads which traces, and which of their tags, the spans of a request to ``/v1/traces`` write.

MLflow takes spans for any trace, whichever experiment the header names, and makes tags of some attributes of a root
span (mlflow/server/otel_api.py; ``log_spans`` of its tracking store).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlflow_sso.authorization.errors import RefusedError

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True, slots=True)
class Spans:
    """What the spans of a request write."""

    trace_ids: frozenset[str]
    """As MLflow calls traces."""

    tags: tuple[tuple[str, str], ...]


def read_spans(body: bytes, content_type: str) -> Spans:
    """The spans of ``body``; raises ``RefusedError`` unless it is what its type says."""
    # protobuf is loaded with MLflow anyway; the table of routes is read without it.
    from google.protobuf.json_format import ParseError
    from google.protobuf.message import DecodeError

    try:
        spans = list(_spans(body, content_type.partition(";")[0].strip().lower()))
        trace_ids = frozenset(_trace_id(span.trace_id) for span in spans)
    except (DecodeError, ParseError, ValueError, TypeError, AttributeError, RecursionError):
        raise RefusedError("the body is not spans of OTLP", status=400, error_code="INVALID_PARAMETER_VALUE") from None
    return Spans(trace_ids, tuple(tag for span in spans for tag in _tags(span)))


def _spans(body: bytes, content_type: str) -> "Iterator[Span]":
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from google.protobuf.json_format import Parse
    from mlflow.server.otel_api import _convert_otlp_json_ids_to_base64
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    if content_type == "application/json":
        json.loads(body, object_pairs_hook=_without_repetition)
        Parse(_convert_otlp_json_ids_to_base64(body), request, ignore_unknown_fields=True)
    elif content_type == "application/x-protobuf":
        request.ParseFromString(body)
    else:
        raise ValueError(content_type)
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _trace_id(raw: bytes) -> str:
    from mlflow.entities.span import _otel_proto_bytes_to_id
    from mlflow.tracing.utils import generate_mlflow_trace_id_from_otel_trace_id

    return str(generate_mlflow_trace_id_from_otel_trace_id(_otel_proto_bytes_to_id(raw)))


def _tags(span: "Span") -> Iterator[tuple[str, str]]:
    from mlflow.entities.span import _decode_otel_proto_anyvalue
    from mlflow.tracing.constant import SpanAttributeKey

    for attribute in span.attributes:
        if attribute.key.startswith(SpanAttributeKey.TRACE_TAG_PREFIX):
            name = attribute.key.removeprefix(SpanAttributeKey.TRACE_TAG_PREFIX)
            yield name, str(_decode_otel_proto_anyvalue(attribute.value))
