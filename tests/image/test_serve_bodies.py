"""What is large, and what MLflow's client inside the server needs: on a read-only root."""

import os
import re
from pathlib import Path

import pytest
from serving import API, Serving, Site, make_run

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

MEBIBYTE = 1 << 20


def peak(serving: Serving) -> int:
    """The most memory that the server has had, in MiB."""
    status = Path(f"/proc/{serving.worker}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) // 1024


def test_logged_model_is_registered_on_readonly_root(site: Site, server: Serving) -> None:
    with server.client("anna", site.keys["anna"]) as client:
        run = client.get(f"{API}/runs/get?run_id={make_run(client)}").json()["run"]["info"]
        body = {"experiment_id": run["experiment_id"], "name": "m", "source_run_id": run["run_id"]}
        model = client.post(f"{API}/logged-models", json=body).json()["model"]["info"]["model_id"]
        client.post(f"{API}/registered-models/create", json={"name": model}).raise_for_status()

        registered = client.post(
            f"{API}/model-versions/create",
            json={"name": model, "source": f"models:/{model}", "model_id": model, "run_id": run["run_id"]},
        )

        assert registered.status_code == 200, registered.text
        assert registered.json()["model_version"]["version"] == "1"


def test_artifact_of_any_size_takes_little_memory(site: Site) -> None:
    # More than the server may grow by, so that a copy in memory shows.
    content = os.urandom(MEBIBYTE) * 160
    with Serving(pod=site.pod) as serving, serving.client("anna", site.keys["anna"]) as client:
        serving.wait()
        run = client.get(f"{API}/runs/get?run_id={make_run(client)}").json()["run"]["info"]
        path = f"/api/2.0/mlflow-artifacts/artifacts/{run['experiment_id']}/{run['run_id']}/artifacts/large.bin"
        before = peak(serving)

        sent = client.put(path, content=content, timeout=600)
        received = client.get(path, timeout=600)

        assert (sent.status_code, received.status_code) == (200, 200)
        assert received.content == content
        assert peak(serving) - before < 150


def test_no_client_is_sent_to_object_store(site: Site, server: Serving) -> None:
    with server.client("anna", site.keys["anna"]) as client:
        answer = client.get("/api/3.0/mlflow/server-info")

    # Release 3.6.0 has no such route.
    assert answer.status_code == (403 if site.pod.venv.release == "3.6.0" else 200)
    assert re.findall(r'"multipart_\w+":\s*true', answer.text) == []
