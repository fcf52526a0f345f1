"""A real node, once a session, with both releases side by side as two environments that share every backing service."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from deployment import COMMON, Deployment

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
        "ingress": {"host": HOSTS["first"], "cluster_issuer": None},
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


@pytest.fixture(scope="session")
def deployments(prepare: Callable[..., Deployment], flux: Flux) -> Mapping[str, Deployment]:
    """Both environments, delivered and ready."""
    made = {name: prepare(name, **settings) for name, settings in ENVIRONMENTS.items()}
    for deployment in made.values():
        deployment.deliver(flux)
    return made


@pytest.fixture(params=ENVIRONMENTS)
def deployment(request: pytest.FixtureRequest, deployments: Mapping[str, Deployment]) -> Deployment:
    """Each environment in turn."""
    return deployments[str(request.param)]
