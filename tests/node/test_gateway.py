"""The example of the Gateway API on a real Gateway, and its pods scaled by load."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from deployment import COMMON, Deployment

from cdk8s_mlflow.settings.sources import read_document
from live.node.backing import KEYCLOAK_HOST, BackingServices
from live.node.flux import Flux
from live.node.node import Node
from testbed.node.metrics import start_metrics

pytestmark = pytest.mark.servers

EXAMPLE = read_document(Path(__file__).parents[2] / "environments/gateway.yaml")
HOSTS = [EXAMPLE["ingress"]["host"], *EXAMPLE["ingress"]["more_hosts"]]
TRAEFIK = {"namespace": "kube-system", "labels": {"app.kubernetes.io/name": "traefik"}, "port": 8443}
SETTINGS: dict[str, Any] = {
    **EXAMPLE,
    **COMMON,
    # Small enough for a machine that has two pods of another environment, too.
    "server": {
        **EXAMPLE["server"],
        **COMMON["server"],
        "autoscaling": {"min_replicas": 1, "max_replicas": 2, "cpu_percent": 65, "scale_up_window_seconds": 0},
        # The autoscaler compares with it what a pod uses.
        "resources": {"cpu_request": "50m"},
    },
    "authentication": {**EXAMPLE["authentication"], "keycloak_host": KEYCLOAK_HOST},
    # The one Traefik of the node is the Gateway, too, and passes TLS on to Keycloak.
    "network": {"ingress_namespace": "kube-system", "ingress_container_port": 8443, "keycloak_pods": TRAEFIK},
}


@pytest.fixture(scope="module")
def gateway(node: Node, backing: BackingServices) -> None:
    """The Gateway that the example names, with a certificate of its listener."""
    (parent,) = EXAMPLE["ingress"]["gateway"]["parents"]
    tls, where = backing.certificate, ["--namespace", parent["namespace"]]
    node.kubectl("create", "namespace", parent["namespace"])
    node.kubectl("create", "secret", "tls", "certificate", f"--cert={tls.certificate}", f"--key={tls.key}", *where)
    listener = {
        "name": parent["section_name"],
        "port": 8443,
        "protocol": "HTTPS",
        "tls": {"certificateRefs": [{"name": "certificate"}]},
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    document = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": parent["name"], "namespace": parent["namespace"]},
        "spec": {"gatewayClassName": "traefik", "listeners": [listener]},
    }
    node.kubectl("apply", "--server-side", "--filename", "-", stdin=json.dumps(document))


@pytest.fixture(scope="module")
def routed(prepare: Callable[..., Deployment], gateway: None, flux: Flux) -> Deployment:
    """The example, delivered."""
    deployment = prepare("gateway", **SETTINGS)
    deployment.deliver(flux)
    return deployment


def test_gateway_accepts_the_route(routed: Deployment, node: Node) -> None:
    def conditions() -> dict[str, str]:
        status = node.get("httproute", "mlflow", "--namespace", routed.namespace).get("status", {})
        return {c["type"]: c["status"] for parent in status.get("parents", []) for c in parent["conditions"]}

    node.wait("the route", lambda: conditions() == {"Accepted": "True", "ResolvedRefs": "True"})


@pytest.mark.parametrize("host", HOSTS)
def test_route_leads_every_host_to_pods(routed: Deployment, host: str) -> None:
    with routed.client() as client:
        answer = client.get(f"https://{host}/health")

    assert (answer.status_code, answer.text) == (200, "OK")
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert answer.headers["referrer-policy"] == "same-origin"


def test_login_works_through_the_route(routed: Deployment) -> None:
    user = routed.user("routed")
    with routed.client(auth=(user.email, routed.access_key(user))) as client:
        created = client.post("/api/2.0/mlflow/experiments/create", json={"name": "routed"})

    assert created.status_code == 200, created.text


def test_route_believes_no_forwarded_headers(routed: Deployment) -> None:
    claimed = {"X-Forwarded-Prefix": "/elsewhere", "X-Forwarded-Port": "8080", "X-Forwarded-Proto": "http"}
    with routed.client(headers=claimed) as client:
        client.follow_redirects = False
        answer = client.get("/login")

    assert "redirect_uri=https%3A%2F%2Fmlflow.gateway.example.com%2Fcallback" in answer.headers["location"]


def test_load_brings_another_pod(routed: Deployment, node: Node) -> None:
    start_metrics(node)
    before = len(routed.pods("tracking-server"))

    with load(routed):
        # The controller looks every 5 seconds, at figures that are up to 15 seconds old.
        node.wait("another pod", lambda: len(routed.pods("tracking-server")) == 2)

    status = node.get("horizontalpodautoscaler", "mlflow", "--namespace", routed.namespace)["status"]
    active = {condition["type"]: condition["status"] for condition in status["conditions"]}
    assert before == 1
    assert active["ScalingActive"] == "True"
    assert status["currentMetrics"][0]["resource"]["current"]["averageUtilization"] > 65


@contextmanager
def load(deployment: Deployment) -> Iterator[None]:
    """Four clients that never rest."""
    ended = threading.Event()

    def work() -> None:
        with deployment.client() as client:
            while not ended.is_set():
                try:
                    client.get("/oidc/ui/")
                # Only the load counts: a pod that starts or ends may drop a request.
                except httpx.HTTPError:
                    continue

    with ThreadPoolExecutor(4) as threads:
        for _ in range(4):
            threads.submit(work)
        try:
            yield
        finally:
            ended.set()
