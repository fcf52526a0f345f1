"""A real node, once a session, with both releases side by side as two environments that share every backing service."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from deployment import COMMON, Deployment
from traces import listening_ports
from xdist.scheduler import LoadFileScheduling

from live.node.backing import KEYCLOAK_HOST, BackingServices
from live.node.flux import Flux
from live.node.node import Node
from live.node.operators import Operators, install_definitions

ROOT = Path(__file__).parents[2]
HOSTS = {"first": "mlflow.cluster.test", "second": "second.cluster.test"}
MUTANTS = "*.mutant.cluster.test"
ENVIRONMENTS: Mapping[str, Mapping[str, Any]] = {
    "first": {
        **COMMON,
        "ingress": {
            "host": HOSTS["first"],
            "cluster_issuer": None,
            "more_middlewares": ["default-office@kubernetescrd"],
        },
        "authentication": {"keycloak_host": KEYCLOAK_HOST},
    },
    "second": {
        **COMMON,
        "instance": "mlflow-second",
        "release": "3.17.2",
        "server": {**COMMON["server"], "replicas": 2},
        "ingress": {"host": HOSTS["second"], "cluster_issuer": None},
        "authentication": {
            "keycloak_host": KEYCLOAK_HOST,
            "redis": {"host": "redis.redis.svc", "port": 6379},
        },
    },
}


TOGETHER = {
    "both environments": {
        *("test_client_certificate", "test_confinement", "test_delivery", "test_doctor"),
        *("test_limits", "test_operation", "test_plain_entry_point", "test_policies", "test_use"),
    },
    "make live": {"test_command", "test_kills"},
}
"""Files that share what takes a minute to start, or the machine's fixed ports, by what that is."""


class Scheduling(LoadFileScheduling):  # type: ignore[misc]
    """The tests of a file in one process, and of several files that share what takes long, or the fixed ports."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return next((group for group, files in TOGETHER.items() if Path(file).stem in files), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    """Of `--dist loadfile`."""
    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture
def machine() -> None:
    """The fixed ports of `make live`, which must be free: none of a person's may be disturbed."""
    if ports := listening_ports():
        pytest.skip(f"something listens on {ports}")


@pytest.fixture(scope="session")
def backing(tmp_path_factory: pytest.TempPathFactory) -> BackingServices:
    """The backing services, started beside the node."""
    folder = tmp_path_factory.mktemp("backing")
    # PostgreSQL runs as a user of its own, which has to pass through.
    folder.chmod(0o711)
    more = ["mlflow.gateway.example.com", "mlflow.internal.example.com", "flux.cluster.test", MUTANTS]
    return BackingServices.create(folder, hosts=[*HOSTS.values(), *more])


@pytest.fixture(scope="session")
def node(backing: BackingServices) -> Iterator[Node]:
    """The node with everything attached and both images in it."""
    with ExitStack() as stack:
        running = Node(names=[KEYCLOAK_HOST, *HOSTS.values()])
        with ThreadPoolExecutor(2) as threads:
            parts = [threads.submit(stack.enter_context, part) for part in (backing, running)]
            for part in parts:
                part.result()
        install_definitions(running, ROOT / "imports/cdk8s_mlflow_crds/crds")
        backing.attach(running)
        yield running


@pytest.fixture(scope="session")
def operators(node: Node, backing: BackingServices) -> Iterator[Operators]:
    """What stands in for External Secrets and CloudNativePG."""
    with Operators(node, fetch=backing.value, postgres=backing.postgres) as running:
        yield running


@pytest.fixture(scope="session")
def flux(node: Node) -> Flux:
    """Flux's kustomize-controller on the node."""
    return Flux(node)


@pytest.fixture(scope="session")
def prepare(
    node: Node, backing: BackingServices, operators: Operators, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Deployment]:
    """Renders an environment and prepares all that its delivery needs; keyword arguments are its settings."""

    def made(name: str, **settings: Any) -> Deployment:
        folder = tmp_path_factory.mktemp(f"environment-{name}")
        deployment = Deployment(file=folder / f"{name}.yaml", dist=folder / "dist", backing=backing, node=node)
        deployment.render(settings)
        deployment.import_image()
        deployment.prepare(node)
        return deployment

    return made


OFFICE = """
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: office, namespace: default}
spec: {headers: {customResponseHeaders: {X-Office: north}}}
"""
"""A Middleware of another team's, in a namespace of its own."""


@pytest.fixture(scope="session")
def deployments(prepare: Callable[..., Deployment], flux: Flux, node: Node) -> Mapping[str, Deployment]:
    """Both environments, delivered and ready."""
    node.kubectl("apply", "--server-side", "--filename", "-", stdin=OFFICE)
    # One after the other, since they share a realm; their pods may start at the same time.
    made = {name: prepare(name, **settings) for name, settings in ENVIRONMENTS.items()}
    with ThreadPoolExecutor(len(made)) as threads:
        list(threads.map(lambda deployment: deployment.deliver(flux), made.values()))
    return made


@pytest.fixture(params=ENVIRONMENTS)
def deployment(request: pytest.FixtureRequest, deployments: Mapping[str, Deployment]) -> Deployment:
    """Each environment in turn."""
    return deployments[str(request.param)]
