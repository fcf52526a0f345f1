"""Marks every answer that says nothing else as private, so that no cache between server and user keeps it for others.

A content delivery network keeps what has a path such as ``…/plot.png`` and says nothing of caches, whoever was logged
in (developers.cloudflare.com, "Default cache behavior"); so would an artifact, or a refusal in its place.
"""

from mlflow_sso.asgi import Application, Message, Receive, Scope, Send

HEADER = (b"cache-control", b"private")
"""Browsers keep such an answer as one without it (RFC 9111, 5.2.2.7)."""


class PrivateAnswers:
    """ASGI middleware of the outermost part; an answer with a Cache-Control of its own keeps it."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, _private(send) if scope["type"] == "http" else send)


def _private(send: Send) -> Send:
    async def private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not any(name.lower() == HEADER[0] for name, _ in headers):
                message = {**message, "headers": [*headers, HEADER]}
        await send(message)

    return private
