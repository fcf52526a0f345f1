"""Passes requests on through the plugin's middlewares in one task.

Starlette's ``BaseHTTPMiddleware``, of which three are in the way of each request, runs what is inside in a task of its
own and takes each message of the answer from there through a stream. None of the three looks at an answer.
"""

from typing import Any

from mlflow_sso.asgi import Receive, Scope, Send


def pass_directly() -> None:
    """Change the plugin's three; before its application has answered."""
    from mlflow_oidc_auth.middleware import AuthMiddleware, ProxyHeadersMiddleware, WorkspaceContextMiddleware

    for middleware in (AuthMiddleware, ProxyHeadersMiddleware, WorkspaceContextMiddleware):
        middleware.__call__ = _call


async def _call(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from starlette.requests import Request

    if scope["type"] != "http":
        await self.app(scope, receive, send)
        return

    async def call_next(_: Any) -> "_Sent":
        await self.app(scope, receive, send)
        return SENT

    answer = await self.dispatch_func(Request(scope, receive), call_next)
    await answer(scope, receive, send)


class _Sent:
    """Stands for an answer that has gone to the client; it has nothing that could be read or changed."""

    __slots__ = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing more."""


SENT = _Sent()
