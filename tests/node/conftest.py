"""A real node, once a session, with both releases side by side as two environments that share every backing service."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from deployment import Deployment
from images import image_archive

from live.node.backing import KEYCLOAK_HOST, BackingServices
from live.node.flux import Flux
from live.node.node import Node
from live.node.operators import Operators, install_definitions

ROOT = Path(__file__).parents[2]
HOSTS = {"first": "mlflow.cluster.test", "second": "second.cluster.test"}
COMMON = {
    "cluster": "node",
    "server": {"ca_bundle": {"name": "local-authority"}},
    "delivery": {"tools": ["flux"]},
}
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
    folder.chmod(0o711)
    return BackingServices.create(folder, hosts=list(HOSTS.values()))


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
        stack.enter_context(Operators(running, fetch=backing.value, postgres=backing.postgres))
        yield running


@pytest.fixture(scope="session")
def flux(node: Node) -> Flux:
    """Flux's kustomize-controller on the node."""
    return Flux(node)


@pytest.fixture(scope="session")
def deployments(
    node: Node, backing: BackingServices, flux: Flux, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Deployment]:
    """Both environments, delivered and ready."""
    made = {}
    for name, settings in ENVIRONMENTS.items():
        deployment = Deployment(
            name=name, node=node, backing=backing, flux=flux, folder=tmp_path_factory.mktemp(f"environment-{name}")
        )
        deployment.render(settings)
        reference = deployment.settings.image_reference
        node.import_image(image_archive(deployment.settings.release, reference))
        deployment.prepare()
        deployment.deliver()
        made[name] = deployment
    return made


@pytest.fixture(params=ENVIRONMENTS)
def deployment(request: pytest.FixtureRequest, deployments: Mapping[str, Deployment]) -> Deployment:
    """Each environment in turn."""
    return deployments[str(request.param)]
