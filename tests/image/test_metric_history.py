"""A metric's whole history comes without a page size, in pages with one, over every way of asking."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pod import QUIET, Venv
from serving import API, Serving, Site, make_run

pytestmark = pytest.mark.servers

AJAX = "/ajax-api/2.0/mlflow"
HISTORY = [1.0, 2.0, 3.0]

ASK_AS_CLIENT = """
import sys
from mlflow import MlflowClient
print([metric.value for metric in MlflowClient().get_metric_history(sys.argv[1], "loss")])
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A run of anna's with three values of the metric ``loss``."""

    anna: httpx.Client
    run: str

    def history(self, base: str = API, **query: str) -> httpx.Response:
        return self.anna.get(f"{base}/metrics/get-history", params={"run_id": self.run, "metric_key": "loss"} | query)

    def search(self, path: str, **body: object) -> httpx.Response:
        experiment = self.anna.get(f"{API}/runs/get", params={"run_id": self.run}).json()["run"]["info"]
        return self.anna.post(f"{API}/{path}", json={"experiment_ids": [experiment["experiment_id"]]} | body)


@pytest.fixture(scope="module")
def place(site: Site, server: Serving) -> Iterator[Place]:
    with server.client("anna", site.keys["anna"]) as anna:
        run = make_run(anna)
        metrics = [{"key": "loss", "value": one, "timestamp": int(one), "step": int(one)} for one in HISTORY]
        anna.post(f"{API}/runs/log-batch", json={"run_id": run, "metrics": metrics}).raise_for_status()
        yield Place(anna=anna, run=run)


def values(answer: httpx.Response) -> list[float]:
    return [metric["value"] for metric in answer.raise_for_status().json().get("metrics", [])]


@pytest.mark.parametrize("base", [API, AJAX])
def test_history_without_page_size_is_whole(place: Place, base: str) -> None:
    answer = place.history(base)

    assert values(answer) == HISTORY
    assert "next_page_token" not in answer.json()


def test_history_in_pages_is_whole(place: Place) -> None:
    first = place.history(max_results="2")
    second = place.history(max_results="2", page_token=first.json()["next_page_token"])

    assert (values(first), values(second)) == ([1.0, 2.0], [3.0])
    assert "next_page_token" not in second.json()


@pytest.mark.parametrize("size", ["0", "-1", "-5"])
def test_history_with_impossible_size_is_refused(place: Place, size: str) -> None:
    answer = place.history(max_results=size)

    assert answer.status_code == 400, answer.text
    assert "max_results" in answer.json()["message"]


# Named so that the server's release decides in which process the test runs.
@pytest.mark.parametrize("client", ["3.6.0", "3.17.2"], ids="client {}".format)
def test_client_reads_whole_history(client: str, place: Place, server: Serving, site: Site, tmp_path: Path) -> None:
    login = {"MLFLOW_TRACKING_USERNAME": "anna@example.com", "MLFLOW_TRACKING_PASSWORD": site.keys["anna"]}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "MLFLOW_TRACKING_URI": server.url,
        **login,
        **QUIET,
    }
    program = [Venv(release=client).python, "-c", ASK_AS_CLIENT, place.run]

    done = subprocess.run(program, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.stdout.strip() == str(HISTORY), done.stderr


@pytest.mark.parametrize("path", ["metrics/get-history-bulk-interval", "metrics/get-history-bulk"])
def test_bulk_history_needs_no_size(place: Place, path: str) -> None:
    name = "run_ids" if path.endswith("interval") else "run_id"
    answer = place.anna.get(f"{AJAX}/{path}", params={name: place.run, "metric_key": "loss"})

    assert values(answer) == HISTORY


def test_searches_need_no_size(place: Place) -> None:
    runs = place.search("runs/search").raise_for_status().json()["runs"]
    answers = [place.search("logged-models/search"), place.anna.get(f"{API}/registered-models/search")]
    experiments = place.anna.post(f"{API}/experiments/search", json={})

    assert [run["info"]["run_id"] for run in runs] == [place.run]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert experiments.status_code == 400, experiments.text
    assert "max_results" in experiments.json()["message"]
