"""No pattern of a grant, and no name that it is compared with, holds a worker; common patterns match as before."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from pod import Pod
from serving import API, SETTINGS, Serving, make_users, mount_server_secrets

from mlflow_sso.patterns import matches, problem_of

LONG = "a" * 60

COMMON = (
    "team-.*",
    "^team-",
    ".*-model$",
    "(dev|prod)-.*",
    "^(?!secret-).*",
    "(?i)TEAM-.*",
    "team-[0-9]{2,4}",
    "team-a|team-b",
    "(?:a|b)+x",
    "(team-)+a",
    ".*a.*b.*c.*",
    r"\w+-\d+$",
    "",
)
NAMES = (
    "team-a",
    "team-12",
    "my-model",
    "dev-x",
    "secret-x",
    "TEAM-x",
    "team-team-a",
    "abx",
    "xaxbxcx",
    "äö-7",
    "",
    "é\n",
)

SLOW = ("(a+)+$", "(a|a)*$", "(a|aa)+$", "(a*)*b", "(.*)*x", ".*.*.*.*.*.*.*.*x", "(a?){30}a{30}$", "([a-z]+-?)+$")


@pytest.mark.parametrize("pattern", COMMON)
def test_common_patterns_match_as_before(pattern: str) -> None:
    assert problem_of(pattern) is None
    assert [matches(pattern, name) for name in NAMES] == [re.match(pattern, name) is not None for name in NAMES]


# Each takes Python's own engine years.
@pytest.mark.parametrize("pattern", SLOW)
def test_slow_patterns_are_quick(pattern: str) -> None:
    assert matches(pattern, f"{LONG * 8}!") is False


@pytest.mark.parametrize("pattern", [r"(a+)+\1$", "(?!x)(a|aa)+$", "(?<=a)(a+)+$", "(a+)+[[a]"])
def test_slow_patterns_beyond_engine_match_nothing(pattern: str) -> None:
    assert problem_of(pattern)
    assert matches(pattern, LONG) is False


@pytest.fixture(scope="module")
def served(migrated_once: Pod, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, dict[str, str]]]:
    """A server whose user ``root`` administers, and the access keys."""
    pod = replace(migrated_once, settings=SETTINGS).copy(tmp_path_factory.mktemp("patterns"))
    mount_server_secrets(pod)
    keys = make_users(pod, "root", "anna", "bert")
    pod.database.query("UPDATE users SET is_admin = (username = 'root@example.com')", service="mlflow_auth")
    with Serving(pod=pod) as server:
        yield server.wait(), keys


@pytest.mark.servers
@pytest.mark.parametrize("holder", ["users/bert@example.com", "users/anna@example.com"])
def test_name_of_member_holds_no_worker(served: tuple[Serving, dict[str, str]], holder: str) -> None:
    server, keys = served
    clients = {name: server.client(name, keys[name]) for name in keys}
    path = f"{API}/permissions/{holder}/experiment-patterns"
    grant = {"regex": "(a|aa)+$", "priority": 1, "permission": "READ"}

    refused = clients["bert"].post(path, json=grant)
    clients["root"].post(path, json=grant).raise_for_status()
    made = clients["anna"].post(f"{API}/experiments/create", json={"name": f"{LONG}{secrets.token_hex(4)}!"})
    found = clients["bert"].get(f"{API}/experiments/search?max_results=100")

    assert (refused.status_code, made.status_code, found.status_code) == (403, 200, 200), found.text
    assert LONG not in found.text
    assert httpx.get(server.health_url, timeout=30).status_code == 200


@pytest.mark.servers
def test_pattern_that_matches_nothing_is_refused(served: tuple[Serving, dict[str, str]]) -> None:
    server, keys = served
    path = f"{API}/permissions/users/bert@example.com/experiment-patterns"

    with server.client("root", keys["root"]) as root:
        answer = root.post(path, json={"regex": r"(a|aa)+\1$", "priority": 1, "permission": "READ"})

    assert answer.status_code == 400, answer.text
    assert "pattern" in answer.text
