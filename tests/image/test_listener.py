"""The server listens on both families, or on IPv4 if the kernel has no IPv6."""

import socket
from typing import Any

import pytest

from mlflow_sso.serve.listener import ANY, available_host, listening_socket
from mlflow_sso.serve.server import bind_public_port

HAS_IPV6 = available_host(ANY) == ANY


@pytest.mark.skipif(not HAS_IPV6, reason="this kernel has no IPv6")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_public_port_answers_both_families(address: str) -> None:
    bound = bind_public_port(ANY, 0)
    bound.listen()

    with bound, socket.create_connection((address, bound.getsockname()[1]), timeout=30) as client:
        assert client.getpeername()[0] == address


@pytest.mark.parametrize("failing", ["socket", "setsockopt", "bind"])
def test_listener_falls_back_to_ipv4(monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    class Without(socket.socket):
        def __init__(self, family: int = socket.AF_INET, *arguments: Any) -> None:
            # A kernel that was started with ``ipv6.disable=1`` has no such family.
            if failing == "socket" and family == socket.AF_INET6:
                raise OSError(97, "Address family not supported by protocol")
            super().__init__(socket.AF_INET)

        def setsockopt(self, *arguments: Any) -> None:
            if failing == "setsockopt":
                raise OSError(92, "Protocol not available")

        def bind(self, address: Any) -> None:
            raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(socket, "socket", Without)

    assert available_host(ANY) == "0.0.0.0"  # noqa: S104


def test_listener_keeps_given_host() -> None:
    assert available_host("127.0.0.1") == "127.0.0.1"
    with listening_socket("127.0.0.1") as made:
        assert made.family == socket.AF_INET
