"""Tags that the server believes are set by no client, on any route; both releases' sources say which they are."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pod import ROOT, Venv
from test_authorization_decision import ANNA, API, INFO, TRACE, V3, decide
from test_authorization_decision import ROOT as ADMINISTRATOR

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.matching import Table
from mlflow_sso.authorization.release_3_6_0 import TABLE
from mlflow_sso.authorization.release_3_17_2.table import table
from mlflow_sso.authorization.reserved_tags import BELIEVED, SHOWN

TABLES = {"3.6.0": TABLE, "3.17.2": table(ai_gateway=True)}
KEY = re.compile(r"_?mlflow[._][A-Za-z_.]*[A-Za-z]")
CONSTANTS = ("utils/mlflow_tags.py", "tracing/constant.py", "prompt/constants.py")
READERS = ("server", "store", "entities")
NO_TAGS = re.compile(
    # Modules and what they hold, groups of entry points, a label of containers.
    r"mlflow\.(server|entities|genai|sandbox)(\..*)?|mlflow\.(app|app\.client|artifact_repository|job_executors)"
)

PLACES = """
import json, sys
from google.protobuf.descriptor import FieldDescriptor
from mlflow.server import handlers
from mlflow_sso.authorization.matching import VARIABLE
from mlflow_sso.authorization.release_{name} import {table}
from mlflow_sso.authorization.rules import Access, Form
ENTRY = {{"key", "value"}}
def places(descriptor, path="", depth=0):
    if ENTRY <= {{field.name for field in descriptor.fields}} and descriptor.name.startswith("Set"):
        yield ""
    for field in descriptor.fields:
        inner = field.message_type
        if inner is None or depth > 4:
            continue
        # The newer protobuf has no label.
        several = getattr(field, "is_repeated", None)
        several = field.label == FieldDescriptor.LABEL_REPEATED if several is None else several
        if {{one.name for one in inner.fields}} == ENTRY:
            yield path + field.name
        else:
            yield from places(inner, path + field.name + ("[]." if several else "."), depth + 1)
missing = {{}}
endpoints = [(path, cls, method) for cls in handlers.HANDLERS
             for path, known, methods in handlers.get_endpoints(lambda asked, cls=cls: cls if asked is cls else None)
             for method in methods if known is cls and method != "GET"]
for path, cls, method in endpoints:
    rule = {rows}.find(method, VARIABLE.sub("x", path.replace("<string:", "<"))).route.rule
    judged = {{value.field.path for value in rule.values if value.form in (Form.TAG, Form.NEW_TAG)}}
    left = set(places(cls.DESCRIPTOR)) - judged
    if left and rule.access is Access.MEMBER:
        missing[cls.__name__] = sorted(left)
print(json.dumps(missing))
"""
OTHER_PAIRS = {"params", "attributes", "fields", "secret_value", "auth_config"}
"""What also has keys and values: parameters, attributes of spans, values of assessments, secrets."""


def sources(venv: Venv) -> Path:
    found = next(venv.path.glob("lib/python3.*/site-packages/mlflow"), None)
    if found is None:
        pytest.skip(f"{venv.path.name} is missing; make setup-image installs MLflow's sources")
    return found


def constants(file: Path, *, assigned: bool) -> Iterator[str]:
    """Texts of ``file`` that could be reserved keys; those that get a name only, if ``assigned``."""
    for node in ast.walk(ast.parse(file.read_text())):
        value = node.value if isinstance(node, ast.Assign) and assigned else node
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and KEY.fullmatch(value.value):
            yield value.value


def known_keys() -> set[str]:
    return {*BELIEVED, *(key for keys in SHOWN.values() for key in keys.split())}


@pytest.mark.servers
@pytest.mark.parametrize("release", TABLES)
def test_reserved_keys_are_all_known(release: str) -> None:
    mlflow = sources(Venv(release=release))

    found = {key for name in CONSTANTS for key in constants(mlflow / name, assigned=True)}
    read = {
        key for room in READERS for file in (mlflow / room).rglob("*.py") for key in constants(file, assigned=False)
    }

    assert sorted(found - known_keys()) == [], "say in authorization/reserved_tags.py what the server does with it"
    plain = {key for key in read - known_keys() if key.startswith("mlflow.") and not NO_TAGS.fullmatch(key)}
    assert sorted(plain) == [], "the server reads a tag that authorization/reserved_tags.py does not know"
    assert len(found) > 80


@pytest.mark.servers
def test_reserved_keys_are_upstreams() -> None:
    roots = [sources(Venv(release=release)) for release in TABLES]

    found = {key for root in roots for name in CONSTANTS for key in constants(root / name, assigned=True)}

    assert sorted(known_keys() - found) == []


def test_reserved_keys_are_listed_once() -> None:
    keys = [*BELIEVED, *(key for several in SHOWN.values() for key in several.split())]

    assert len(keys) == len(set(keys))


@pytest.mark.servers
def test_every_place_of_tags_is_judged(venv: Venv, tmp_path: Path) -> None:
    name, rows = ("3_6_0", "TABLE") if venv.release == "3.6.0" else ("3_17_2.table", "table(ai_gateway=True)")
    script = PLACES.format(name=name, table=rows.partition("(")[0], rows=rows)

    done = run(venv, script, tmp_path)

    # The server keeps no key of its own on an endpoint of the AI gateway.
    left = {cls: place for cls, places in done.items() for place in places if cls != "SetGatewayEndpointTag"}
    assert {cls: place for cls, place in left.items() if place.rpartition(".")[2] not in OTHER_PAIRS} == {}


def run(venv: Venv, script: str, folder: Path) -> Any:
    environment = {"PYTHONPATH": str(ROOT / "image"), "HOME": str(folder), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [venv.python, "-W", "ignore", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


RUN, OTHERS_RUN = "run2", "run9"
ROUTES = [
    ("POST", f"{API}/experiments/create", {"name": "x"}, "tags"),
    ("POST", f"{API}/experiments/set-experiment-tag", {"experiment_id": "1"}, ""),
    ("POST", f"{API}/runs/create", {"experiment_id": "1"}, "tags"),
    ("POST", f"{API}/runs/set-tag", {"run_id": "run1"}, ""),
    ("POST", f"{API}/runs/log-batch", {"run_id": "run1"}, "tags"),
    ("POST", f"{API}/runs/log-inputs", {"run_id": "run1"}, "datasets[].tags"),
    ("POST", f"{API}/logged-models", {"experiment_id": "1"}, "tags"),
    ("PATCH", f"{API}/logged-models/m-1/tags", {}, "tags"),
    ("POST", f"{API}/registered-models/create", {"name": "new"}, "tags"),
    ("POST", f"{API}/registered-models/set-tag", {"name": "mine"}, ""),
    ("POST", f"{API}/model-versions/create", {"name": "mine", "source": "runs:/run1/m"}, "tags"),
    ("POST", f"{API}/model-versions/set-tag", {"name": "mine", "version": "1"}, ""),
    ("POST", f"{API}/traces", {"experiment_id": "1"}, "tags"),
    ("POST", f"{API}/traces", {"experiment_id": "1"}, "request_metadata"),
    ("PATCH", f"{API}/traces/{TRACE}", {"status": "OK"}, "tags"),
    ("PATCH", f"{API}/traces/{TRACE}", {"status": "OK"}, "request_metadata"),
    ("PATCH", f"{API}/traces/{TRACE}/tags", {}, ""),
    ("PATCH", f"{V3}/traces/{TRACE}/tags", {}, ""),
    ("POST", f"{V3}/traces", {}, "trace.trace_info{tags}"),
    ("POST", f"{V3}/traces", {}, "trace.trace_info{trace_metadata}"),
    ("POST", f"{V3}/traces", {}, "trace.trace_info{assessments[].metadata}"),
    ("POST", f"{V3}/traces/{TRACE}/assessments", {}, "assessment{metadata}"),
    ("PATCH", f"{V3}/traces/{TRACE}/assessments/a-1", {}, "assessment{metadata}"),
    ("POST", f"{V3}/datasets/create", {"name": "x", "experiment_ids": ["1"]}, "text"),
]
"""Each route that stores tags: method, path, the rest of its body, and where the tags stand."""


def body_with(rest: dict[str, Any], place: str, key: str, value: Any) -> dict[str, Any]:
    pair = {"key": key, "value": value}
    match place:
        case "":
            return {**rest, **pair}
        case "text":
            return {**rest, "tags": json.dumps({key: value})}
        case "datasets[].tags":
            return {**rest, "datasets": [{"tags": [pair]}]}
        case "trace.trace_info{tags}":
            return {"trace": {"trace_info": {**INFO, "tags": {key: value}}}}
        case "trace.trace_info{trace_metadata}":
            return {"trace": {"trace_info": {**INFO, "trace_metadata": {key: value}}}}
        case "trace.trace_info{assessments[].metadata}":
            return {"trace": {"trace_info": {**INFO, "assessments": [{"metadata": {key: value}}]}}}
        case "assessment{metadata}":
            return {"assessment": {"metadata": {key: value}}}
        case _:
            return {**rest, place: [pair]}


HOSTILE = [
    ("mlflow.artifactLocation", "mlflow-artifacts:/9/x"),
    ("mlflow.artifactLocation", "file:///etc"),
    ("mlflow.artifactLocation", None),
    ("MLflow.ArtifactLocation", "mlflow-artifacts:/1/x"),
    ("mlflow.trace.archiveLocation", "mlflow-artifacts:/1/x"),
    ("mlflow.trace.archiveLocation", "s3://shared/models"),
    ("mlflow.trace.archivalFailure", "MALFORMED_TRACE"),
    ("mlflow.trace.archiveNow", "{}"),
    ("mlflow.trace.spansLocation", "ARCHIVE_REPO"),
    ("mlflow.trace.spans_location", "TRACKING_STORE"),
    ("mlflow.sourceRun", OTHERS_RUN),
    ("mlflow.assessment.sourceRunId", OTHERS_RUN),
    ("mlflow.modelId", "m-9"),
    ("mlflow.gateway.endpointId", "e-1"),
    ("mlflow.auth.username", "bert"),
    ("mlflow.latestOnlineScoring.trace.checkpoint", "{}"),
    ("mlflow.prompt.is_prompt", "TRUE"),
    ("MLFLOW.PROMPT.IS_PROMPT", "true"),
]


@pytest.mark.parametrize(("key", "value"), HOSTILE)
@pytest.mark.parametrize(("method", "path", "rest", "place"), ROUTES)
def test_believed_tags_are_refused_everywhere(
    method: str, path: str, rest: dict[str, Any], place: str, key: str, value: Any, owned_trace: None
) -> None:
    with pytest.raises(RefusedError) as refused:
        decide(method, path, body_with(rest, place, key, value))

    assert refused.value.status in (400, 403)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mlflow.artifactLocation", f"mlflow-artifacts:/1/traces/{TRACE}/artifacts"),
        ("mlflow.trace.spansLocation", "TRACKING_STORE"),
        ("mlflow.sourceRun", RUN),
        ("mlflow.sourceRun", "of-another-server"),
        ("mlflow.assessment.sourceRunId", RUN),
        ("mlflow.modelId", "m-1"),
        ("mlflow.parentRunId", OTHERS_RUN),
        ("mlflow.user", "anna"),
        ("mlflow.note.content", "mlflow.artifactLocation"),
        ("mlflow.loggedArtifacts", '[{"path": "x.json", "type": "table"}]'),
        ("mlflow.invented.tomorrow", "x"),
        ("plain", "x"),
    ],
)
@pytest.mark.parametrize(("method", "path", "rest", "place"), ROUTES)
def test_clients_tags_are_allowed_everywhere(
    method: str, path: str, rest: dict[str, Any], place: str, key: str, value: Any, owned_trace: None
) -> None:
    assert decide(method, path, body_with(rest, place, key, value)).caller == ANNA


@pytest.mark.parametrize("release", TABLES)
def test_kind_of_model_is_set_at_creation(release: str) -> None:
    rows, tag = TABLES[release], {"key": "mlflow.prompt.is_prompt", "value": "true"}
    version = {"name": "mine", "source": "dummy-source", "tags": [tag]}

    assert ask(rows, "POST", "registered-models/create", {"name": "new", "tags": [tag]}) is None
    assert ask(rows, "POST", "model-versions/create", version) is None
    for kind in ("registered-models", "model-versions"):
        named = {"name": "mine", "version": "1"}
        assert ask(rows, "POST", f"{kind}/set-tag", {**named, **tag}) == 403
        assert ask(rows, "DELETE", f"{kind}/delete-tag", {**named, "key": tag["key"]}) == 403
        assert ask(rows, "DELETE", f"{kind}/delete-tag", {**named, "key": "mlflow.prompt.IS_PROMPT"}) == 403
        assert ask(rows, "DELETE", f"{kind}/delete-tag", {**named, "key": "plain"}) is None


@pytest.mark.parametrize("release", TABLES)
def test_administrators_set_no_location_either(release: str) -> None:
    body = {"key": "mlflow.trace.archiveLocation", "value": "file:///etc"}

    assert ask(TABLES[release], "PATCH", f"traces/{TRACE}/tags", body, caller=ADMINISTRATOR) == 403


def ask(rows: Table, method: str, path: str, body: Any, *, caller: Any = ANNA) -> int | None:
    """The status of a refusal, or None."""
    try:
        decide(method, f"{API}/{path}", body, table=rows, caller=caller)
    except RefusedError as refused:
        return int(refused.status)
    return None


@pytest.fixture
def owned_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trace of the caller's, which the table of owners otherwise does not have: there it is a new one."""
    import test_authorization_decision as decision

    from mlflow_sso.authorization.rules import Kind

    monkeypatch.setitem(decision.OWNERS, (Kind.TRACE, TRACE), ("1",))
