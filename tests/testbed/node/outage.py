"""A backing service that is away: its server has ended, and its Service has no endpoints."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from live.node.network import within
from live.node.node import Node
from live.servers import Server

SERVICES = {
    "postgres": ("postgres", "postgres-cluster-rw"),
    "minio": ("minio", "minio"),
    "keycloak": ("keycloak", "keycloak"),
    "redis": ("redis", "redis"),
}
"""Namespace and name of the Service by the server's name."""


@contextmanager
def outage(node: Node, server: Server) -> Iterator[None]:
    """Takes the service from the node's pods until the end, when it is back and reached.

    Raises:
        NodeError: it does not come back.
    """
    # Endpoints go first: pods of a cluster are told that a Service has none, and do not wait for time-outs.
    with withdrawn(node, server):
        server.stop()
        try:
            yield
        finally:
            server.start()


@contextmanager
def withdrawn(node: Node, server: Server) -> Iterator[None]:
    """Takes the endpoints from the Service until the end; the server goes on.

    Raises:
        NodeError: the Service is not reached again.
    """
    namespace, name = SERVICES[server.name]
    _select(node, namespace, name, "withdrawn")
    try:
        yield
    finally:
        _select(node, namespace, name, None)
        spec = node.get("service", name, "--namespace", namespace)["spec"]
        node.wait(server.name, lambda: _reached(node, spec["clusterIP"], spec["ports"][0]["port"]))


def _select(node: Node, namespace: str, name: str, value: str | None) -> None:
    """Add a label to the selector that no pod has, or remove it."""
    change = {"spec": {"selector": {"outage": value}}}
    node.kubectl("patch", "service", name, "--namespace", namespace, "--type=merge", "--patch", json.dumps(change))


def _reached(node: Node, address: str, port: int) -> bool:
    try:
        within(node.init, lambda: socket.create_connection((address, port), 2)).close()
    except OSError:
        return False
    return True
