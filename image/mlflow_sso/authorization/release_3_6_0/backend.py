"""The engine's hands on MLflow 3.6.0: login and decision in a thread, then the application as the caller."""

from collections.abc import Callable
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread

from mlflow_sso.asgi import Application, Receive, Scope, Send
from mlflow_sso.authorization.decision import Allowed, Caller, Decision
from mlflow_sso.authorization.errors import Answer
from mlflow_sso.authorization.listing import only
from mlflow_sso.authorization.matching import Match
from mlflow_sso.authorization.release_3_6_0.login import as_caller
from mlflow_sso.serve.bodies import Body
from mlflow_sso.serve.wsgi import build_environ

NO_BODY = Body()
T = TypeVar("T")

DECISIONS = 8
"""Logins and decisions at once; the rest wait, while requests that are being answered keep their threads."""


class PluginBackend:
    """``log_in`` gets the head of a request as a WSGI environment."""

    def __init__(
        self, application: Application, *, log_in: Callable[[dict[str, Any]], Caller | Answer], decision: Decision
    ) -> None:
        self._application, self._log_in, self._decision = application, log_in, decision
        self._limiter = CapacityLimiter(DECISIONS)

    async def login(self, scope: Scope) -> Caller | Answer:
        return await self._as_no_user(lambda: self._log_in(build_environ(scope, NO_BODY)))

    async def decide(self, caller: Caller, match: Match, scope: Scope, body: bytes) -> Allowed:
        query, headers = scope["query_string"], scope["headers"]
        return await self._as_no_user(
            lambda: self._decision.decide(caller, match, query=query, headers=headers, body=body)
        )

    async def _as_no_user(self, ask: Callable[[], T]) -> T:
        """Run ``ask`` in a thread, and in none of the context that uvicorn inherits from the connection's last request.

        uvicorn starts the next request of a connection while it sends the end of the last answer, in that context.
        """

        def asked() -> T:
            with as_caller(None), only({}):
                return ask()

        answer: T = await to_thread.run_sync(asked, limiter=self._limiter)
        return answer

    async def serve(self, allowed: Allowed, scope: Scope, receive: Receive, send: Send) -> None:
        with as_caller(allowed.caller), only(allowed.visible):
            await self._application(scope, receive, send)
