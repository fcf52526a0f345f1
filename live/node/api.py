"""The node's API server by HTTP, for what is asked often: a process of kubectl takes a tenth of a second of a core."""

import ssl
from collections.abc import Mapping
from typing import Any

import httpx

from live.node.node import Node, NodeError


class Api:
    """Reads objects as administrator; safe in several threads."""

    def __init__(self, node: Node) -> None:
        pki = node.folder / "pki"
        context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        self._client = httpx.Client(base_url=node.url, verify=context, timeout=600)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """The object or the list at a path of the API.

        Raises:
            NodeError: there is none, or the API server does not answer.
        """
        content: dict[str, Any] = self._answer(path, query).json()
        return content

    def text(self, path: str, **query: str) -> str:
        """What is at a path of the API that holds no object, such as a log.

        Raises:
            NodeError: there is nothing, or the API server does not answer.
        """
        return self._answer(path, query).text

    def _answer(self, path: str, query: Mapping[str, str]) -> httpx.Response:
        try:
            answer = self._client.get(path, params=query)
        except httpx.HTTPError as error:
            raise NodeError(f"the API server does not answer: {error}") from error
        if answer.is_error:
            raise NodeError(f"{path} was answered with {answer.status_code}: {answer.text}")
        return answer
