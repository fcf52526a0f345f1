"""People and programs use each environment through the real Traefik."""

from collections.abc import Mapping

import httpx
import pytest
from deployment import Deployment

pytestmark = pytest.mark.servers

API = "/api/2.0/mlflow"


def with_key(deployment: Deployment, name: str) -> httpx.Client:
    user = deployment.user(name)
    return deployment.client(auth=(user.email, deployment.access_key(user)))


def test_run_and_artifact_come_back(deployment: Deployment) -> None:
    with with_key(deployment, "logger") as client:
        experiment = client.post(f"{API}/experiments/create", json={"name": "first"}).json()["experiment_id"]
        run = client.post(f"{API}/runs/create", json={"experiment_id": experiment}).json()["run"]["info"]["run_id"]
        address = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/a.bin"
        # A megabyte with every byte in it, so that nothing on the way may take it for text.
        content = bytes(range(256)) * 4096

        client.put(address, content=content).raise_for_status()

        assert client.get(address).content == content
        assert client.get(f"{API}/runs/get", params={"run_id": run}).json()["run"]["info"]["run_id"] == run


def test_anonymous_requests_get_no_data(deployment: Deployment) -> None:
    with deployment.client() as client:
        answer = client.post(f"{API}/experiments/search", json={"max_results": 10})

    assert '"experiments"' not in answer.text
    assert '"experiment_id"' not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        # Traefik routes by the encoded path, and the application decodes it.
        "/ajax-api/2.0%2Fmlflow-artifacts/artifacts?path=",
        "/api/2.0/mlflow%2Fwebhooks",
        "/API/2.0/mlflow/webhooks",
        "/api/2.0/mlflow/../mlflow/webhooks",
    ],
)
def test_traefik_passes_no_disguised_path(deployment: Deployment, path: str) -> None:
    with with_key(deployment, "disguised") as client:
        answer = client.get(path)

    assert answer.status_code in (400, 401, 403, 404), answer.text[:300]


def test_traefik_adds_security_headers(deployment: Deployment) -> None:
    with deployment.client() as client:
        headers = client.get("/health").headers

    assert headers["strict-transport-security"].startswith("max-age=")
    assert headers["x-content-type-options"] == "nosniff"


def test_further_middleware_is_gone_through(deployments: Mapping[str, Deployment]) -> None:
    answers = {}
    for name, deployment in deployments.items():
        with deployment.client() as client:
            answers[name] = client.get("/health").headers

    assert {name: headers.get("x-office") for name, headers in answers.items()} == {"first": "north", "second": None}
    assert all("strict-transport-security" in headers for headers in answers.values())


def test_check_finds_every_service(deployment: Deployment) -> None:
    printed = deployment.node.kubectl(
        "exec", "--namespace", deployment.namespace, "deploy/mlflow", "--", "mlflow-sso", "check", "--timeout", "600"
    )

    assert "FAILED" not in printed
