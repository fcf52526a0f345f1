"""ASGI middleware in front of the whole application: head, login, body, objects, permission; only then the request.

A request that is refused before the login costs no body and no hash, and one that is refused after it never reaches
the application.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

from mlflow_sso.authorization.errors import Answer, RefusedError
from mlflow_sso.authorization.matching import Match, Table, has_encoded_separator
from mlflow_sso.authorization.rules import Access, Body, Kind

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_JSON = 64 << 20
"""Bytes of a JSON body; MLflow's own clients stay far below, since they send data in batches."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who has logged in."""

    username: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class Allowed:
    """Passes a request on; while it is answered, lists show only those rows of ``lists`` that the caller may read."""

    caller: Caller | None
    lists: frozenset[Kind] = frozenset()


class Backend(Protocol):
    """What a release adds to the engine."""

    async def login(self, scope: Scope) -> Caller | Answer:
        """Who asks, by the plugin's own authentication, or its answer to those who have not logged in."""
        ...

    async def decide(self, caller: Caller, match: Match, scope: Scope, body: bytes) -> Allowed:
        """Read the objects named and ask for the permissions; raises ``RefusedError``."""
        ...

    async def serve(self, allowed: Allowed, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on to the application, which need not ask again who the caller is."""
        ...


class AuthorizationMiddleware:
    """Serves only what ``table`` knows, and that only to those whom ``backend`` allows it."""

    def __init__(self, table: Table, backend: Backend) -> None:
        self._table, self._backend = table, backend

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # Of the other types only the server's own lifespan messages; no release serves a websocket.
            if scope["type"] == "lifespan":
                await self._backend.serve(Allowed(None), scope, receive, send)
            return
        try:
            match = self._match(scope)
            allowed: Allowed | Answer
            allowed, receive = await self._allow(match, scope, receive)
        except RefusedError as refusal:
            allowed = refusal.answer()
        if isinstance(allowed, Answer):
            await send_answer(allowed, scope, send)
        else:
            await self._backend.serve(allowed, scope, receive, send)

    def _match(self, scope: Scope) -> Match:
        method, path = scope["method"], scope["path"]
        if has_encoded_separator(scope.get("raw_path") or b""):
            raise RefusedError("this path has an encoded slash, backslash or NUL, which is not served")
        match = self._table.find(method, path)
        if match is None:
            raise RefusedError(f"{method} of this path is not in the table of routes that this server serves")
        if match.route.rule.access is Access.REFUSED:
            raise RefusedError(f"this server does not serve this path: {match.route.rule.because}")
        return match

    async def _allow(self, match: Match, scope: Scope, receive: Receive) -> tuple[Allowed | Answer, Receive]:
        if match.route.rule.access is Access.OPEN:
            return Allowed(None), receive
        caller = await self._backend.login(scope)
        if isinstance(caller, Answer):
            return caller, receive
        body = b""
        if match.route.body is not Body.FILE:
            body = await read_body(receive)
            receive = replay(body, receive)
        return await self._backend.decide(caller, match, scope, body), receive


async def read_body(receive: Receive) -> bytes:
    """The whole body; raises ``RefusedError`` beyond ``MAX_JSON`` bytes, without reading on."""
    pieces, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError("the request ended before its body did", status=400, error_code="BAD_REQUEST")
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > MAX_JSON:
            raise RefusedError(f"the body is larger than {MAX_JSON} bytes", status=413, error_code="BAD_REQUEST")
        more = message.get("more_body", False)
    return b"".join(pieces)


def replay(body: bytes, receive: Receive) -> Receive:
    """``body`` as one message, then whatever else comes."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return first.pop() if first else await receive()

    return replayed


async def send_answer(answer: Answer, scope: Mapping[str, Any], send: Send) -> None:
    """Send ``answer``, without its body if HEAD was asked."""
    await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})
