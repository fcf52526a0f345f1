"""No cache that several users share keeps what one of them was answered."""

from typing import Any

import anyio
import httpx
import pytest
from serving import PLAIN, Serving, Site, make_run

from mlflow_sso.serve.private_answers import PrivateAnswers


def sent_headers(*headers: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """What leaves of an answer with ``headers``."""
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def ask() -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        await PrivateAnswers(application)({"type": "http"}, None, send)  # type: ignore[arg-type]

    anyio.run(ask)
    return list(sent[0]["headers"])


@pytest.mark.parametrize("name", [b"cache-control", b"Cache-Control"])
def test_answers_keep_their_own_word(name: bytes) -> None:
    assert sent_headers((name, b"no-store")) == [(name, b"no-store")]


def test_answers_are_private_by_default() -> None:
    assert sent_headers((b"vary", b"Cookie")) == [(b"vary", b"Cookie"), (b"cache-control", b"private")]


@pytest.mark.servers
def test_artifacts_are_kept_by_no_proxy(site: Site, server: Serving) -> None:
    with server.client("anna", site.keys["anna"]) as client:
        run = client.get(f"/api/2.0/mlflow/runs/get?run_id={make_run(client)}").json()["run"]["info"]
        path = f"/api/2.0/mlflow-artifacts/artifacts/{run['experiment_id']}/{run['run_id']}/artifacts/plot.png"
        client.put(path, content=b"x").raise_for_status()
        known, unknown = client.get(path), httpx.get(f"{server.url}{path}", timeout=60, verify=PLAIN)

    assert known.status_code == 200
    assert known.headers["cache-control"] in ("private", "no-cache")
    assert unknown.headers["cache-control"] in ("private", "no-store")
