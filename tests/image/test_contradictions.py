"""A request is about one thing: what names two is refused, and what clients and pages send is not."""

from typing import Any

import pytest

from mlflow_sso.serve.contradictions import contradiction

Parts = dict[str, Any]


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ({"prompt_name": "theirs"}, {}, {"name": "mine", "permission": "MANAGE"}),
        ({}, {"name": "mine"}, {"name": "theirs", "key": "k", "value": "v"}),
        ({}, {"experiment_id": "1"}, {"experimentId": "2"}),
        ({}, {"experiment_name": "mine"}, {"experiment_id": "2"}),
        ({}, {}, {"experiment_name": "2", "experimentId": "2"}),
        ({}, {}, {"run_uuid": "mine", "runId": "theirs", "key": "k"}),
        ({}, {"run_id": "mine"}, {"key": "k", "info": {}}),
        ({"model_id": "theirs"}, {"model_id": "mine"}, {"status": "READY"}),
        ({"prompt_name": "theirs"}, {"name": "mine"}, {}),
    ],
)
def test_what_names_two_things_is_refused(path: Parts, query: Parts, body: Parts) -> None:
    assert contradiction(path, query, body) is not None


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ({}, {}, {"run_uuid": "r", "run_id": "r", "key": "loss", "value": 0.5, "step": 1}),
        ({}, {}, {"run_id": "r", "metrics": [{"key": "a"}, {"key": "b"}], "params": [], "tags": []}),
        ({"username": "u", "prompt_name": "p"}, {}, {"permission": "READ"}),
        ({"username": "u", "name": "m"}, {}, {"name": "m", "permission": "READ"}),
        ({}, {}, {"name": "m", "new_name": "n"}),
        ({}, {}, {"experiment_ids": ["1", "2"], "filter": "", "max_results": 5}),
        ({}, {"workspace": "w"}, {"experiment_id": "1", "name": "scorer"}),
        ({}, {"run_id": "r", "path": "a"}, {}),
        ({}, {}, {"operationName": "GetRun", "variables": {"data": {"runId": "r"}}, "query": "query"}),
    ],
)
def test_what_clients_and_pages_send_passes(path: Parts, query: Parts, body: Parts) -> None:
    assert contradiction(path, query, body) is None
