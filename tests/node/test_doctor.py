"""doctor on a deployment that works, and with one thing broken after the other."""

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

import pytest
from deployment import Deployment
from minio import MinioAdmin
from minio.credentials.providers import StaticProvider

from live.node.flux import Flux
from live.node.node import Node
from live.users import Realm
from testbed.node.doctor import Lines, doctor_lines
from testbed.node.suspension import suspended
from testbed.node.workload import Workloads

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SERVER = "app.kubernetes.io/component=tracking-server"
ABSENT = {
    "operator cloudnative-pg",
    "operator external-secrets",
    "ClusterSecretStore vault-secret-store",
    "Cluster postgres-cluster",
}
"""What stand-ins do on the node, and doctor misses."""

Doctor = Callable[..., Lines]


@pytest.fixture
def doctor(deployment: Deployment, node: Node) -> Doctor:
    """Runs it as an operator does; the lines by their name."""

    return partial(doctor_lines, deployment, node)


def wrong(lines: Lines) -> set[str]:
    """Names of the lines that are neither well nor known to be absent."""
    return {name for name, line in lines.items() if line["state"] in ("failed", "unknown")} - ABSENT


def test_doctor_finds_a_working_deployment(deployment: Deployment, doctor: Doctor) -> None:
    user = deployment.user("doctor")
    login = {"MLFLOW_TRACKING_USERNAME": user.email, "MLFLOW_TRACKING_PASSWORD": deployment.access_key(user)}

    lines = doctor("--with-run", **login)

    assert {name: lines[name] for name in wrong(lines)} == {}
    expected = {
        *("objects", "Deployment mlflow", "image of mlflow", "public address", "without a login", "redirect URI"),
        *("in the pod: postgresql mlflow", "in the pod: artifact bucket", "in the pod: oidc client"),
        *("clocks", "run with an artifact", "bootstrap keycloak", "bootstrap minio", "bootstrap secrets"),
        *(f"certificate of {deployment.settings.ingress.host}", f"Kustomization {deployment.source}-application"),
    }
    assert {name for name in expected if lines[name]["state"] != "ok"} == set()


def test_doctor_finds_what_first_apply_needs(doctor: Doctor) -> None:
    lines = doctor("--before")

    assert {name: lines[name] for name in wrong(lines)} == {}
    expected = {
        *("Kubernetes", "API traefik.io/v1alpha1", "IngressClass traefik"),
        *("bootstrap keycloak", "bootstrap minio", "bootstrap secrets"),
    }
    assert {name for name in expected if lines[name]["state"] != "ok"} == set()


def test_doctor_names_a_deleted_middleware(deployment: Deployment, doctor: Doctor, node: Node, flux: Flux) -> None:
    where = ["--namespace", deployment.namespace]
    with suspended(flux, f"{deployment.source}-application"):
        node.kubectl("delete", "middlewares.traefik.io", "mlflow-headers", *where)
        with deployment.client() as client:
            node.wait("Traefik without the Middleware", lambda: client.get("/health").status_code == 404)

        lines = doctor()

        # Before anything is asserted, for the environment is the session's.
        node.apply(deployment.manifests / "application/Middleware.mlflow-headers.k8s.yaml")
    assert {"objects", "public address"} <= wrong(lines)
    assert "404" in lines["public address"]["seen"]
    assert "Traefik answers 404" in lines["objects"]["means"]


def test_doctor_names_an_unregistered_redirect(deployment: Deployment, doctor: Doctor) -> None:
    realm = Realm(settings=deployment.settings, server=deployment.backing.keycloak).administration
    key = realm.get_client_id(deployment.settings.authentication.client_id)
    realm.update_client(key, {"redirectUris": ["https://old.example.com/callback"]})

    lines = doctor()

    deployment.bootstrap.succeed("apply", "keycloak")
    assert wrong(lines) == {"redirect URI", "bootstrap keycloak"}
    assert "Keycloak refuses" in lines["redirect URI"]["seen"]


def test_doctor_names_lost_rights_in_the_bucket(deployment: Deployment, doctor: Doctor) -> None:
    artifacts, minio = deployment.settings.artifacts, deployment.backing.minio
    login = StaticProvider(minio.root_user, minio.root_password)
    root = MinioAdmin(endpoint=urlsplit(minio.url).netloc, credentials=login, secure=False)
    root.detach_policy([artifacts.policy], user=artifacts.user)

    lines = doctor()

    deployment.bootstrap.succeed("apply", "minio")
    assert wrong(lines) == {"in the pod: artifact bucket", "bootstrap minio"}


def test_doctor_names_a_server_without_pods(deployment: Deployment, doctor: Doctor, node: Node, flux: Flux) -> None:
    where = ["--namespace", deployment.namespace]
    part = f"{deployment.source}-application"
    with suspended(flux, part):
        node.kubectl("scale", "deployment/mlflow", "--replicas=0", *where)
        # Traefik asks a pod that drains for as long as it is there.
        node.wait("the end of the pods", lambda: not node.get("pods", "--selector", SERVER, *where)["items"])

        lines = doctor()

    Workloads(node=node, namespace=deployment.namespace).wait_rolled_out()
    assert {"Deployment mlflow", "public address", "in the pod"} <= wrong(lines)
    assert lines[f"Kustomization {part}"]["state"] == "warning"
    # Traefik answers 503 until it has left the route without a pod out, and 404 from then on.
    assert re.search(r"answers (503|404)", lines["public address"]["seen"])
