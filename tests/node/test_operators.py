"""What stands in for External Secrets, with the real API server."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from live.node.node import Node
from live.node.operators import Operators, install_definitions
from live.servers import Postgres
from testbed.node.api_server import ApiServer

pytestmark = pytest.mark.servers

DEFINITIONS = Path(__file__).parents[2] / "imports/cdk8s_mlflow_crds/crds"


def external_secret(namespace: str, key: str) -> Mapping[str, Any]:
    target = {"name": "login", "template": {"type": "Opaque", "data": {"password": "{{ .password }}"}}}
    wanted = {"secretKey": "password", "remoteRef": {"key": key, "property": "password"}}
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "login", "namespace": namespace},
        "spec": {"secretStoreRef": {"name": "vault"}, "target": target, "data": [wanted]},
    }


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        install_definitions(running, DEFINITIONS)
        running.kubectl_wait("condition=Established", "crd", "--all")
        yield running


def test_unfetchable_secret_delays_no_other(server: ApiServer) -> None:
    for namespace in ("first", "second"):
        server.kubectl("create", "namespace", namespace)
    # In the order in which the API server lists them.
    documents = [external_secret("first", "missing"), external_secret("second", "there")]
    server.kubectl("apply", "--server-side", "--filename", "-", stdin=yaml.safe_dump_all(documents))
    store = {"there": "known"}

    # An API server without a node is enough: no role and no database is asked for.
    with Operators(cast("Node", server), fetch=lambda key, _: store.get(key), postgres=cast("Postgres", None)):
        server.kubectl_wait("condition=Ready", "externalsecret/login", "--namespace", "second")

    assert server.get("secrets", "--namespace", "first")["items"] == []
