"""ASGI middleware in front of the whole application: head, login, body, objects, permission; only then the request.

A request that is refused before the login costs no body and no hash, and one that is refused after it never reaches
the application.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote

from mlflow_sso.asgi import Receive, Scope, Send
from mlflow_sso.authorization.decision import Allowed, Caller
from mlflow_sso.authorization.errors import Answer, RefusedError
from mlflow_sso.authorization.foreign_pages import refuse_foreign_logout
from mlflow_sso.authorization.matching import Match, Table, has_encoded_separator
from mlflow_sso.authorization.outages import ANSWERS, outage, reason
from mlflow_sso.authorization.read_only import LABEL, changes_something, refusal
from mlflow_sso.authorization.rules import MEMBER, Access, Body, route
from mlflow_sso.log import progress
from mlflow_sso.patches.user_names import folded
from mlflow_sso.serve.bodies import LARGE, large_bodies, read_body
from mlflow_sso.serve.event_log import audited, named
from mlflow_sso.serve.refusals import refusals
from mlflow_sso.serve.request_metrics import label, record_of


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
    """Serves only what ``table`` knows, and that only if ``backend`` allows it to the user.

    ``refused_headers`` are names in small letters, and why no request with such a header is served.
    """

    def __init__(
        self,
        table: Table,
        backend: Backend,
        *,
        read_only: bool = False,
        refused_headers: Mapping[bytes, str] | None = None,
    ) -> None:
        self._table, self._backend, self._read_only = table, backend, read_only
        self._refused_headers = refused_headers or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # Of the other types only the server's own lifespan messages; no release serves a websocket.
            if scope["type"] == "lifespan":
                await self._backend.serve(Allowed(None), scope, receive, send)
            return
        try:
            match = self._match(scope)
            allowed: Allowed | Answer
            scope = with_folded_name(scope, match)
            allowed, receive = await self._allow(match, scope, receive)
        except RefusedError as refusal:
            allowed = refusal.answer()
        except Exception as error:
            found = outage(error)
            # Everything but a database that is away is a fault of this code: the log has to show it.
            if found is None:
                raise
            progress(found, level="error", reason=reason(error))
            allowed = ANSWERS[found]
        if isinstance(allowed, Answer):
            await send_answer(allowed, scope, send)
        else:
            await self._backend.serve(allowed, with_read_query(scope), receive, send)

    def _match(self, scope: Scope) -> Match:
        method, path = scope["method"], scope["path"]
        if has_encoded_separator(scope.get("raw_path") or b""):
            raise RefusedError("this path has an encoded slash, backslash or NUL, which is not served")
        for name, value in scope["headers"]:
            if name in self._refused_headers and value.strip():
                raise RefusedError(self._refused_headers[name], status=400, error_code="INVALID_PARAMETER_VALUE")
        # A preflight bears no login (Fetch standard), so its path is all that can be judged.
        if method == "OPTIONS" and self._table.knows(path):
            return PREFLIGHT
        match, record = self._table.find(method, path), record_of(scope)
        if match is None:
            raise RefusedError(f"{method} of this path is not in the table of what this server serves")
        rule = match.route.rule
        record.rule, record.carries_artifacts = label(rule), "artifact" in path
        record.action = audited(match)
        if rule.access is Access.REFUSED and rule.is_absent:
            raise RefusedError(rule.because, status=404, error_code="RESOURCE_DOES_NOT_EXIST")
        if rule.access is Access.REFUSED:
            raise RefusedError(f"this server does not serve this path: {rule.because}")
        refuse_foreign_logout(match, scope)
        # After the table: what is refused for good says so in place of "try again".
        if self._read_only and changes_something(match):
            record.rule = LABEL
            refusals.count("read_only", 503)
            raise refusal()
        return match

    async def _allow(self, match: Match, scope: Scope, receive: Receive) -> tuple[Allowed | Answer, Receive]:
        if match.route.rule.access is Access.OPEN:
            return Allowed(None), receive
        caller = await self._backend.login(scope)
        if isinstance(caller, Answer):
            return caller, receive
        record = record_of(scope)
        record.user = caller.username
        # An artifact is passed on as it comes: only the disk limits its size.
        if match.body is Body.FILE:
            return await self._backend.decide(caller, match, scope, b""), receive
        body = await read_body(scope, receive)
        if match.body is Body.NONE and body.size:
            raise RefusedError("a request of this kind has no body, and this one has one")
        if record.action:
            record.named = named(match, dict(parse_qsl(scope["query_string"].decode("latin-1"))), body.read())
        async with large_bodies if body.size > LARGE else nullcontext():
            allowed = await self._backend.decide(caller, match, scope, body.read())
        return allowed, body.replay(receive)


def with_folded_name(scope: Scope, match: Match) -> Scope:
    """``scope`` with the user's name that its path has as it is stored, since pages compare it with the caller's."""
    name = match.variables.get("username", "")
    if name == folded(name):
        return scope
    path = scope["path"].replace(f"/users/{name}", f"/users/{folded(name)}", 1)
    return {**scope, "path": path, "raw_path": quote(path).encode()}


def with_read_query(scope: Scope) -> Scope:
    """``scope`` as GET if it is HEAD with a query, which MLflow's handlers of the REST interface do not read of HEAD.

    They would answer about something else than what was asked for; uvicorn leaves the body of the answer out.
    """
    is_rest = scope["path"].startswith(("/api/", "/ajax-api/"))
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" and is_rest and scope["query_string"] else scope


PREFLIGHT = Match(route("OPTIONS", "*", MEMBER, body=Body.NONE), {}, "OPTIONS")
"""What a browser asks before a request to another origin; the frameworks answer it by themselves."""


async def send_answer(answer: Answer, scope: Mapping[str, Any], send: Send) -> None:
    """Send ``answer``, without its body if HEAD was asked."""
    await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})
