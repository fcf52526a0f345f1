"""What a request asks for is compared with what the caller has, object by object."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from mlflow_sso.authorization.decision import Caller, Decision
from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.locations import Locations
from mlflow_sso.authorization.matching import Table
from mlflow_sso.authorization.objects import artifact_segments, experiment_id
from mlflow_sso.authorization.references import gateway_models
from mlflow_sso.authorization.release_3_6_0 import TABLE
from mlflow_sso.authorization.rules import Form, Kind, Level

ANNA, ROOT = Caller("anna", is_admin=False), Caller("root", is_admin=True)
TRACE, OTHERS_TRACE = f"tr-{'a' * 32}", f"tr-{'b' * 32}"
LEVELS = {"1": Level.MANAGE, "2": Level.READ, "3": Level.EDIT, "mine": Level.MANAGE, "shown": Level.READ}
OWNERS = {
    (Kind.RUN, "run1"): ("1",),
    (Kind.RUN, "run2"): ("2",),
    (Kind.RUN, "run9"): ("9",),
    (Kind.TRACE, OTHERS_TRACE): ("9",),
    (Kind.LOGGED_MODEL, "m-1"): ("1",),
    (Kind.LOGGED_MODEL, "m-9"): ("9",),
    (Kind.ASSESSMENT, "a-9"): ("9",),
    (Kind.DATASET, "both"): ("1", "2"),
    (Kind.DATASET, "shared"): ("1", "9"),
    (Kind.DATASET, "loose"): (),
    (Kind.EXPERIMENT_NAME, "theirs"): ("9",),
}
JSON = [(b"content-type", b"application/json")]


class Granted:
    """Permissions of the plugin."""

    def levels(self, username: str, kind: Kind, names: Iterable[str]) -> Mapping[str, Level]:
        return {name: LEVELS.get(name, Level.NONE) for name in names}

    def readable(self, username: str, kind: Kind) -> frozenset[str]:
        return frozenset(name for name in LEVELS if name.isdigit() == (kind is Kind.EXPERIMENT))


class Owned:
    """Objects of MLflow's database."""

    def experiments(self, kind: Kind, names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        if kind is Kind.EXPERIMENT:
            return {name: (experiment_id(name),) for name in names}
        if kind is Kind.ARTIFACT:
            return {name: (artifact_segments(name)[0],) for name in names}
        return {name: OWNERS[kind, name] for name in names if (kind, name) in OWNERS}


def decide(method: str, path: str, body: Any = None, *, caller: Caller = ANNA, table: Table = TABLE) -> Any:
    path, _, query = path.partition("?")
    match = table.find(method, path)
    assert match is not None
    content = b"" if body is None else json.dumps(body).encode()
    decision = Decision(
        table,
        permissions=Granted(),
        objects=Owned(),  # type: ignore[arg-type]
        locations=Locations(["s3://shared/models"]),
        graphql=lambda _: [],
    )
    return decision.decide(caller, match, query=query.encode(), headers=JSON, body=content)


API, V3 = "/api/2.0/mlflow", "/api/3.0/mlflow"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"
INFO = {"trace_id": TRACE, "trace_location": {"mlflow_experiment": {"experiment_id": "1"}}}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{API}/runs/get?run_id=run2", None),
        ("POST", f"{API}/runs/search", {"experiment_ids": ["1", "2", "3"]}),
        ("POST", f"{API}/runs/search", {"experiment_ids": []}),
        ("GET", f"{API}/registered-models/get-latest-versions?name=shown", None),
        ("POST", f"{API}/registered-models/get-latest-versions", {"name": "shown"}),
        ("POST", f"{API}/runs/set-tag", {"run_id": "run1", "run_uuid": "run1", "key": "mlflow.runName", "value": "x"}),
        ("GET", f"{API}/experiments/get-by-name?experiment_name=none", None),
        ("GET", f"{PROXY}?path=2/run", None),
        ("PUT", f"{PROXY}/3/run/x.txt", None),
        ("POST", f"{API}/experiments/create", {"name": "x"}),
        ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": ""}),
        ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "mlflow-artifacts:/3/x"}),
        ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "s3://shared/models/x"}),
        ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "runs:/run2/model"}),
        ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "models:/m-1"}),
        ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "models:/shown/1"}),
        ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "dummy-source"}),
        ("POST", f"{V3}/traces", {"trace": {"trace_info": INFO}}),
        ("POST", f"{V3}/traces", {"trace": {"trace_info": {**INFO, "tags": {"mlflow.artifactLocation":
            f"mlflow-artifacts:/1/traces/{TRACE}/artifacts"}}}}),
        ("POST", f"{V3}/traces", {"trace": {"trace_info": {**INFO, "tags": {"mlflow.trace.spansLocation":
            "TRACKING_STORE"}}}}),
        ("POST", f"{V3}/traces", {"trace": {"trace_info": {**INFO, "tags": {"mlflow.trace.sourceScorer": "x"}}}}),
        ("GET", f"{V3}/datasets/both", None),
        ("GET", f"{V3}/datasets/shared", None),
        ("PATCH", f"{API}/permissions/users/access-token", {"username": "anna", "expiration": "x"}),
    ],
)  # fmt: skip
def test_granted_requests_are_allowed(method: str, path: str, body: Any) -> None:
    assert decide(method, path, body).caller == ANNA


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{API}/runs/get?run_id=run9", None),
        ("GET", f"{API}/runs/get?run_id=none", None),
        ("GET", f"{API}/runs/get", None),
        ("POST", f"{API}/runs/search", {"experiment_ids": ["1", "9"]}),
        ("GET", f"{API}/registered-models/get-latest-versions?name=shown", {"name": "hidden"}),
        ("GET", f"{API}/registered-models/get-latest-versions", {"name": "shown"}),
        ("POST", f"{API}/registered-models/get-latest-versions?name=shown", {"name": "hidden"}),
        ("GET", f"{V3}/datasets/search?experiment_ids=9", None),
        # MLflow compares numbers, and takes this for experiment 1.
        ("POST", f"{API}/runs/search", {"experiment_ids": ["01"]}),
        ("POST", f"{API}/runs/search", {"experiment_ids": ["1", ""]}),
        ("POST", f"{API}/runs/search", {"experiment_ids": "9"}),
        ("POST", f"{API}/runs/search", {"experimentIds": ["1"]}),
        ("POST", f"{API}/runs/set-tag", {"run_id": "run2", "key": "k", "value": "v"}),
        ("GET", f"{API}/experiments/get-by-name?experiment_name=theirs", None),
        ("GET", PROXY, None),
        # MLflow decodes a path once more than the application does.
        ("GET", f"{PROXY}?path=2/%252e%252e/9", None),
        ("GET", f"{PROXY}?path=2/%3Fx", None),
        ("GET", f"{PROXY}?path=/9", None),
        ("PUT", f"{PROXY}/2/run/x.txt", None),
        ("DELETE", f"{PROXY}/3/run/x.txt", None),
        ("GET", f"{API}/artifacts/list?run_id=run1&path=../../9", None),
        ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "mlflow-artifacts:/2/x"}),
        ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "mlflow-artifacts:/"}),
        ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "mlflow-artifacts:///3"}),
        ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "mlflow-artifacts://host/3"}),
        ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "MLFLOW-ARTIFACTS:/3"}),
        ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "s3://shared/models/../x"}),
        ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "s3://shared/models2"}),
        ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "runs:/run1"}),
        ("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "/etc"}),
        ("POST", f"{API}/model-versions/create", {"name": "shown", "source": "runs:/run1/m"}),
        ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "runs:/run9/m"}),
        ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "runs:///run1"}),
        ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "runs:/run1/../run9"}),
        ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "models:/m-9"}),
        ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "models:/hidden@alias"}),
        ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "dbfs:/x"}),
        ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "runs:/run1/m", "run_id": "run9"}),
        ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "runs:/run1/m", "model_id": "m-9"}),
        ("POST", f"{V3}/traces", {"trace": {"trace_info": {**INFO, "trace_id": OTHERS_TRACE}}}),
        ("POST", f"{V3}/traces", {"trace": {"trace_info": {**INFO, "trace_id": "9"}}}),
        ("POST", f"{V3}/traces", {"trace": {"trace_info": {**INFO, "traceId": OTHERS_TRACE}}}),
        ("POST", f"{V3}/traces", {"trace": {"trace_info": {**INFO, "assessments": [{"assessment_id": "a-9"}]}}}),
        ("POST", f"{V3}/traces", {"trace": {"trace_info": {**INFO, "tags": {"mlflow.artifactLocation":
            "mlflow-artifacts:/9/x"}}}}),
        ("POST", f"{API}/traces", {"experiment_id": "1", "tags": [{"key": "mlflow.artifactLocation", "value": "/x"}]}),
        ("POST", f"{V3}/traces", {"trace": {"trace_info": {**INFO, "tags": {"mlflow.trace.spansLocation":
            "ARCHIVE_REPO"}}}}),
        # A database that folds names could take it for the reserved key.
        ("POST", f"{V3}/traces", {"trace": {"trace_info": {**INFO, "tags": {"mlflow.trace.spans_location":
            "TRACKING_STORE"}}}}),
        ("POST", f"{V3}/traces", {"trace": {"trace_info": {**INFO, "tags": {"mlflow.trace.archiveLocation":
            f"mlflow-artifacts:/1/traces/{TRACE}/artifacts"}}}}),
        ("POST", f"{API}/traces", {"experiment_id": "1", "tags": [{"key": "mlflow.trace.archivalFailure"}]}),
        ("POST", f"{API}/experiments/set-experiment-tag",
            {"experiment_id": "3", "key": "mlflow.trace.archiveNow", "value": "{}"}),
        ("POST", f"{API}/experiments/create",
            {"name": "x", "tags": [{"key": "mlflow.trace.archiveNow", "value": "1"}]}),
        ("POST", f"{V3}/traces/search", {"locations": [{"mlflow_experiment": {"experiment_id": "9"}}]}),
        ("POST", f"{V3}/traces/search", {"locations": [{"inference_table": {}}]}),
        ("PATCH", f"{V3}/datasets/both/tags", {"tags": "{}"}),
        # No experiment has it, so that none can grant it.
        ("GET", f"{V3}/datasets/loose", None),
        ("POST", f"{V3}/datasets/create", {"name": "x"}),
        ("PATCH", f"{API}/permissions/users/access-token", {"username": "bert", "expiration": "x"}),
        ("PATCH", f"{API}/users/update-admin", {"username": "anna", "is_admin": "true"}),
    ],
)  # fmt: skip
def test_other_requests_are_refused(method: str, path: str, body: Any) -> None:
    with pytest.raises(RefusedError) as refused:
        decide(method, path, body)

    assert refused.value.status in (400, 403, 404)
    assert len(refused.value.message.splitlines()) == 1


def test_administrators_need_no_grant() -> None:
    assert decide("GET", f"{API}/runs/get?run_id=run9", caller=ROOT).visible == {}


def test_administrators_locations_are_judged() -> None:
    with pytest.raises(RefusedError):
        decide("POST", f"{API}/experiments/create", {"name": "x", "artifact_location": "file:///x"}, caller=ROOT)


def test_lists_show_what_is_readable() -> None:
    # when
    experiments = decide("GET", f"{API}/experiments/search?max_results=5")
    models = decide("GET", f"{API}/registered-models/search")

    # then
    assert experiments.visible == {Kind.EXPERIMENT: frozenset({"1", "2", "3"})}
    assert models.visible == {Kind.REGISTERED_MODEL: frozenset({"mine", "shown"})}


@pytest.mark.parametrize("location", ["s3://shared/models", "s3://shared/models/", "s3://shared/models/a/b"])
def test_allowed_locations_need_no_grant(location: str) -> None:
    assert Locations(["s3://shared/models/"]).demands(Form.SOURCE, location) == []


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("gateway:/mine", ["mine"]),
        (" Gateway://mine", ["mine"]),
        ({"a": [{"model": "gateway:/mine"}, "openai:/gpt"]}, ["mine"]),
        (json.dumps(json.dumps({"base_judge": {"model": "gateway:/mine"}})), ["mine"]),
        ('{"model": "gateway:/theirs", "model": "gateway:/mine"}', ["mine", "theirs"]),
        ("ask gateway:/mine", []),
        ("[" * 100_000, []),
        (None, []),
    ],
)
def test_gateway_models_are_found(written: Any, found: list[str]) -> None:
    assert sorted(gateway_models(written)) == found
