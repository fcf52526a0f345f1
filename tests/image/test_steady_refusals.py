"""A refused login takes as long for a known name as for an unknown one, and nothing else waits."""

from typing import Any

import anyio
import pytest

from mlflow_sso.serve import steady_refusals
from mlflow_sso.serve.steady_refusals import REFUSAL_SECONDS, SteadyRefusals

KEY = [(b"authorization", b"Basic eDp5")]


def seconds_of(status: int, headers: list[tuple[bytes, bytes]]) -> float:
    """When the answer of an application that answers at once was sent."""
    sent: list[float] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def ask() -> float:
        started = anyio.current_time()

        async def send(_: Any) -> None:
            sent.append(anyio.current_time() - started)

        await SteadyRefusals(application)({"type": "http", "headers": headers}, None, send)  # type: ignore[arg-type]
        return sent[0]

    return anyio.run(ask)


def test_refused_key_is_answered_no_sooner() -> None:
    assert seconds_of(401, KEY) >= REFUSAL_SECONDS


@pytest.mark.parametrize(("status", "headers"), [(200, KEY), (403, KEY), (503, KEY), (401, [])])
def test_other_answers_do_not_wait(
    status: int, headers: list[tuple[bytes, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # An hour, for which no delay of a slow machine can be mistaken.
    monkeypatch.setattr(steady_refusals, "REFUSAL_SECONDS", 3600.0)

    assert seconds_of(status, headers) < 60
