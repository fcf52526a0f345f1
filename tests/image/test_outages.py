"""A refused key means a wrong key only while the database of users answers."""

import asyncio
from typing import Any

import pytest

from mlflow_sso.patches.mlflow_3_17_2.outages import ServiceUnavailableMiddleware

# x:y in base64.
LOGIN = [(b"authorization", b"Basic eDp5")]


async def _refusing(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": b"refused"})


def _asked(*, headers: list[tuple[bytes, bytes]], reachable: bool) -> list[dict[str, Any]]:
    """What a client with these headers is sent by an application that refuses everybody."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    application = ServiceUnavailableMiddleware(_refusing, ping=lambda: reachable)
    asyncio.run(application({"type": "http", "headers": headers}, None, send))  # type: ignore[arg-type]
    return sent


def test_key_gets_503_during_database_outage() -> None:
    start, body = _asked(headers=LOGIN, reachable=False)

    assert start["status"] == 503
    assert (b"retry-after", b"5") in start["headers"]
    assert b"TEMPORARILY_UNAVAILABLE" in body["body"]
    assert b"refused" not in body["body"]


@pytest.mark.parametrize(("headers", "reachable"), [(LOGIN, True), ([], False)])
def test_wrong_key_and_no_key_get_401(headers: list[tuple[bytes, bytes]], reachable: bool) -> None:
    start, body = _asked(headers=headers, reachable=reachable)

    assert (start["status"], body["body"]) == (401, b"refused")
