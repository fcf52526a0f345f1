"""A node and what surrounds MLflow on it, started at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from live.node.backing import BackingServices
from live.node.node import Node
from live.node.operators import Operators, install_definitions

_DEFINITIONS = Path(__file__).parents[2] / "imports/cdk8s_mlflow_crds/crds"

Say = Callable[[str], None]


@contextmanager
def running_site(
    node: Node,
    backing: BackingServices,
    *,
    prepare: Callable[[Node], None] = lambda _: None,
    say: Say = lambda _: None,
) -> Iterator[Operators]:
    """Start both, attach them to each other, and stop them in the end.

    ``prepare`` is called with the node as soon as it is ready, while the slowest of the backing services still starts.

    Raises:
        NodeError: one of them does not start.
    """

    def ready_node() -> None:
        stack.enter_context(node)
        install_definitions(node, _DEFINITIONS)
        prepare(node)

    with ExitStack() as stack:
        with ThreadPoolExecutor(2) as threads:
            backing_started = threads.submit(stack.enter_context, backing)
            node_started = threads.submit(ready_node)
            try:
                backing_started.result()
                say("PostgreSQL, MinIO, Keycloak, OpenBao and Redis are ready")
                node_started.result()
                backing.attach(node)
                say("the node is ready")
            except BaseException:
                # Or the way out would wait until the slowest is ready.
                backing.stop()
                raise
        yield stack.enter_context(Operators(node, fetch=backing.value, postgres=backing.postgres))
