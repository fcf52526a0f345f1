"""A second PostgreSQL, which the node's pods reach as a Service of a namespace of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from live.node.backing import BackingServices
from live.node.components import ADDRESS
from live.node.node import Node
from live.servers import Postgres

NAMESPACE = "elsewhere"
HOST = f"postgres.{NAMESPACE}.svc"
"""What pods call it; the certificate of the backing services must be valid for it."""
PODS = {"namespace": NAMESPACE, "labels": {"app": "postgres"}}
"""What ``network.database_pods`` says of it."""
_PORT = 15433
_IMAGE = "docker.io/node/forward:1"


@contextmanager
def second_database(folder: Path, *, node: Node, backing: BackingServices) -> Iterator[Postgres]:
    """Start an empty server with the first one's administrator and authority, and stop it at the end.

    Raises:
        NodeError: its pod does not get ready.
    """
    # PostgreSQL runs as another user, who has to get through.
    folder.chmod(0o711)
    backing.certificate.copy_to(folder / "tls")
    with Postgres(data=folder, tls=True, superuser_password=backing.postgres.superuser_password) as server:
        node.forward(_PORT, server.port)
        node.kubectl("apply", "--server-side", "--filename", "-", stdin=json.dumps(_objects()))
        where = ["--namespace", NAMESPACE]
        try:
            node.kubectl_wait("condition=Ready", "pod/postgres", *where)
            yield server
        finally:
            node.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def _objects() -> dict[str, Any]:
    metadata = {"name": "postgres", "namespace": NAMESPACE, "labels": PODS["labels"]}
    command = ["/forward", "listen", ":5432", f"{ADDRESS}:{_PORT}"]
    # Never pulled: the image is imported, and no registry has it.
    container = {"name": "forward", "image": _IMAGE, "imagePullPolicy": "Never", "command": command}
    pod = {"automountServiceAccountToken": False, "containers": [container]}
    service = {"selector": PODS["labels"], "ports": [{"port": 5432}]}
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod},
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}
