"""Which claims make a token of the realm one of ours."""

from types import ModuleType
from typing import Any

import pytest

from mlflow_sso.patches.bearer_tokens import RefusedTokenError, check_tokens, problem_of

ISSUER = "https://auth.example.com/realms/mlflow"
CLAIMS = {
    "typ": "Bearer",
    "iss": ISSUER,
    "aud": ["account", "mlflow"],
    "exp": 2_000_000_000,
    "email": "Grace@Example.com",
    "groups": ["/mlflow-users"],
}


def problem(audience: str | None = "mlflow", **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return problem_of(claims, audience=audience, issuer=ISSUER, groups=frozenset({"mlflow-users"})) or ""


@pytest.mark.parametrize("audience", ["mlflow", ["mlflow"], ["account", "mlflow"]])
def test_access_token_for_us_is_accepted(audience: object) -> None:
    assert problem(aud=audience) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"typ": "ID"}, "access token"),
        ({"typ": "Refresh"}, "access token"),
        ({"typ": None}, "access token"),
        ({"typ": ["Bearer"]}, "access token"),
        # A slash more is another issuer (OpenID Connect Core, section 3.1.3.7).
        ({"iss": ISSUER + "/"}, "another realm"),
        ({"iss": "http://auth.example.com/realms/mlflow"}, "another realm"),
        ({"iss": None}, "another realm"),
        ({"iss": [ISSUER]}, "another realm"),
        ({"aud": None}, "audience"),
        ({"aud": "account"}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": "mlflow-other"}, "audience"),
        ({"aud": {"mlflow": 1}}, "audience"),
        ({"exp": None}, "expires"),
        ({"email": None}, "e-mail"),
        ({"email": " "}, "e-mail"),
        ({"email": "grace\0@example.com"}, "e-mail"),
        ({"email": ["grace@example.com"]}, "e-mail"),
        ({"groups": None}, "groups"),
        # Without a slash it is no path of Keycloak's.
        ({"groups": ["mlflow-users"]}, "groups"),
        ({"groups": ["/contractors/mlflow-users"]}, "groups"),
    ],
)
def test_every_other_token_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert reason in problem(**changes)


def test_no_audience_in_settings_accepts_nothing() -> None:
    assert "audience" in problem(audience="", aud="")


def test_old_tokens_need_no_audience_but_all_else() -> None:
    assert problem(audience=None, aud=None) == ""
    assert "access token" in problem(audience=None, typ="ID")


def test_modules_share_check_and_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"OIDC_AUDIENCE": "mlflow", "OIDC_ISSUER": ISSUER, "OIDC_GROUP_NAME": "mlflow-users"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    one, other = ModuleType("one"), ModuleType("other")
    one.validate_token = other.validate_token = lambda token: dict(CLAIMS, typ=token)  # type: ignore[attr-defined]

    check_tokens(one, other, read_keys_again=str)

    assert other.validate_token("Bearer")["email"] == "grace@example.com"
    with pytest.raises(RefusedTokenError, match="access token"):
        one.validate_token("ID")
