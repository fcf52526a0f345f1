"""A wait for External Secrets."""

from live.node.api import Api
from live.node.node import Node
from live.node.operators import synchronized_version


def wait_synchronized(node: Node, namespace: str) -> None:
    """Wait until every Secret of a namespace has what its ExternalSecret says now.

    Raises:
        NodeError: it takes longer than ten minutes.
    """
    api = Api(node)

    def synchronized() -> bool:
        items = api.get(f"/apis/external-secrets.io/v1/namespaces/{namespace}/externalsecrets")["items"]
        return all(item.get("status", {}).get("syncedResourceVersion") == synchronized_version(item) for item in items)

    node.wait("External Secrets", synchronized)
