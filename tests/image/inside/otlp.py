"""Spans as OpenTelemetry's protocol has them, in protobuf, which both releases read; written without its library."""

from collections.abc import Mapping

START, END = 1_700_000_000_000_000_000, 1_700_000_001_000_000_000
CONTENT_TYPE = ("content-type", "application/x-protobuf")


def root_span(trace: str, attributes: Mapping[str, str] | None = None) -> bytes:
    """A request with one ended root span of the trace that MLflow calls ``trace``."""
    span = field(1, bytes.fromhex(trace.removeprefix("tr-"))) + field(2, bytes.fromhex("00f067aa0ba902b7"))
    # The span id of the examples of W3C's Trace Context.
    span += field(5, b"changed") + fixed(7, START) + fixed(8, END)
    for key, value in (attributes or {}).items():
        span += field(9, field(1, key.encode()) + field(2, field(1, value.encode())))
    return field(1, field(2, field(2, span)))


def field(number: int, content: bytes) -> bytes:
    """A field of bytes, text or another message."""
    # 2 is protobuf's wire type of a length and its bytes, 1 that of eight bytes.
    return varint(number << 3 | 2) + varint(len(content)) + content


def fixed(number: int, value: int) -> bytes:
    """A field of eight bytes."""
    return varint(number << 3 | 1) + value.to_bytes(8, "little")


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    return bytes([value & 0x7F | 0x80]) + varint(value >> 7) if value > 0x7F else bytes([value])
