"""A thread for each request, for the release that gives all requests of a process one thread.

mlflow-oidc-auth 11.0.2 runs MLflow's Flask application through asgiref, which keeps code that it must take for
thread-sensitive in one thread: a slow download would hold up every other request of the pod. asgiref's own remedy is
a context a request (asgiref documentation, "Threading"); MLflow's handlers are made for threads.
"""

from asyncio import Semaphore
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mlflow_sso.serve.flavour import Application

THREADS = 40
"""Requests at once; the rest wait. As many as Starlette's adapter allows MLflow by itself."""


class ThreadForEachRequest:
    """ASGI middleware around an application that calls ``asgiref.sync.sync_to_async``."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._free = Semaphore(THREADS)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        from asgiref.sync import ThreadSensitiveContext

        if scope["type"] != "http" or scope["path"].startswith("/health"):
            await self._application(scope, receive, send)
            return
        async with self._free, ThreadSensitiveContext():
            await self._application(scope, receive, send)
