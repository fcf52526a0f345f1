"""Where TLS ends in front of Traefik, it serves plain HTTP at the entry point that the settings name, and as https."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from deployment import Deployment

from live.node.flux import Flux
from live.node.network import Passage
from live.servers.process import free_port
from testbed.node.suspension import suspended

pytestmark = pytest.mark.servers

WEB_PORT = 8000
"""Of Traefik's container, as its Helm chart has it."""
PLAIN = {"entry_point": "web", "entry_point_tls": False, "tls_secret": None}


@pytest.fixture
def deployment(deployments: Mapping[str, Deployment]) -> Deployment:
    """One of several, and without Middlewares of others."""
    return deployments["second"]


@contextmanager
def routed_plainly(deployment: Deployment, folder: Path) -> Iterator[None]:
    """The environment's Ingresses and Middlewares as they are with plain HTTP, and afterwards as they were."""
    given = json.loads(deployment.file.read_text())
    plain = replace(deployment, file=folder / deployment.file.name, dist=folder / "dist")
    plain.render({**given, "ingress": {**given["ingress"], **PLAIN}})
    replace_routes(plain)
    try:
        yield
    finally:
        replace_routes(deployment)


def replace_routes(deployment: Deployment) -> None:
    for kind in ("Middleware", "Ingress"):
        files = sorted(deployment.manifests.glob(f"application/{kind}.*.yaml"))
        assert files
        for file in files:
            deployment.node.kubectl("replace", "-f", str(file))


@contextmanager
def balancer(deployment: Deployment) -> Iterator[httpx.Client]:
    """What has ended TLS, and passes requests on without it."""
    (pod,) = deployment.node.get("pods", "-n", "kube-system", "-l", "app.kubernetes.io/name=traefik")["items"]
    port = free_port()
    passage = Passage.into(deployment.node.init, (pod["status"]["podIP"], WEB_PORT), port=port)
    headers = {"Host": deployment.settings.ingress.host, "X-Forwarded-Proto": "http"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=120) as client:
            yield client
    finally:
        passage.close()


def test_plain_entry_point_serves_as_https(deployment: Deployment, flux: Flux, tmp_path: Path) -> None:
    user = deployment.user("behind-a-balancer")
    login = (user.email, deployment.access_key(user))

    with balancer(deployment) as client:
        before = client.get("/health").status_code
        with suspended(flux, f"{deployment.source}-application"), routed_plainly(deployment, tmp_path):
            deployment.node.wait("the plain route", lambda: client.get("/health").status_code == 200)
            health = client.get("/health")
            searched = client.post("/api/2.0/mlflow/experiments/search", json={"max_results": 1}, auth=login)
            begun = client.get("/login", follow_redirects=False)
        deployment.node.wait("the end of the plain route", lambda: client.get("/health").status_code == 404)

    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert before == 404
    assert health.headers["strict-transport-security"].startswith("max-age=")
    assert searched.status_code == 200
    assert asked["redirect_uri"] == [deployment.settings.ingress.redirect_uri]
    assert "secure" in begun.headers["set-cookie"].lower()
    with deployment.client() as visitor:
        deployment.node.wait("the route with TLS", lambda: visitor.get("/health").status_code == 200)
