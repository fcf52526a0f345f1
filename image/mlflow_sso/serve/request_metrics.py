"""Metrics of every request, whichever framework answers it: by the rule that guards its route, never by path or user.

MLflow's own exporter counts Flask's routes only: neither the plugins' nor what is refused before it. Values of all
workers are added up on the metrics port. Labels come from the table of routes and from constants here, so that no
client can create a series.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from mlflow_sso.asgi import Application, Message, Receive, Scope, Send
from mlflow_sso.authorization.rules import Access, Rule
from mlflow_sso.serve.request_ids import HEADER, Networks, client_address, is_from_proxy, request_id

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
    request_id: str = ""
    client: str = ""
    """Address that asks; behind a trusted proxy, with what that says of its own client."""
    user: str = ""
    action: str = ""
    """What an audit calls the request; empty if it does not ask about it."""
    named: dict[str, str] = field(default_factory=dict)
    """Whom and what an audited request is about."""
    failure: str = ""
    """Why a login failed, in words of the server's own."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A request whose answer has ended; ``status`` is 0 if it was never begun, sizes are in bytes."""

    scope: Scope
    record: RequestRecord
    status: int
    received: int
    sent: int
    seconds: float


_current: ContextVar[RequestRecord | None] = ContextVar("mlflow_sso_request_record", default=None)


def current_record() -> RequestRecord | None:
    """The record of the request that this task or thread works on; None outside of requests."""
    return _current.get()


def record_of(scope: Mapping[str, Any]) -> RequestRecord:
    """The record of the request, or one that is not read."""
    found = scope.get(RECORD)
    return found if isinstance(found, RequestRecord) else RequestRecord()


def note_login(username: str | None, errors: Sequence[str]) -> None:
    """Note whose login a callback was, or why it failed: the plugin's first error, without what it quotes."""
    record = _current.get()
    if record is not None:
        record.user = username or ""
        record.failure = errors[0].partition(":")[0][:100] if errors else ""


@lru_cache(maxsize=1024)
def label(rule: Rule) -> str:
    """``rule`` in a few words: who may ask, and for what: ``read run``, ``list experiment``, ``any member``."""
    if rule.access is not Access.MEMBER:
        return {Access.OPEN: "open", Access.ADMINISTRATOR: "administrator", Access.REFUSED: "refused"}[rule.access]
    needed = sorted({f"{need.level.name.lower()} {need.kind.value}" for need in rule.needs})
    listed = sorted(f"list {kind.value}" for kind in rule.lists)
    return (needed or listed or ["any member"])[0]


class RequestMetrics:
    """The outermost ASGI middleware: counts requests, their seconds, and bytes of artifacts; names and logs them.

    X-Request-Id and X-Forwarded-For are believed of ``trusted`` addresses only.
    """

    def __init__(
        self,
        application: Application,
        *,
        trusted: Networks = (),
        log: "Callable[[Finished], None] | None" = None,
        probed: "Callable[[Scope], None] | None" = None,
    ) -> None:
        from prometheus_client import Counter, Histogram

        self._application, self._trusted, self._log, self._probed = application, trusted, log, probed
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
        # Probes would hide the requests of users in every rate and average.
        if scope["type"] != "http" or scope["path"] == "/health":
            if self._probed is not None and scope["type"] == "http":
                self._probed(scope)
            await self._application(scope, receive, send)
            return
        record, started = self._record(scope), time.perf_counter()
        exchange = _Counted(receive, send, request_id=record.request_id)
        token = _current.set(record)
        try:
            await self._application({**scope, RECORD: record}, exchange.receive, exchange.send)
        finally:
            _current.reset(token)
            seconds = time.perf_counter() - started
            self._note(record, exchange, METHODS.get(scope["method"], "write"), seconds)
            if self._log is not None:
                self._log(Finished(scope, record, exchange.status, exchange.received, exchange.sent, seconds))

    def _record(self, scope: Scope) -> RequestRecord:
        from_proxy = is_from_proxy(scope, self._trusted)
        return RequestRecord(
            request_id=request_id(scope, from_proxy=from_proxy), client=client_address(scope, from_proxy=from_proxy)
        )

    def _note(self, record: RequestRecord, exchange: "_Counted", method: str, seconds: float) -> None:
        status = f"{exchange.status // 100}xx" if exchange.status else "none"
        self._requests.labels(record.rule, method, status).inc()
        self._seconds.labels(record.rule, method).observe(seconds)
        if record.carries_artifacts:
            self._bytes.labels("in").inc(exchange.received)
            self._bytes.labels("out").inc(exchange.sent)


class _Counted:
    """One request: its answer's status, and the bytes of both bodies."""

    def __init__(self, receive: Receive, send: Send, *, request_id: str) -> None:
        self._receive, self._send, self._id = receive, send, (HEADER, request_id.encode())
        self.status = self.received = self.sent = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), self._id]}
        else:
            self.sent += len(message.get("body", b""))
        await self._send(message)
