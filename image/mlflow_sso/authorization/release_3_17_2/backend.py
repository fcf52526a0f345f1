"""The engine's hands on MLflow 3.17.2: behind the plugin's own login, in front of its own checks."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread

from mlflow_sso.asgi import Application, Receive, Scope, Send
from mlflow_sso.authorization.decision import Allowed, Caller, Decision, Wanted
from mlflow_sso.authorization.errors import Answer, RefusedError
from mlflow_sso.authorization.matching import Match, Table
from mlflow_sso.authorization.middleware import (
    AuthorizationMiddleware,
)
from mlflow_sso.authorization.read_only import is_read_only
from mlflow_sso.authorization.release_3_17_2.joined_traces import joined_by
from mlflow_sso.authorization.release_3_17_2.key_login import KeyLogin, noted
from mlflow_sso.authorization.release_3_17_2.lists import visible_to_handlers
from mlflow_sso.authorization.rules import Decider
from mlflow_sso.authorization.stored_locations import judged_by
from mlflow_sso.serve.bodies import LARGE

T = TypeVar("T")

DECISIONS = 8
"""Decisions at once that ask the database, or read a large body; the rest wait."""

NOT_LOGGED_IN = RefusedError("log in first", status=401, error_code="UNAUTHENTICATED").answer()


NO_WORKSPACES = {b"x-mlflow-workspace": "this server has no workspaces: leave MLFLOW_WORKSPACE unset"}
"""MLflow fails with 500 at this header."""


class BehindLogin:
    """ASGI middleware of the plugin's application, between its own of authentication and of permissions.

    There the caller is known, and nothing is authenticated twice.
    """

    def __init__(self, app: Application, *, table: Table, decision: Decision, key_login: KeyLogin) -> None:
        backend = PluginBackend(app, decision=decision, key_login=key_login)
        self._guarded = AuthorizationMiddleware(
            table, backend, read_only=is_read_only(os.environ), refused_headers=NO_WORKSPACES
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._guarded(scope, receive, send)


class PluginBackend:
    """Reads who has logged in from the plugin's state of a request; decides if the plugin does not."""

    def __init__(self, application: Application, *, decision: Decision, key_login: KeyLogin) -> None:
        self._application, self._decision, self._key_login = application, decision, key_login
        self._limiter = CapacityLimiter(DECISIONS)

    async def login(self, scope: Scope) -> Caller | Answer:
        """The plugin lets requests without a login pass only on paths that it calls unprotected."""
        state: Mapping[str, Any] = scope.get("state", {})
        username = state.get("username")
        # A login by session or token has not read the number of changes yet.
        if username and noted() is None:
            await to_thread.run_sync(self._key_login.read_number, limiter=self._limiter)
        return Caller(username, bool(state.get("is_admin"))) if username else NOT_LOGGED_IN

    async def decide(self, caller: Caller, match: Match, scope: Scope, body: bytes) -> Allowed:
        """In a thread what asks the database, and what reads a large body."""
        if scope.get("root_path"):
            # The plugin and MLflow would each cut another part off the path.
            raise RefusedError("this server is not served under a prefix")
        read = partial(self._read, caller, match, scope, body)
        wanted = read() if len(body) < LARGE else await self._in_thread(read)
        rule = match.route.rule
        reads_grants = rule.by is Decider.SERVE or (wanted.lists and rule.lists_by is Decider.SERVE)
        if not reads_grants and not wanted.believed:
            return Allowed(caller)
        return await self._in_thread(partial(self._decision.allow, caller, match, wanted))

    async def _in_thread(self, ask: Callable[[], T]) -> T:
        answer: T = await to_thread.run_sync(ask, limiter=self._limiter)
        return answer

    def _read(self, caller: Caller, match: Match, scope: Scope, body: bytes) -> Wanted:
        query, headers = scope["query_string"], scope["headers"]
        return self._decision.wanted(caller, match, query=query, headers=headers, body=body)

    async def serve(self, allowed: Allowed, scope: Scope, receive: Receive, send: Send) -> None:
        """The plugin finds the caller in the request, and asks again for what it knows."""
        judge = partial(self._decision.follow, allowed.caller) if allowed.caller else None
        joins = partial(self._decision.require, allowed.caller) if allowed.caller else None
        with visible_to_handlers(allowed.visible), judged_by(judge), joined_by(joins):
            await self._application(scope, receive, send)
