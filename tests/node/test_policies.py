"""NetworkPolicies, crossed: from each kind of pod to each service, and from pods around it to the server."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from deployment import Deployment

from live.node.api import Api
from live.node.components import ADDRESS, API_PORT, DNS_SERVICE
from live.node.node import Node

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

TARGETS = {
    "dns": f"{DNS_SERVICE}:53",
    "postgres": "postgres-cluster-rw.postgres.svc.cluster.local:5432",
    "minio": "minio.minio.svc.cluster.local:9000",
    "redis": "redis.redis.svc.cluster.local:6379",
    "traefik": "traefik.kube-system.svc.cluster.local:443",
    "keycloak behind traefik": "keycloak.keycloak.svc.cluster.local:443",
    "api server": f"{ADDRESS}:{API_PORT}",
    "kubelet": f"{ADDRESS}:10250",
    "server of the other": "",
}
ALLOWED = {
    "tracking-server": {"dns", "postgres", "minio", "traefik"},
    "migration": {"dns", "postgres"},
    "maintenance": {"dns", "postgres", "minio"},
    "end-access": {"dns", "postgres", "traefik"},
}
"""What each kind of pod may connect to; everything else of TARGETS is refused."""
WITH_REDIS = ("second", "tracking-server")
"""The environment, and its pods, that keep sessions in Redis."""

CALLERS = {
    ("kube-system", "traefik"): {5000},
    ("kube-system", "stranger"): set(),
    ("monitoring", "prometheus"): {9090},
    ("monitoring", "stranger"): set(),
    ("default", "traefik"): set(),
    ("default", "stranger"): set(),
    ("same namespace", "stranger"): set(),
}
"""Namespace and name of a pod, and the ports of the server that it may connect to, of 5000 and 9090."""


@dataclass(frozen=True, kw_only=True)
class Dialer:
    """A pod that connects to addresses; ``expected`` has what shall come of it for each, which it waits for."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    expected: Mapping[str, str]

    @property
    def manifest(self) -> dict[str, Any]:
        container = {
            "name": "dial",
            "image": "docker.io/node/forward:1",
            "imagePullPolicy": "Never",
            "command": ["/forward", "dial", *(f"{address}={outcome}" for address, outcome in self.expected.items())],
            # As the restricted namespaces demand it of every pod.
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        }
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": dict(self.labels)},
            "spec": {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]},
        }

    def outcomes(self, node: Node, api: Api) -> Mapping[str, str]:
        """``allowed`` or ``refused`` by address, once it has tried them all."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"
        node.wait(self.name, lambda: api.get(path)["status"]["phase"] == "Succeeded")
        return dict(line.rsplit(" ", 1) for line in api.text(f"{path}/log").splitlines())


Crossed = Mapping[tuple[str, ...], Mapping[str, str]]
"""Outcomes by address: by environment and component of what connects, or by namespace and name of what calls."""


@pytest.fixture(scope="session")
def crossed(deployments: Mapping[str, Deployment], node: Node) -> Crossed:
    """Outcomes by address, of each environment's pods and of those that call its server; all try at once."""
    node.kubectl("create", "namespace", "monitoring", check=False)
    dialers: dict[tuple[str, ...], Dialer] = {}
    servers = {environment: server_of(deployment) for environment, deployment in deployments.items()}
    for environment, deployment in deployments.items():
        (other,) = [server for name, server in servers.items() if name != environment]
        targets = {target: address or f"{other}:5000" for target, address in TARGETS.items()}
        for component in ALLOWED:
            dialers[environment, component] = Dialer(
                name=f"dial-{component}",
                namespace=deployment.namespace,
                labels={"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/component": component},
                expected={address: egress(environment, component, target) for target, address in targets.items()},
            )
        for caller in CALLERS:
            namespace, name = caller_of(deployment, *caller)
            # One pod for the servers of all environments.
            dialers[namespace, name] = Dialer(
                name=f"dial-{name}",
                namespace=namespace,
                labels={"app.kubernetes.io/name": name},
                expected={
                    f"{server}:{port}": access(*caller, port) for server in servers.values() for port in (5000, 9090)
                },
            )
    pods = {"apiVersion": "v1", "kind": "List", "items": [dialer.manifest for dialer in dialers.values()]}
    node.kubectl("create", "--filename", "-", stdin=json.dumps(pods))
    api = Api(node)
    outcomes = {row: dialer.outcomes(node, api) for row, dialer in dialers.items()}
    node.kubectl("delete", "--wait=false", "--filename", "-", stdin=json.dumps(pods))
    return outcomes


def egress(environment: str, component: str, target: str) -> str:
    """What shall come of a connection from a kind of pod."""
    with_redis = (environment, component) == WITH_REDIS and target == "redis"
    return "allowed" if target in ALLOWED[component] or with_redis else "refused"


def caller_of(deployment: Deployment, namespace: str, name: str) -> tuple[str, str]:
    """Namespace and name of a pod of CALLERS for an environment."""
    return deployment.namespace if namespace == "same namespace" else namespace, name


def access(namespace: str, name: str, port: int) -> str:
    """What shall come of a connection to the server."""
    return "allowed" if port in CALLERS[namespace, name] else "refused"


def server_of(deployment: Deployment) -> str:
    return str(deployment.pods("tracking-server")[0]["status"]["podIP"])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("component", ALLOWED)
def test_policy_limits_egress(deployment: Deployment, crossed: Crossed, component: str, target: str) -> None:
    outcomes = crossed[deployment.name, component]

    (outcome,) = [said for address, said in outcomes.items() if address.endswith(TARGETS[target] or ":5000")]
    assert outcome == egress(deployment.name, component, target)


@pytest.mark.parametrize("port", [5000, 9090])
@pytest.mark.parametrize(("namespace", "name"), CALLERS)
def test_policy_limits_callers(deployment: Deployment, crossed: Crossed, namespace: str, name: str, port: int) -> None:
    outcomes = crossed[caller_of(deployment, namespace, name)]

    # Of the servers of both environments.
    said = [outcome for address, outcome in outcomes.items() if address.endswith(f":{port}")]
    assert said == [access(namespace, name, port)] * 2
