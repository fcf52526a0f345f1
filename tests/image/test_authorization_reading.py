"""A request is about one thing: what can be read in two ways is refused, and what clients and pages send is not."""

import json
from typing import Any

import pytest

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.matching import Match
from mlflow_sso.authorization.reading import Request, read
from mlflow_sso.authorization.rules import Kind, Rule, Where, edits, reads, rest

JSON = [(b"content-type", b"application/json")]
IDENTITIES = frozenset({"experimentid", "runid", "runuuid", "name", "modelid", "traceid"})
RUN = edits(Kind.RUN, "run_id", also=("run_uuid",))


def reading(
    rule: Rule, *, method: str = "POST", path: Any = None, query: bytes = b"", body: Any = b"", headers: Any = JSON
) -> Request:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    match = Match(rest(method, "/x", rule), path or {}, method.split()[0])
    return read(match, query=query, headers=headers, body=content, identities=IDENTITIES)


def named(rule: Rule, **request: Any) -> list[str]:
    return reading(rule, **request).values(rule.needs[0].field)


@pytest.mark.parametrize(
    "request_",
    [
        {"body": {"run_id": "mine", "run_uuid": "theirs"}},
        {"body": {"run_id": "mine", "runId": "mine"}},
        {"body": {"RUN_ID": "mine"}},
        {"body": {"run_id": "mine"}, "query": b"run_id=theirs"},
        {"body": {"run_id": "mine"}, "query": b"runId=mine"},
        {"body": {"run_id": "mine"}, "query": b"name=theirs"},
        {"body": {"run_id": "mine"}, "path": {"run_id": "theirs"}},
        {"body": {"run_id": ["mine"]}},
        {"body": {"run_id": 1}},
        {"body": {"run_id": "mi\0ne"}},
        {"body": b'{"run_id": "mine", "run_id": "theirs"}'},
        {"body": b'{"run_id": "mine", "x": {"a": 1, "a": 2}}'},
        {"body": b'{"run_id": "mine", "x": NaN}'},
        {"body": b'{"run_id": "mine", "x": 1e400}'},
        {"body": b'{"run_id": "mine", "x": [-1e999]}'},
        {"body": b'"{\\"run_id\\": \\"mine\\"}"'},
        {"body": b'["run_id"]'},
        {"body": '{"run_id": "mine"}'.encode("utf-16")},
        # A byte order mark, which some readers drop and others refuse.
        {"body": b'\xef\xbb\xbf{"run_id": "mine"}'},
        # More brackets than Python's reader of JSON descends into.
        {"body": b"[" * 100_000},
        {"body": {"run_id": "mine"}, "headers": []},
        {"body": {"run_id": "mine"}, "headers": [(b"content-type", b"text/plain")]},
        {"body": {"run_id": "mine"}, "headers": JSON * 2},
        {"body": {"run_id": "mine"}, "headers": [(b"content-type", b"application/json; charset=utf-16")]},
        {"body": {"run_id": "mine"}, "headers": [*JSON, (b"content-encoding", b"gzip")]},
        {"body": b"run_id=mine", "headers": [(b"content-type", b"application/x-www-form-urlencoded")]},
        {"method": "GET", "query": b"run_id=mine&run_id=theirs"},
        {"method": "GET", "query": b"run_id=mine&runId=theirs"},
        {"method": "GET", "query": b"run_id=mine", "body": {"run_id": "theirs"}},
        {"method": "GET", "query": b"run_id=%ff"},
        {"method": "DELETE", "query": b"run_id=mine", "body": {"run_id": "theirs"}, "headers": []},
    ],
)
def test_ambiguous_requests_are_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        named(RUN, **request_)


@pytest.mark.parametrize(
    "request_",
    [
        {"body": {"run_id": "r", "run_uuid": "r", "key": "loss"}},
        {"body": {"run_uuid": "r"}},
        {"body": {"run_id": "r"}, "headers": [(b"content-type", b"application/json; charset=UTF-8")]},
        {"body": {"run_id": "r"}, "query": b"service=true"},
        {"body": {"run_id": "r"}, "path": {"run_id": "r"}},
        {"method": "GET", "query": b"run_id=r&path=a"},
        {"method": "GET", "query": b"run_uuid=r"},
    ],
)
def test_clients_requests_name_one_thing(request_: dict[str, Any]) -> None:
    assert named(RUN, **request_) == ["r"]


def test_nested_fields_are_read() -> None:
    # given
    rule = reads(Kind.LOGGED_MODEL, "models[].model_id")

    # when
    found = named(rule, body={"models": [{"model_id": "a"}, {"model_id": "b"}]})

    # then
    assert found == ["a", "b"]
    with pytest.raises(RefusedError):
        named(rule, body={"models": [{"model_id": "a"}, {"modelId": "b", "model_id": "c"}]})


def test_lists_are_read_from_queries() -> None:
    assert named(reads(Kind.RUN, "run_ids[]"), method="GET", query=b"run_ids=a&run_ids=b") == ["a", "b"]


def test_path_fields_must_agree_with_bodies() -> None:
    # given
    rule = edits(Kind.TRACE, "trace_id", where=Where.PATH)

    # then
    assert named(rule, path={"trace_id": "t"}, body={"key": "k"}) == ["t"]
    with pytest.raises(RefusedError):
        named(rule, path={"trace_id": "t"}, body={"trace_id": "other"})
