"""The engine's hands on MLflow 3.6.0: login and decision in a thread, then the application as the caller."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread

from mlflow_sso.asgi import Application, Receive, Scope, Send
from mlflow_sso.authorization.decision import Allowed, Caller, Decision
from mlflow_sso.authorization.errors import Answer
from mlflow_sso.authorization.listing import only
from mlflow_sso.authorization.matching import Match
from mlflow_sso.authorization.release_3_6_0.key_login import KeyLogin, SentKey, read_sent_key
from mlflow_sso.authorization.release_3_6_0.login import as_caller
from mlflow_sso.authorization.remembering import NotRememberedError, number_of_changes, only_remembered
from mlflow_sso.authorization.stored_locations import judged_by
from mlflow_sso.serve.bodies import Body
from mlflow_sso.serve.wsgi import build_environ

NO_BODY = Body()
T = TypeVar("T")

SMALL = 1 << 16
"""Bytes of a body that are parsed in the event loop, if the decision needs no database: in a few milliseconds."""

DECISIONS = 8
"""Logins and decisions at once; the rest wait, while requests that are being answered keep their threads."""


class PluginBackend:
    """``log_in`` gets the head of a request as a WSGI environment."""

    def __init__(
        self,
        application: Application,
        *,
        log_in: Callable[[dict[str, Any]], Caller | Answer],
        key_login: KeyLogin,
        decision: Decision,
    ) -> None:
        self._application, self._log_in, self._decision = application, log_in, decision
        self._key_login = key_login
        self._limiter = CapacityLimiter(DECISIONS)

    async def login(self, scope: Scope) -> Caller | Answer:
        number_of_changes.set(None)
        sent = read_sent_key(scope["headers"])
        if sent is None:
            return await self._as_no_user(lambda: self._log_in(build_environ(scope, NO_BODY)))
        caller, number = await self._as_no_user(lambda: self._log_in_with_key(sent, scope))
        number_of_changes.set(number)
        return caller

    def _log_in_with_key(self, sent: SentKey, scope: Scope) -> tuple[Caller | Answer, int | None]:
        known = self._key_login.find(sent)
        return known or (self._log_in(build_environ(scope, NO_BODY)), None)

    async def decide(self, caller: Caller, match: Match, scope: Scope, body: bytes) -> Allowed:
        query, headers = scope["query_string"], scope["headers"]
        decide = partial(self._decision.decide, caller, match, query=query, headers=headers, body=body)
        # Without a number nothing is remembered, and the database would have to be asked.
        if number_of_changes.get() is not None and len(body) <= SMALL:
            try:
                with only_remembered():
                    return decide()
            except NotRememberedError:
                pass
        return await self._as_no_user(decide)

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
        caller = allowed.caller
        judge = partial(self._decision.follow, caller) if caller else None
        with as_caller(caller), only(allowed.visible), judged_by(judge):
            await self._application(scope, receive, send)
