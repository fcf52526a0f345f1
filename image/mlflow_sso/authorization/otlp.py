"""Reads which traces, and which of their tags, the spans of a request to ``/v1/traces`` write.

MLflow takes spans for any trace, whichever experiment the header names, and makes tags of some attributes of a root
span (mlflow/server/otel_api.py; ``log_spans`` of its tracking store). Release 3.6.0 believes the attribute in which
its client repeats the trace's id, and reads neither JSON nor compressed bodies.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from mlflow_sso.authorization.errors import RefusedError

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

MAX_DECOMPRESSED = 64 << 20
"""Bytes of a compressed request, decompressed; exporters send some hundred spans at a time."""


@dataclass(frozen=True, slots=True)
class Spans:
    """What the spans of a request write."""

    trace_ids: frozenset[str]
    """As MLflow calls traces."""

    tags: tuple[tuple[str, str], ...]


def read_spans(body: bytes, *, content_types: Sequence[str], encodings: Sequence[str]) -> Spans:
    """The spans of ``body``; raises ``RefusedError`` unless it is what its headers say, each of which stands once."""
    # protobuf is loaded with MLflow anyway; the table of routes is read without it.
    from google.protobuf.json_format import ParseError
    from google.protobuf.message import DecodeError

    try:
        (content_type,) = content_types
        plain = _decompressed(body, *encodings) if encodings else body
        spans = list(_spans(plain, content_type.partition(";")[0].strip().lower()))
        trace_ids = frozenset(_trace_id(span) for span in spans)
    except (DecodeError, ParseError, ValueError, TypeError, AttributeError, ImportError, RecursionError):
        raise RefusedError("the body is not spans of OTLP", status=400, error_code="INVALID_PARAMETER_VALUE") from None
    return Spans(trace_ids, tuple(tag for span in spans for tag in _tags(span)))


def _decompressed(body: bytes, encoding: str) -> bytes:
    from mlflow.tracing.utils.otlp import decompress_otlp_body
    from starlette.exceptions import HTTPException

    try:
        longest = max(len(part) for part in _beginnings(body, encoding.lower()))
        if longest > MAX_DECOMPRESSED:
            raise RefusedError(f"spans of more than {MAX_DECOMPRESSED >> 20} MiB are not served", status=413)
        return bytes(decompress_otlp_body(body, encoding.lower()))
    except (HTTPException, OSError, EOFError) as error:
        raise ValueError(encoding) from error


def _beginnings(body: bytes, encoding: str) -> Iterator[bytes]:
    """What ``body`` is decompressed, in every way in which MLflow reads it, up to one byte too many."""
    if encoding == "gzip":
        yield gzip.GzipFile(fileobj=BytesIO(body)).read(MAX_DECOMPRESSED + 1)
        return
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        try:
            yield zlib.decompressobj(window).decompress(body, MAX_DECOMPRESSED + 1)
        except zlib.error:
            yield b""


def _spans(body: bytes, content_type: str) -> "Iterator[Span]":
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from google.protobuf.json_format import Parse
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    if content_type == "application/json":
        from mlflow.server.otel_api import _convert_otlp_json_ids_to_base64

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


def _trace_id(span: "Span") -> str:
    from mlflow.entities.span import _otel_proto_bytes_to_id
    from mlflow.tracing.constant import SpanAttributeKey
    from mlflow.tracing.utils import generate_mlflow_trace_id_from_otel_trace_id

    trace_id = str(generate_mlflow_trace_id_from_otel_trace_id(_otel_proto_bytes_to_id(span.trace_id)))
    # MLflow's client sends the value as JSON.
    said = [value.strip('"') for key, value in _attributes(span) if key == SpanAttributeKey.REQUEST_ID]
    if any(other != trace_id for other in said):
        raise RefusedError(f"the attribute {SpanAttributeKey.REQUEST_ID} of a span is not the id of its trace")
    return trace_id


def _tags(span: "Span") -> Iterator[tuple[str, str]]:
    from mlflow.tracing.constant import SpanAttributeKey

    # Release 3.6.0 makes no tags of attributes.
    prefix = getattr(SpanAttributeKey, "TRACE_TAG_PREFIX", None)
    for key, value in _attributes(span):
        if prefix and key.startswith(prefix):
            yield key.removeprefix(prefix), value


def _attributes(span: "Span") -> Iterator[tuple[str, str]]:
    from mlflow.entities.span import _decode_otel_proto_anyvalue

    for attribute in span.attributes:
        yield attribute.key, str(_decode_otel_proto_anyvalue(attribute.value))
