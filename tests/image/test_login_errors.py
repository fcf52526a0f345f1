"""Neither a callback nor a page shows words that its caller wrote."""

import asyncio
from typing import Any

import pytest

from mlflow_sso.serve.login_errors import KnownLoginErrors, without_error_texts, without_unknown_errors


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (b"error=x&error_description=call+us&state=1", b"error=login_failed"),
        (b"error_description=call+us", b"error=login_failed"),
        (b"%65rror=call+us", b"error=login_failed"),
        (b"code=abc&state=1", b"code=abc&state=1"),
        (b"", b""),
    ],
)
def test_callback_keeps_only_that_it_failed(query: bytes, kept: bytes) -> None:
    assert without_error_texts(query) == kept


def test_page_keeps_only_errors_of_plugin() -> None:
    known = b"error=User+is+not+allowed+to+login"

    assert without_unknown_errors(known) == known
    assert b"call" not in without_unknown_errors(known + b"&%65rror=call+us&error_description=call+us")
    assert without_unknown_errors(b"tab=1&q=%20") == b"tab=1&q=%20"


@pytest.mark.parametrize("path", ["/oidc/ui/auth", "/oidc/ui", "/oidc/ui/auth/"])
def test_page_with_other_words_is_redirected(path: str) -> None:
    sent = asyncio.run(answer(path, b"error=call+us"))

    assert sent[0]["status"] == 302
    assert dict(sent[0]["headers"])[b"location"].startswith(f"{path}?error=The+login+failed".encode())


def test_other_paths_keep_their_query() -> None:
    assert asyncio.run(answer("/api/2.0/mlflow/runs/get", b"error=x")) == [{"query": b"error=x"}]


async def answer(path: str, query: bytes) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"query": scope["query_string"]})

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {"type": "http", "path": path, "query_string": query}
    await KnownLoginErrors(application)(scope, send, send)
    return sent
