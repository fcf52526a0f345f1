"""The redirect URI of a login at one of several public hosts."""

import pytest

from mlflow_sso.patches.public_hosts import redirect_uri_for, redirect_uris, same_host

URIS = (
    "https://mlflow.example.com/callback",
    "https://ml.example.org/callback",
    "https://ml.example.org:8443/callback",
)


@pytest.mark.parametrize(
    ("host", "uri"),
    [
        ("mlflow.example.com", URIS[0]),
        ("ml.example.org", URIS[1]),
        # Names of hosts have no case.
        ("ML.Example.org", URIS[1]),
        # The port that https has without one.
        ("ml.example.org:443", URIS[1]),
        ("ml.example.org:8443", URIS[2]),
        # From here on no host of the list, so the first one is taken.
        ("evil.example.net", URIS[0]),
        ("ml.example.org.evil.net", URIS[0]),
        # What comes before an @ is a login and not the host.
        ("ml.example.org@evil.net", URIS[0]),
        ("", URIS[0]),
    ],
)
def test_redirect_uri_is_one_of_list(host: str, uri: str) -> None:
    assert redirect_uri_for(host, URIS) == uri


def test_redirect_uris_are_absent_with_one_host() -> None:
    assert redirect_uris({}) == ()
    assert redirect_uris({"MLFLOW_SSO_REDIRECT_URIS": " ".join(URIS)}) == URIS


def test_same_host_keeps_path() -> None:
    assert same_host("https://mlflow.example.com/oidc/ui/auth", URIS[2]) == "https://ml.example.org:8443/oidc/ui/auth"
