"""What the directory says of members and leavers, and that half an answer is no answer."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from directory_stub import Stub

from mlflow_sso.access_rows import Right
from mlflow_sso.account import User
from mlflow_sso.directory import PAGE, Directory, log_in
from mlflow_sso.end_access import find_gone, find_lost
from mlflow_sso.errors import ProgramError, RetryableError, TerminalError
from mlflow_sso.secrets_root import SecretsRoot


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    monkeypatch.setenv("OIDC_GROUP_NAME", "mlflow-admins,mlflow-users")
    monkeypatch.setenv("OIDC_ADMIN_GROUP_NAME", "mlflow-admins")
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            answer = stub.answer(parts.path.removeprefix("/"), query)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(answer if isinstance(answer, int) else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    yield stub
    server.shutdown()
    thread.join()
    server.server_close()


def gone(stub: Stub, *names: str, service: bool = False, bound_to: str | None = None) -> dict[str, str]:
    identities = frozenset([bound_to] if bound_to else [])
    users = [
        User(id=number, name=name, is_service_account=service, identities=identities)
        for number, name in enumerate(names)
    ]
    keycloak = directory(stub)
    return {user.name: reason for user, reason in find_gone(users, keycloak, keycloak.members())}


def directory(stub: Stub) -> Directory:
    return Directory(realm_url=stub.url, session=requests.Session(), timeout=10)


def lost(stub: Stub, name: str, *groups: str | None) -> list[str | None]:
    """Which of ``groups`` the user loses; None stands for an administrator's rights."""
    user = User(id=1, name=f"{name}@example.com", is_service_account=False)
    rights, keycloak = [Right(user=user, group=group) for group in groups], directory(stub)
    return [right.group for right in find_lost(rights, keycloak, keycloak.members())]


def test_leavers_are_named_with_reason(stub: Stub) -> None:
    stub.add("anna", "mlflow-users")
    stub.add("bert", "mlflow-admins", enabled=False)
    stub.add("carl", "contractors/mlflow-users")

    names = [f"{name}@example.com" for name in ("anna", "bert", "carl", "dora")]

    assert gone(stub, *names) == {
        "bert@example.com": "disabled",
        "carl@example.com": "in none of the groups",
        "dora@example.com": "not in the realm",
    }


def test_names_are_compared_without_case(stub: Stub) -> None:
    stub.add("anna", "mlflow-users", email="Anna@Example.com")

    assert gone(stub, "anna@example.com", "ANNA@example.com") == {}


def test_members_beyond_first_page_stay(stub: Stub) -> None:
    # Two full pages, and one more.
    for number in range(2 * PAGE + 1):
        stub.add(f"user{number}", "mlflow-users")

    assert gone(stub, *(f"user{number}@example.com" for number in range(2 * PAGE + 2))) == {
        f"user{2 * PAGE + 1}@example.com": "not in the realm"
    }


def test_service_accounts_are_matched_by_both_names(stub: Stub) -> None:
    stub.add("service-account-machines", "mlflow-users", email="machines@example.com")

    assert gone(stub, "machines@example.com", "service-account-machines") == {}
    assert gone(stub, "service-account-lost", service=True) == {"service-account-lost": "not in the realm"}


def test_local_service_accounts_stay_unless_realm_knows_them(stub: Stub) -> None:
    stub.add("anna", "mlflow-users")
    stub.add("bert", enabled=False)

    assert gone(stub, "robot", "bert@example.com", service=True) == {"bert@example.com": "disabled"}
    assert gone(stub, "robot") == {"robot": "not in the realm"}


def test_bound_accounts_follow_id_not_address(stub: Stub) -> None:
    stub.add("anna", "mlflow-users", email="new@example.com")
    stub.add("bert", "mlflow-users", email="old@example.com")

    # Its user has another address by now, and another user has the account's.
    assert gone(stub, "old@example.com", bound_to="anna") == {}
    assert gone(stub, "old@example.com", bound_to="left") == {"old@example.com": "not in the realm"}
    stub.users["anna"]["enabled"] = False
    assert gone(stub, "old@example.com", bound_to="anna") == {"old@example.com": "disabled"}


@pytest.mark.parametrize("answer", [b"null", b"", [], {}, {"enabled": True}, 500])
def test_half_answer_of_bound_user_ends_nothing(stub: Stub, answer: Any) -> None:
    stub.add("anna", "mlflow-users")
    stub.spoiled = {"users/left": answer}

    with pytest.raises(RetryableError):
        gone(stub, "old@example.com", bound_to="left")


def test_groups_are_read_once_for_rights(stub: Stub) -> None:
    stub.add("anna", "mlflow-users", "teams/vision")

    assert lost(stub, "anna", "teams/vision") == []
    # A look at the group, and two pages, of which the last is empty.
    assert [path for path in stub.asked if "vision" in path] == [
        "group-by-path/teams/vision",
        *["groups/teams~vision/members"] * 2,
    ]


def test_rights_of_left_groups_are_lost(stub: Stub) -> None:
    stub.add("anna", "mlflow-users", "teams/vision")
    stub.add("bert", "mlflow-admins", "teams/sound")

    assert lost(stub, "anna", "mlflow-users", "teams/vision", "teams/sound", None) == ["teams/sound", None]
    assert lost(stub, "bert", "mlflow-users", "mlflow-admins", "teams/vision", None) == ["mlflow-users", "teams/vision"]


def test_groups_outside_realm_are_kept(stub: Stub) -> None:
    stub.add("anna", "mlflow-users")

    assert lost(stub, "anna", "made by hand", "deleted/there") == []


def test_leavers_and_unknown_keep_rows_of_groups(stub: Stub) -> None:
    stub.add("anna", "mlflow-users", enabled=False)
    stub.add("bert", "mlflow-users", "teams/sound")

    # Their keys and sessions end; a machine that comes back finds its groups, which no login would renew.
    assert lost(stub, "anna", "teams/sound", None) == []
    assert lost(stub, "robot", "teams/sound", None) == []


def test_subgroup_keeps_group_above(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    stub.add("bert", "mlflow-users/team")
    stub.children = {"mlflow-users": ["mlflow-users~team"]}
    stub.add("carl", "mlflow-users")
    monkeypatch.setenv("MLFLOW_SSO_SUBGROUPS_OF", "mlflow-users")

    assert lost(stub, "bert", "mlflow-users", "mlflow-users/team") == []
    assert lost(stub, "carl", "mlflow-users", "mlflow-users/team") == ["mlflow-users/team"]


@pytest.mark.parametrize(("begin", "answer"), [("users/bert/groups", []), ("groups/teams~sound", [])])
def test_one_empty_answer_takes_no_right(stub: Stub, begin: str, answer: Any) -> None:
    stub.add("bert", "mlflow-users", *(["teams/sound"] if begin.startswith("groups") else []))
    stub.groups.setdefault("teams/sound", [])
    stub.spoiled = {begin: answer}

    assert lost(stub, "bert", "teams/sound") == []


def test_subgroups_count_if_asked_for(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    stub.add("anna", "mlflow-users")
    stub.add("bert", "mlflow-users/team")
    stub.children = {"mlflow-users": ["mlflow-users~team"]}

    without = gone(stub, "bert@example.com")
    monkeypatch.setenv("MLFLOW_SSO_SUBGROUPS_OF", "mlflow-users")

    assert without == {"bert@example.com": "in none of the groups"}
    assert gone(stub, "bert@example.com") == {}


def test_user_found_by_second_look_stays(stub: Stub) -> None:
    stub.add("anna", "mlflow-users")
    stub.add("bert", "mlflow-users")
    # As a list that is read while it changes.
    stub.spoiled = {"groups/mlflow-users/members": []}
    stub.add("carl", "mlflow-admins")

    assert gone(stub, "anna@example.com", "bert@example.com") == {}


@pytest.mark.parametrize(
    ("begin", "answer"),
    [
        ("groups", 500),
        ("groups", 404),
        ("group-by-path", 404),
        ("group-by-path", {}),
        ("groups", b"<html>"),
        ("groups", b'[{"id": "a"'),
        ("groups", {"error": "unknown"}),
        ("groups", [None]),
        ("groups", [{"username": "anna"}]),
        ("groups", []),
        ("users", 503),
        ("users", b""),
        # A proxy that wants a login first.
        ("users", 302),
    ],
)
def test_half_answer_ends_nothing(stub: Stub, begin: str, answer: Any) -> None:
    stub.add("anna", "mlflow-users")
    stub.spoiled = {begin: answer}

    with pytest.raises(RetryableError) as caught:
        gone(stub, "bert@example.com")

    assert caught.value.exit_code == 75


def test_empty_realm_ends_nothing(stub: Stub) -> None:
    stub.add("anna", "mlflow-users", enabled=False)

    with pytest.raises(RetryableError, match="names no member"):
        gone(stub, "anna@example.com")


def test_missing_rights_are_named(stub: Stub) -> None:
    stub.spoiled = {"group-by-path": 403}

    with pytest.raises(TerminalError, match="refuses the directory client"):
        gone(stub, "anna@example.com")


def test_server_that_is_away_ends_nothing(stub: Stub) -> None:
    stub.url = "http://127.0.0.1:1"

    with pytest.raises(ProgramError) as caught:
        gone(stub, "anna@example.com")

    assert caught.value.exit_code == 75


@pytest.mark.parametrize("address", [None, "", ["x"], "/token"])
def test_document_without_token_endpoint_is_refused(
    stub: Stub, address: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stub.spoiled["document"] = {"issuer": f"{stub.url}/realms/mlflow", "token_endpoint": address}
    monkeypatch.setenv("OIDC_DISCOVERY_URL", f"{stub.url}/document")

    with pytest.raises(TerminalError, match="the discovery document lacks token_endpoint"):
        log_in(SecretsRoot(tmp_path), 5)
