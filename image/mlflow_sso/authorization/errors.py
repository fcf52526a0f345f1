"""How a request is refused: with one clear line, in the form in which MLflow's clients read errors."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer in place of the application's."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class RefusedError(Exception):
    """Ends a request."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 403,
        error_code: str = "PERMISSION_DENIED",
        retry_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.error_code, self.retry_seconds = message, status, error_code, retry_seconds

    def answer(self) -> Answer:
        """JSON with code and message."""
        body = json.dumps({"error_code": self.error_code, "message": self.message}).encode()
        retry = ((b"retry-after", str(self.retry_seconds).encode()),) if self.retry_seconds else ()
        headers = ((b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *retry)
        return Answer(self.status, headers, body)
