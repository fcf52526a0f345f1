"""Lets every refused login take the same time at least.

To refuse a key the plugins read more rows for a known user than for an unknown one: some milliseconds,
by which names could be told apart. The hash, which takes longer, is computed for both.
"""

from anyio import current_time, sleep

from mlflow_sso.asgi import Application, Message, Receive, Scope, Send

REFUSAL_SECONDS = 0.05
"""More than the rows take on an idle database, and less than a person notices."""


class SteadyRefusals:
    """ASGI middleware: a 401 to a request with an Authorization header takes ``REFUSAL_SECONDS`` at least.

    While it waits it holds no thread.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shown = scope["type"] == "http" and any(name == b"authorization" for name, _ in scope["headers"])
        await self._application(scope, receive, _steady(send) if shown else send)


def _steady(send: Send) -> Send:
    started = current_time()

    async def steady(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 401:
            await sleep(max(0.0, started + REFUSAL_SECONDS - current_time()))
        await send(message)

    return steady
