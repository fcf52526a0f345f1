"""Metrics of every request, whichever framework answers it: by the rule that guards its route, never by path or user.

MLflow's own exporter counts Flask's routes only: neither the plugins' nor what is refused before it. Values of all
workers are added up on the metrics port. Labels come from the table of routes and from constants here, so that no
client can create a series.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mlflow_sso.asgi import Application, Message, Receive, Scope, Send
from mlflow_sso.authorization.rules import Access, Rule

RECORD = "mlflow_sso.request_record"
"""Key of the scope under which each layer notes what it knows of the request."""

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
"""Seconds: a log-batch takes some milliseconds, a page of a search a second, an artifact minutes."""

METHODS = {"GET": "read", "HEAD": "read", "OPTIONS": "read"}


@dataclass(slots=True)
class RequestRecord:
    """What is known of a request while it is served."""

    rule: str = "none"
    carries_artifacts: bool = False
    """Whether bodies are artifacts, or lists of them."""


def record_of(scope: Mapping[str, Any]) -> RequestRecord:
    """The record of the request, or one that is not read."""
    found = scope.get(RECORD)
    return found if isinstance(found, RequestRecord) else RequestRecord()


@lru_cache(maxsize=1024)
def label(rule: Rule) -> str:
    """``rule`` in a few words: who may ask, and for what: ``read run``, ``list experiment``, ``any member``."""
    if rule.access is not Access.MEMBER:
        return {Access.OPEN: "open", Access.ADMINISTRATOR: "administrator", Access.REFUSED: "refused"}[rule.access]
    needed = sorted({f"{need.level.name.lower()} {need.kind.value}" for need in rule.needs})
    listed = sorted(f"list {kind.value}" for kind in rule.lists)
    return (needed or listed or ["any member"])[0]


class RequestMetrics:
    """The outermost ASGI middleware: counts requests, their seconds, and bytes of artifacts."""

    def __init__(self, application: Application) -> None:
        from prometheus_client import Counter, Histogram

        self._application = application
        self._requests = Counter(
            "mlflow_sso_requests", "Requests that were answered.", ("rule", "method", "status"), registry=None
        )
        self._seconds = Histogram(
            "mlflow_sso_request_duration_seconds",
            "Seconds from the head of a request to the end of its answer.",
            ("rule", "method"),
            buckets=BUCKETS,
            registry=None,
        )
        self._bytes = Counter(
            "mlflow_sso_artifact_bytes", "Bytes of artifacts through the server.", ("direction",), registry=None
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/health":
            await self._application(scope, receive, send)
            return
        record, started = RequestRecord(), time.perf_counter()
        exchange = _Counted(receive, send)
        try:
            await self._application({**scope, RECORD: record}, exchange.receive, exchange.send)
        finally:
            self._note(record, exchange, METHODS.get(scope["method"], "write"), time.perf_counter() - started)

    def _note(self, record: RequestRecord, exchange: "_Counted", method: str, seconds: float) -> None:
        status = f"{exchange.status // 100}xx" if exchange.status else "none"
        self._requests.labels(record.rule, method, status).inc()
        self._seconds.labels(record.rule, method).observe(seconds)
        if record.carries_artifacts:
            self._bytes.labels("in").inc(exchange.received)
            self._bytes.labels("out").inc(exchange.sent)


class _Counted:
    """One request: its answer's status, and the bytes of both bodies."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self.status = self.received = self.sent = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.sent += len(message.get("body", b""))
        await self._send(message)
