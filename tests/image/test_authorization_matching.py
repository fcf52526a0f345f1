"""A table finds what the application would route, and nothing that could be routed in another way."""

import pytest

from mlflow_sso.authorization.matching import Table, has_encoded_separator
from mlflow_sso.authorization.rules import MEMBER, Body, rest, route

TABLE = Table(
    [
        rest("GET", "/mlflow/runs/get", MEMBER),
        rest("GET", "/mlflow/traces/<trace_id>", MEMBER, versions=("3.0",)),
        rest("GET", "/mlflow/traces/batchGet", MEMBER, versions=("3.0",)),
        rest("DELETE", "/mlflow/traces/<trace_id>/tags", MEMBER, versions=("3.0",)),
        rest("GET PUT", "/mlflow-artifacts/artifacts/<path:artifact_path>", MEMBER, body=Body.FILE),
        route("GET", "/oidc/ui/", MEMBER),
        route("GET", "/", MEMBER),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "variables"),
    [
        ("GET", "/", {}),
        ("GET", "/oidc/ui/", {}),
        ("GET", "/api/2.0/mlflow/runs/get", {}),
        ("HEAD", "/ajax-api/2.0/mlflow/runs/get", {}),
        ("GET", "/api/3.0/mlflow/traces/batchGet", {}),
        ("GET", "/api/3.0/mlflow/traces/tr-1", {"trace_id": "tr-1"}),
        ("DELETE", "/api/3.0/mlflow/traces/tr-1/tags", {"trace_id": "tr-1"}),
        # A sign that begins no escape stays as it is.
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/1/a b/50%.txt", {"artifact_path": "1/a b/50%.txt"}),
    ],
)
def test_served_paths_are_found(method: str, path: str, variables: dict[str, str]) -> None:
    # when
    match = TABLE.find(method, path)

    # then
    assert match is not None
    assert match.variables == variables


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/2.0/mlflow/runs/get"),
        ("GET", "/api/2.0/mlflow/runs/get/"),
        ("GET", "/api/2.0/mlflow//runs/get"),
        ("GET", "//api/2.0/mlflow/runs/get"),
        ("GET", "/api/2.0/mlflow/./runs/get"),
        ("GET", "/api/2.0/mlflow/x/../runs/get"),
        ("GET", "/api/2.0/MLFLOW/runs/get"),
        ("GET", "/api/2.0/mlflow/runs/get\0"),
        ("GET", "/api/2.0/mlflow\\runs/get"),
        ("GET", "/api/2.0/mlflow/runs/get "),
        ("GET", "/api/2.0/mlflow/runs%2fget"),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/1/../2"),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/1/%2e%2e/2"),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/1%252f2"),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/1\n/2"),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/"),
        ("GET", "api/2.0/mlflow/runs/get"),
        ("GET", ""),
    ],
)
def test_other_paths_are_not_found(method: str, path: str) -> None:
    assert TABLE.find(method, path) is None


def test_pairs_name_each_path_once() -> None:
    # then
    assert ("GET", "/ajax-api/2.0/mlflow/runs/get") in TABLE.pairs
    with pytest.raises(ValueError, match="two rows"):
        Table([route("GET", "/", MEMBER), route("GET POST", "/", MEMBER)])


def test_encoded_separators_are_seen() -> None:
    assert has_encoded_separator(b"/ajax-api/2.0%2Fmlflow-artifacts/x")
    assert not has_encoded_separator(b"/api/a%20b")
