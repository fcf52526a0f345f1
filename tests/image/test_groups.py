"""Groups come by their whole path, so that a namesake deeper in the tree is another group."""

import pytest
from web_tokens import part

from mlflow_sso.groups import allowed_groups, get_user_groups, group_names


def token(claims: object) -> str:
    # ``e30`` is an empty header; the signature has been checked before.
    return f"e30.{part(claims)}.signature"


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/mlflow-admins", "/mlflow-users"], ["mlflow-admins", "mlflow-users"]),
        (["/contractors/mlflow-admins"], ["contractors/mlflow-admins"]),
        (["mlflow-admins"], []),
        (["//mlflow-admins", "/", ""], ["/mlflow-admins"]),
        ([{"path": "/mlflow-admins"}, None, 1, ["/mlflow-admins"]], []),
        (["/mlflow-users/team"], ["mlflow-users/team"]),
    ],
)
def test_names_follow_from_paths(paths: list[object], names: list[str]) -> None:
    assert group_names(paths) == names


def test_subgroups_count_only_if_asked_for() -> None:
    paths = ["/mlflow-users/team/a", "/mlflow-users-of-others/team", "/x/mlflow-users/team"]

    assert "mlflow-users" not in group_names(paths)
    assert group_names(paths[:1], subgroups_of="mlflow-users") == ["mlflow-users/team/a", "mlflow-users"]
    assert "mlflow-users" not in group_names(paths[1:], subgroups_of="mlflow-users")


def test_names_without_path_count_during_upgrade_only(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = token({"groups": ["mlflow-users", "/mlflow-admins"]})

    before = get_user_groups(claims)
    monkeypatch.setenv("MLFLOW_SSO_ACCEPT_OLD_TOKENS", "true")

    assert before == ["mlflow-admins"]
    assert get_user_groups(claims) == ["mlflow-users", "mlflow-admins"]


@pytest.mark.parametrize("broken", ["", "a.b", "a.!!!.c", token([]), token({}), token({"groups": {"/a": 1}})])
def test_unreadable_token_has_no_groups(broken: str) -> None:
    assert get_user_groups(broken) == []


def test_group_that_is_text_is_one_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_GROUPS_ATTRIBUTE", "teams")

    assert get_user_groups(token({"teams": "/mlflow-users", "groups": ["/other"]})) == ["mlflow-users"]


def test_allowed_groups_are_those_of_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_GROUP_NAME", "admins, teams/ml,")
    monkeypatch.setenv("OIDC_ADMIN_GROUP_NAME", "admins")

    assert allowed_groups() == {"admins", "teams/ml"}
