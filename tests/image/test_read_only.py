"""A server that is read-only for maintenance: reads are answered, writes refused, and nothing is changed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest
from serving import API, Serving, Site, make_run

from mlflow_sso.authorization.matching import Match, Table
from mlflow_sso.authorization.read_only import changes_something, is_read_only
from mlflow_sso.authorization.release_3_6_0 import TABLE as TABLE_3_6_0
from mlflow_sso.authorization.release_3_17_2.table import routes
from mlflow_sso.authorization.rules import Access

pytestmark = pytest.mark.either_release

TABLES = {"3.6.0": TABLE_3_6_0, "3.17.2": Table(routes(ai_gateway=True))}
SEARCHES = {
    "3.6.0": {
        "/graphql",
        "/api/2.0/mlflow/experiments/search",
        "/ajax-api/2.0/mlflow/experiments/search-datasets",
        "/api/2.0/mlflow/runs/search",
        "/api/2.0/mlflow/logged-models/search",
        "/api/3.0/mlflow/datasets/search",
        "/api/3.0/mlflow/traces/search",
        "/api/3.0/mlflow/traces/calculate-filter-correlation",
        "/api/2.0/mlflow/registered-models/get-latest-versions",
    },
    "3.17.2": {
        "/api/2.0/mlflow/experiments/search",
        "/ajax-api/2.0/mlflow/experiments/search-datasets",
        "/api/2.0/mlflow/runs/search",
        "/api/2.0/mlflow/logged-models/search",
        "/api/2.0/mlflow/artifacts/presigned-download-url",
        "/api/3.0/mlflow/datasets/search",
        "/api/3.0/mlflow/traces/search",
        "/api/3.0/mlflow/traces/batchGetInfos",
        "/api/3.0/mlflow/traces/metrics",
        "/api/3.0/mlflow/traces/calculate-filter-correlation",
        "/api/2.0/mlflow/registered-models/get-latest-versions",
        "/api/3.0/mlflow/issues/search",
        "/api/3.0/mlflow/prompt-optimization/jobs/search",
        "/ajax-api/3.0/jobs/search",
    },
}
"""First path of every row that reads although its method is POST; whatever is new in a table is refused."""


@pytest.mark.parametrize("release", TABLES)
def test_only_these_posts_read(release: str) -> None:
    served = [route for route in TABLES[release].routes if route.rule.access is not Access.REFUSED]
    asked = {(route.paths[0], method): Match(route, {}, method) for route in served for method in route.methods}

    reading = {path for (path, method), match in asked.items() if method != "GET" and not changes_something(match)}
    written = {path for (path, method), match in asked.items() if method == "GET" and changes_something(match)}

    assert reading == SEARCHES[release]
    assert written == set()


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("false", False), ("", False), (None, False)])
def test_read_only_is_off_by_default(value: str | None, expected: bool) -> None:
    assert is_read_only({} if value is None else {"MLFLOW_SSO_READ_ONLY": value}) is expected


@dataclass(frozen=True)
class Place:
    """What a user has, and the same user at the server that reads only."""

    site: Site
    serving: Serving
    client: httpx.Client
    experiment: str
    run: str


@pytest.fixture(scope="module")
def place(site: Site, server: Serving) -> Iterator[Place]:
    with server.client("anna", site.keys["anna"]) as writer:
        run = make_run(writer)
        info = writer.get(f"{API}/runs/get", params={"run_id": run}).json()["run"]["info"]
        artifact = f"/api/2.0/mlflow-artifacts/artifacts/{info['experiment_id']}/{run}/artifacts/kept"
        writer.put(artifact, content=b"kept").raise_for_status()
    with Serving(pod=site.pod, environment={"MLFLOW_SSO_READ_ONLY": "true"}) as serving:
        serving.wait()
        with serving.client("anna", site.keys["anna"]) as client:
            yield Place(site, serving, client, info["experiment_id"], run)


READS: dict[str, Callable[[Place], httpx.Response]] = {
    "search": lambda p: p.client.post(f"{API}/experiments/search", json={"max_results": 5}),
    "runs": lambda p: p.client.post(f"{API}/runs/search", json={"experiment_ids": [p.experiment]}),
    "run": lambda p: p.client.get(f"{API}/runs/get", params={"run_id": p.run}),
    "artifact": lambda p: p.client.get(_artifact(p, "kept")),
    "page": lambda p: p.client.get("/version"),
    "health": lambda p: httpx.get(f"{p.serving.url}/health"),
}
WRITES: dict[str, Callable[[Place], httpx.Response]] = {
    "experiment": lambda p: p.client.post(f"{API}/experiments/create", json={"name": "refused"}),
    "run": lambda p: p.client.post(f"{API}/runs/create", json={"experiment_id": p.experiment}),
    "metric": lambda p: p.client.post(
        f"{API}/runs/log-metric", json={"run_id": p.run, "key": "refused", "value": 1, "timestamp": 1}
    ),
    "deletion": lambda p: p.client.post(f"{API}/runs/delete", json={"run_id": p.run}),
    "upload": lambda p: p.client.put(_artifact(p, "refused"), content=b"x" * 100_000),
    "model": lambda p: p.client.post(f"{API}/registered-models/create", json={"name": "refused"}),
    "spans": lambda p: p.client.post(
        "/v1/traces", content=b"", headers={"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": "0"}
    ),
}


def _artifact(place: Place, name: str) -> str:
    return f"/api/2.0/mlflow-artifacts/artifacts/{place.experiment}/{place.run}/artifacts/{name}"


def counts(place: Place) -> list[int]:
    """Rows of everything that a user writes."""
    tables = ("experiments", "runs", "metrics", "registered_models", "trace_info")
    query = " UNION ALL ".join(f"SELECT count(*) FROM {table}" for table in tables)  # noqa: S608  (names from here)
    return [row[0] for row in place.site.pod.database.query(query)]


@pytest.mark.servers
@pytest.mark.parametrize("name", READS)
def test_read_only_server_answers_reads(place: Place, name: str) -> None:
    assert READS[name](place).status_code == 200


@pytest.mark.servers
@pytest.mark.parametrize("name", WRITES)
def test_read_only_server_refuses_writes(place: Place, name: str) -> None:
    before = counts(place)

    answer = WRITES[name](place)

    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"] == "60"
    assert json.loads(answer.text)["error_code"] == "TEMPORARILY_UNAVAILABLE"
    assert "read-only for maintenance" in answer.text
    assert counts(place) == before


@pytest.mark.servers
def test_read_only_refusals_are_counted_apart(place: Place) -> None:
    WRITES["experiment"](place)

    text = place.serving.metrics()
    assert 'mlflow_sso_requests_total{method="write",rule="read only",status="5xx"}' in text
    assert 'mlflow_sso_refused_requests_total{reason="read_only",status="503"}' in text
