"""Decompresses a body while it arrives, so that a small one cannot become a large one behind the limit."""

import zlib

GZIP, DEFLATE = zlib.MAX_WBITS | 16, zlib.MAX_WBITS


class UnreadableError(Exception):
    """The body is not compressed as its head says, or ends too early."""


class Decoder:
    """Takes pieces of a body in gzip or deflate (RFC 9110, 8.4.1) and gives them as they were before."""

    def __init__(self, encoding: bytes) -> None:
        self._gzip = encoding == b"gzip"
        self._stream = zlib.decompressobj(GZIP if self._gzip else DEFLATE)
        self._fresh = True

    def decode(self, piece: bytes, *, limit: int) -> bytes:
        """``piece`` decompressed; at most one byte more than ``limit``. Raises ``UnreadableError``."""
        try:
            return self._decode(piece, limit + 1)
        except zlib.error:
            raise UnreadableError from None

    def _decode(self, piece: bytes, room: int) -> bytes:
        decoded = bytearray()
        while piece and len(decoded) < room:
            if self._stream.eof:  # gzip allows several members in a row
                if not self._gzip:
                    raise UnreadableError
                self._stream = zlib.decompressobj(GZIP)
            try:
                decoded += self._stream.decompress(piece, room - len(decoded))
            except zlib.error:
                # Some send deflate without the header of zlib; MLflow takes that, too.
                if self._gzip or not self._fresh:
                    raise
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
                decoded += self._stream.decompress(piece, room - len(decoded))
            self._fresh = False
            piece = self._stream.unused_data or self._stream.unconsumed_tail
        return bytes(decoded)

    def finish(self) -> None:
        """Raise ``UnreadableError`` if the body is not whole."""
        if not self._stream.eof:
            raise UnreadableError
