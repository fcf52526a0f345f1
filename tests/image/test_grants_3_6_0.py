"""Release 3.6.0 shows and changes what grants allow, and nothing else."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from serving import API, Serving, Site

pytestmark = [pytest.mark.servers, pytest.mark.parametrize("venv", ["3.6.0"], indirect=True)]

PAGES = "/ajax-api/2.0/mlflow"
V3 = "/api/3.0/mlflow"


@dataclass(frozen=True, kw_only=True)
class Place:
    """What anna owns, with a secret in it, and what bert owns."""

    anna: httpx.Client
    bert: httpx.Client
    secret: str
    experiment: str
    run: str
    trace: str
    model: str
    logged_model: str
    dataset: str
    own: str
    own_run: str


@pytest.fixture(scope="module")
def place(site: Site, server: Serving) -> Iterator[Place]:
    secret = f"s{secrets.token_hex(8)}"
    with server.client("anna", site.keys["anna"]) as anna, server.client("bert", site.keys["bert"]) as bert:
        experiment, run = _experiment(anna, secret)
        own, own_run = _experiment(bert, f"own-{secret}")
        _post(anna, f"{API}/runs/log-batch", run_id=run, params=[{"key": secret, "value": secret}],
              metrics=[{"key": secret, "value": 1, "timestamp": 1, "step": 1}])  # fmt: skip
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/{secret}.txt"
        anna.put(path, content=secret.encode()).raise_for_status()
        trace = f"tr-{secrets.token_hex(16)}"
        location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
        _post(anna, f"{V3}/traces", trace={"trace_info": {"trace_id": trace, "trace_location": location, "state": "OK",
              "request_time": "2026-01-01T00:00:00Z", "tags": {"secret": secret}}})  # fmt: skip
        _post(anna, f"{API}/registered-models/create", name=f"model-{secret}")
        _post(anna, f"{API}/model-versions/create", name=f"model-{secret}", run_id=run,
              source=f"mlflow-artifacts:/{experiment}/{run}/artifacts")  # fmt: skip
        logged = _post(anna, f"{API}/logged-models", experiment_id=experiment, name="m")["model"]["info"]["model_id"]
        dataset = _post(anna, f"{V3}/datasets/create", name=f"data-{secret}", experiment_ids=[experiment])
        yield Place(
            anna=anna, bert=bert, secret=secret, experiment=experiment, run=run, trace=trace, model=f"model-{secret}",
            logged_model=logged, dataset=dataset["dataset"]["dataset_id"], own=own, own_run=own_run,
        )  # fmt: skip


def _post(client: httpx.Client, path: str, **body: Any) -> Any:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _experiment(client: httpx.Client, name: str) -> tuple[str, str]:
    experiment = _post(client, f"{API}/experiments/create", name=name)["experiment_id"]
    run = _post(client, f"{API}/runs/create", experiment_id=experiment, start_time=1)
    return experiment, run["run"]["info"]["run_id"]


READS = [
    ("GET", f"{API}/experiments/get?experiment_id={{experiment}}", None),
    # MLflow compares numbers: another spelling of the same experiment.
    ("GET", f"{API}/experiments/get?experiment_id=0{{experiment}}", None),
    ("GET", f"{PAGES}/experiments/get-by-name?experiment_name={{secret}}", None),
    ("POST", f"{API}/runs/search", {"experiment_ids": ["{own}", "{experiment}"]}),
    ("POST", f"{PAGES}/experiments/search-datasets", {"experiment_ids": ["{experiment}"]}),
    ("GET", f"{API}/runs/get?run_id={{run}}", None),
    ("GET", f"{API}/runs/get?run_uuid={{run}}", None),
    # ``run_uuid`` is the older name of the field, which MLflow still reads.
    ("GET", f"{API}/runs/get?run_id={{own_run}}&run_uuid={{run}}", None),
    ("GET", f"{API}/runs/get?run_id={{own_run}}&run_id={{run}}", None),
    # Protobuf's reader of JSON takes both spellings of a name.
    ("GET", f"{API}/runs/get?runId={{run}}", None),
    # MLflow reads the body of a GET that has no query.
    ("GET", f"{API}/runs/get", {"run_id": "{run}"}),
    ("GET", f"{API}/runs/get?run_id={{own_run}}", {"run_id": "{run}"}),
    # Flask answers HEAD wherever it answers GET.
    ("HEAD", f"{API}/runs/get?run_id={{run}}", None),
    ("GET", f"{PAGES}/metrics/get-history-bulk?run_id={{own_run}}&run_id={{run}}&metric_key={{secret}}", None),
    ("GET", f"{API}/metrics/get-history-bulk-interval?run_ids={{run}}&metric_key={{secret}}&max_results=9", None),
    ("GET", f"{API}/metrics/get-history?run_id={{run}}&metric_key={{secret}}", None),
    ("GET", "/get-artifact?run_id={run}&path={secret}.txt", None),
    ("GET", "/get-artifact?run_uuid={run}&path={secret}.txt", None),
    ("GET", "/get-artifact?run_id={own_run}&path=../../../{experiment}/{run}/artifacts/{secret}.txt", None),
    ("GET", "/get-artifact?run_id={own_run}&path=%252e%252e/%252e%252e/%252e%252e/{experiment}", None),
    ("GET", f"{API}/artifacts/list?run_id={{run}}", None),
    ("GET", "/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/{secret}.txt", None),
    ("GET", "/ajax-api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/{secret}.txt", None),
    # WSGI hands on a decoded path, in which this is a slash like others.
    ("GET", "/ajax-api/2.0%2Fmlflow-artifacts/artifacts/{experiment}/{run}/artifacts/{secret}.txt", None),
    ("GET", "/api/2.0/mlflow-artifacts/artifacts/{own}/%2e%2e/{experiment}/{run}/artifacts/{secret}.txt", None),
    ("GET", "/api/2.0/mlflow-artifacts/artifacts/{own}/..%2F{experiment}/{run}/artifacts/{secret}.txt", None),
    ("GET", "/api/2.0/mlflow-artifacts/artifacts/0{experiment}/{run}/artifacts/{secret}.txt", None),
    ("GET", "/api/2.0/mlflow-artifacts/artifacts?path={experiment}/{run}/artifacts", None),
    ("GET", "/api/2.0/mlflow-artifacts/artifacts?path={own}/../{experiment}/{run}/artifacts", None),
    ("GET", "/api/2.0/mlflow-artifacts/artifacts?path=", None),
    ("GET", "/api/2.0/mlflow-artifacts/artifacts", None),
    ("GET", "/model-versions/get-artifact?name={model}&version=1&path={secret}.txt", None),
    ("GET", f"{API}/model-versions/search?filter=name%3D'{{model}}'", None),
    ("GET", f"{API}/registered-models/search", None),
    ("GET", f"{API}/experiments/search?max_results=1000", None),
    ("POST", f"{API}/experiments/search", {"max_results": 1000}),
    ("GET", f"{V3}/traces/{{trace}}", None),
    ("GET", f"{V3}/traces/batchGet?trace_ids={{trace}}", None),
    ("GET", f"{API}/traces/{{trace}}/info", None),
    ("GET", f"{API}/traces?experiment_ids={{experiment}}", None),
    ("GET", f"{PAGES}/get-trace-artifact?request_id={{trace}}", None),
    ("POST", f"{V3}/traces/search", {"locations": [
        {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{own}"}},
        {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{experiment}"}}]}),
    ("POST", f"{V3}/traces/search", {"locations": [
        {"type": "MLFLOW_EXPERIMENT", "mlflowExperiment": {"experimentId": "{experiment}"}}]}),
    ("GET", f"{API}/logged-models/{{logged_model}}", None),
    ("POST", f"{API}/logged-models/search", {"experiment_ids": ["{experiment}"]}),
    ("GET", f"{V3}/datasets/{{dataset}}", None),
    ("POST", f"{V3}/datasets/search", {"experiment_ids": ["{experiment}"]}),
    ("GET", f"{V3}/datasets/search", None),
    ("POST", "/graphql", {"query": 'mutation {{ mlflowSearchRuns(input: {{experimentIds: ["{own}", "{experiment}"]}}) '
                                   "{{ runs {{ info {{ runId }} data {{ params {{ key value }} }} }} }} }}"}),
    ("POST", "/graphql", {"query": "query Q($i: MlflowGetRunInput!) {{ a: mlflowGetRun(input: $i) "
                                   "{{ run {{ data {{ params {{ key value }} }} }} }} }}",
                          "variables": {"i": {"runId": "{run}"}}}),
    ("GET", "/graphql", {"query": '{{ mlflowGetRun(input: {{runId: "{run}"}}) {{ run {{ info {{ runId }} }} }} }}'}),
    ("GET", f"{API}/users/get?username=anna@example.com", None),
    ("GET", f"{API}/permissions/experiments/{{experiment}}/users", None),
    ("GET", f"{API}/webhooks", None),
]  # fmt: skip

WRITES = [
    ("POST", f"{API}/runs/set-tag?run_id={{own_run}}", {"run_id": "{run}", "key": "k", "value": "v"}),
    ("POST", f"{API}/runs/set-tag", {"run_id": "{own_run}", "runId": "{run}", "key": "k", "value": "v"}),
    ("POST", f"{API}/runs/log-inputs", {"run_id": "{run}", "datasets": []}),
    # From here on the run is bert's own, and the model is not.
    ("POST", f"{API}/runs/outputs", {"run_id": "{own_run}", "models": [{"model_id": "{logged_model}", "step": 1}]}),
    ("POST", f"{API}/runs/log-metric",
     {"run_id": "{own_run}", "model_id": "{logged_model}", "key": "k", "value": 1, "timestamp": 1}),
    ("POST", f"{API}/runs/log-batch", {"run_id": "{own_run}", "metrics": [
        {"key": "k", "value": 1, "timestamp": 1, "step": 1, "model_id": "{logged_model}"}]}),
    ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "mlflow-artifacts:/{experiment}/x"}),
    ("POST", f"{API}/experiments/create",
     {"name": "x", "artifact_location": "mlflow-artifacts:/{own}/../{experiment}"}),
    ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "mlflow-artifacts://h/{own}"}),
    # A location with which the server would read and write its own files.
    ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "file:///etc"}),
    ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "ftp://127.0.0.1/x"}),
    ("POST", f"{API}/experiments/create", {"name": "x", "artifactLocation": "file:///etc"}),
    ("POST", f"{V3}/traces", {"trace": {"trace_info": {"trace_id": "{trace}", "state": "OK",
        "request_time": "2026-01-01T00:00:00Z",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{own}"}}}}}),
    ("POST", f"{V3}/traces", {"trace": {"trace_info": {"trace_id": "{experiment}", "state": "OK",
        "request_time": "2026-01-01T00:00:00Z",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{own}"}}}}}),
    ("PATCH", f"{V3}/traces/{{trace}}/tags", {"key": "k", "value": "v"}),
    ("DELETE", f"{API}/traces/{{trace}}/tags", {"key": "secret"}),
    ("POST", f"{V3}/traces/{{trace}}/assessments", {"assessment": {"assessment_name": "a", "feedback": {"value": 1},
        "source": {"source_type": "HUMAN", "source_id": "x"}}}),
    ("POST", f"{API}/traces/link-to-run", {"trace_ids": ["{trace}"], "run_id": "{own_run}"}),
    ("POST", f"{V3}/traces/delete-traces", {"experiment_id": "{experiment}", "request_ids": ["{trace}"]}),
    ("POST", f"{V3}/datasets/{{dataset}}/records", {"records": "[]"}),
    ("DELETE", f"{V3}/datasets/{{dataset}}", None),
    ("POST", f"{V3}/datasets/create", {"name": "x", "experiment_ids": ["{own}", "{experiment}"]}),
    ("POST", f"{V3}/scorers/register", {"experiment_id": "{experiment}", "name": "s", "serialized_scorer": "{{}}"}),
    ("PUT", "/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/new.txt", None),
    ("PUT", "/ajax-api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/new.txt", None),
    ("PUT", "/api/2.0/mlflow-artifacts/artifacts/loose.txt", None),
    ("POST", "/api/2.0/mlflow-artifacts/mpu/create/{experiment}/x", {"path": "x", "num_parts": 1}),
    ("POST", f"{PAGES}/upload-artifact?run_uuid={{run}}&path=x.json", {"a": "b"}),
    # Query and body disagree, and either may be what MLflow reads.
    ("DELETE", f"{API}/registered-models/delete?name=own", {"name": "{model}"}),
    ("DELETE", f"{API}/registered-models/delete?name={{model}}", None),
    ("POST", f"{API}/permissions/users/bert@example.com/experiments/{{experiment}}", {"permission": "MANAGE"}),
    ("POST", f"{API}/permissions/users/bert@example.com/prompts/{{model}}?name=own", {"permission": "MANAGE"}),
    ("PATCH", f"{API}/permissions/users/access-token", {"username": "anna@example.com", "expiration": "2026-12-31"}),
    ("PATCH", f"{API}/users/update-admin", {"username": "bert@example.com", "is_admin": "true"}),
]  # fmt: skip


def _filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format_map(names)
    if isinstance(value, dict):
        return {key: _filled(item, names) for key, item in value.items()}
    return [_filled(item, names) for item in value] if isinstance(value, list) else value


def _ask(client: httpx.Client, request: tuple[str, str, Any], place: Place) -> httpx.Response:
    method, path, body = request
    names = {key: value for key, value in vars(place).items() if isinstance(value, str)}
    # As bytes, since httpx would tidy some of these paths up.
    url = httpx.URL(f"{client.base_url}".rstrip("/")).copy_with(raw_path=path.format_map(names).encode())
    return client.send(client.build_request(method, url, json=_filled(body, names) if body is not None else None))


@pytest.mark.parametrize("request_", READS, ids=lambda request_: f"{request_[0]} {request_[1][:60]}")
def test_reading_needs_grant(place: Place, request_: tuple[str, str, Any]) -> None:
    # when
    answer = _ask(place.bert, request_, place)

    # then
    assert place.secret not in answer.text.replace(f"own-{place.secret}", "")
    # Bert's own experiment has the secret in its name, which is left out above.
    assert place.run not in answer.text


@pytest.mark.parametrize("request_", WRITES, ids=lambda request_: f"{request_[0]} {request_[1][:60]}")
def test_writing_needs_grant(place: Place, request_: tuple[str, str, Any]) -> None:
    # when
    answer = _ask(place.bert, request_, place)

    # then
    assert answer.status_code in (400, 403, 404), answer.text
    assert len(answer.json()["message"].splitlines()) == 1


def test_anonymous_requests_get_login_page(place: Place, server: Serving) -> None:
    # when
    answer = httpx.get(f"{server.url}{API}/runs/get?run_id={place.run}")
    unknown = httpx.get(f"{server.url}/nowhere")

    # then
    assert "<html" in answer.text
    assert unknown.status_code == 403
    assert unknown.json()["error_code"] == "PERMISSION_DENIED"


def test_body_types_that_mlflow_guesses_are_refused(place: Place) -> None:
    # given
    path, body = f"{API}/registered-models/delete", json.dumps({"name": place.model}).encode()
    kinds = ("", "text/plain", "application/json;charset=utf-16", "application/x-www-form-urlencoded")

    # when
    answers = [place.anna.request("DELETE", path, content=body, headers={"Content-Type": kind}) for kind in kinds]

    # then
    assert [answer.status_code for answer in answers] == [403] * len(kinds)


def test_pages_of_lists_hold_each_row_once(place: Place) -> None:
    # given
    own = [_experiment(place.bert, f"page-{number}-{place.secret}")[0] for number in range(7)]

    # when
    seen: list[str] = []
    token = ""
    for _ in range(20):
        page = _post(place.bert, f"{API}/experiments/search", max_results=3, page_token=token, order_by=["name DESC"])
        seen += [experiment["experiment_id"] for experiment in page.get("experiments", [])]
        token = page.get("next_page_token", "")
        if not token:
            break

    # then
    assert len(seen) == len(set(seen))
    assert [number for number in seen if number in own] == own[::-1]
    assert place.experiment not in seen


def test_read_grants_show_and_change_nothing(place: Place) -> None:
    # given
    permission = f"{API}/permissions/users/bert@example.com/experiments/{place.experiment}"
    _post(place.anna, permission, permission="READ")

    # when
    shown = [_ask(place.bert, request, place) for request in (READS[0], READS[3], READS[4], READS[5])]
    changed = _ask(place.bert, ("POST", f"{API}/runs/set-tag", {"run_id": "{run}", "key": "k", "value": "v"}), place)
    place.anna.delete(permission).raise_for_status()
    after = _ask(place.bert, ("GET", f"{API}/runs/get?run_id={{run}}", None), place)

    # then
    assert [answer.status_code for answer in shown] == [200] * len(shown)
    assert changed.status_code == after.status_code == 403


def test_members_of_group_are_listed_by_name(site: Site, place: Place) -> None:
    site.pod.database.query(
        "WITH made AS (INSERT INTO groups (group_name) VALUES ('listed'), ('empty') RETURNING id, group_name)"
        " INSERT INTO user_groups (user_id, group_id) SELECT users.id, made.id FROM users, made"
        " WHERE username = 'anna@example.com' AND group_name = 'listed'",
        service="mlflow_auth",
    )

    answers = [place.bert.get(f"{API}/permissions/groups/{name}/users") for name in ("listed", "empty", "unknown")]

    assert [answer.status_code for answer in answers] == [200, 200, 404]
    anna = {"username": "anna@example.com", "is_admin": False}
    assert [answer.json()["users"] for answer in answers[:2]] == [[anna], []]
