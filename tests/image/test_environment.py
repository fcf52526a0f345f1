"""What the server's process gets as environment, and what of it the log may show."""

from pathlib import Path

import pytest

from mlflow_sso.releases import RELEASES
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.serve.environment import redis_url, server_variables, shown

RELEASE = RELEASES["3.6.0"]


@pytest.fixture
def root(tmp_path: Path) -> SecretsRoot:
    # ``..data`` is the kubelet's link to the current files of a Secret.
    for name, text in {"oidc/OIDC_CLIENT_SECRET": "one\n", "server/SECRET_KEY": "two", "server/..data": ""}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return SecretsRoot(tmp_path)


def test_service_link_variables_are_dropped(root: SecretsRoot) -> None:
    links = {
        "MLFLOW_PORT": "tcp://10.0.0.1:80",
        "REDIS_PORT_6379_TCP": "tcp://10.0.0.2:6379",
        "A_PORT": "udp://[::1]:1",
    }
    # As settings these are numbers, and names that only look alike.
    real = {"REDIS_PORT": "6380", "MLFLOW_SERVICE_HOST": "10.0.0.1", "DATABASE_PORTAL": "tcp://x"}

    assert not links.keys() & server_variables(RELEASE, root, {**links}).keys()
    assert server_variables(RELEASE, root, real).items() >= real.items()


def test_mounted_secrets_become_variables_without_newline(root: SecretsRoot) -> None:
    variables = server_variables(RELEASE, root, {})

    assert variables["OIDC_CLIENT_SECRET"] == "one"
    assert variables["SECRET_KEY"] == "two"
    assert [name for name in variables if "data" in name.lower()] == []


def test_mounted_secret_wins_over_environment(root: SecretsRoot) -> None:
    assert server_variables(RELEASE, root, {"SECRET_KEY": "from elsewhere"})["SECRET_KEY"] == "two"


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"REDIS_HOST": "redis"}, "redis://redis:6379/0"),
        ({"REDIS_HOST": "redis", "REDIS_PASSWORD": "a/b@c:d"}, "redis://:a%2Fb%40c%3Ad@redis:6379/0"),
        (
            {"REDIS_HOST": "r", "REDIS_SSL": "True", "REDIS_USERNAME": "u", "REDIS_PORT": "1", "REDIS_DB": "4"},
            "rediss://u:@r:1/4",
        ),
    ],
)
def test_redis_address_is_escaped(variables: dict[str, str], url: str) -> None:
    assert redis_url(variables) == url


def test_log_shows_only_named_settings() -> None:
    settings = {
        "MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2://mlflow:s3cr3t@db/mlflow",
        "OIDC_CLIENT_SECRET": "s3cr3t",
        "CACHE_REDIS_URL": "redis://:s3cr3t@redis/0",
        "OIDC_SCOPE": "openid groups",
    }

    assert shown(settings) == {
        "MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2://db/mlflow",
        "OIDC_SCOPE": "openid groups",
    }


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (
            {
                "OIDC_DISCOVERY_URL": "https://auth/realms/a/.well-known/openid-configuration",
                "OIDC_CLIENT_ID": "mlflow",
            },
            ("https://auth/realms/a", "mlflow", "true"),
        ),
        (
            {
                "OIDC_ISSUER": "https://b",
                "OIDC_AUDIENCE": "other",
                "OIDC_REDIRECT_URI": "http://127.0.0.1:5000/callback",
            },
            ("https://b", "other", "false"),
        ),
        (
            {"OIDC_CLIENT_ID": "mlflow", "OIDC_AUDIENCE": "mlflow", "MLFLOW_SSO_ACCEPT_OLD_TOKENS": "true"},
            ("", "", "true"),
        ),
    ],
)
def test_logins_are_bound_to_realm_client_and_https(
    root: SecretsRoot, given: dict[str, str], found: tuple[str, str, str]
) -> None:
    variables = server_variables(RELEASE, root, given)

    names = ("OIDC_ISSUER", "OIDC_AUDIENCE", "SESSION_COOKIE_SECURE")
    assert tuple(variables[name] for name in names) == found
