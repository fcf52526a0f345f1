"""Logs a browser in at the public host that it came to, of several.

The session cookie, and the state of the login in it, belong to one host, so Keycloak has to send the browser back to
the same one. The redirect URI is taken from a fixed list: a Host header of an attacker's only selects from it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

VARIABLE = "MLFLOW_SSO_REDIRECT_URIS"
"""Environment variable with the redirect URI of each public host, separated by spaces, the first the default."""


def redirect_uris(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The redirect URIs in ``environ``; empty if there is only the one of OIDC_REDIRECT_URI."""
    return tuple(environ.get(VARIABLE, "").split())


def redirect_uri_for(host: str, uris: Sequence[str]) -> str:
    """The URI of ``uris`` whose host and port are ``host``, a Host header; the first if there is none."""
    wanted = host.lower().removesuffix(":443")
    return next((uri for uri in uris if urlsplit(uri).netloc == wanted), uris[0])


def same_host(address: str, redirect_uri: str) -> str:
    """``address`` with the scheme and the host of ``redirect_uri``."""
    chosen = urlsplit(redirect_uri)
    return urlsplit(address)._replace(scheme=chosen.scheme, netloc=chosen.netloc).geturl()


def log_in_at_the_host_of_flask(uris: Sequence[str]) -> None:
    """Let the login of mlflow-oidc-auth 5.6.1 return to the host that was asked for."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from flask import request
    from mlflow_oidc_auth.views import authentication

    def chosen(configured_uri: str | None, *more: Any) -> str:
        return redirect_uri_for(request.host, uris)

    authentication.get_configured_or_dynamic_redirect_uri = chosen


def return_address_of_flask(address: str, uris: Sequence[str]) -> Callable[[], str]:
    """Where a logout of mlflow-oidc-auth 5.6.1 returns to: ``address`` at the host that was asked for."""
    # flask is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from flask import request

    return lambda: same_host(address, redirect_uri_for(request.host, uris)) if uris else address


def log_in_at_the_host_of_starlette(uris: Sequence[str]) -> None:
    """Let the login of mlflow-oidc-auth 11.0.2 return to the host that was asked for."""
    from mlflow_oidc_auth.routers import auth

    def chosen(*, request: Any, callback_path: str, configured_uri: str | None) -> str:
        return redirect_uri_for(request.headers.get("host", ""), uris)

    auth.get_configured_or_dynamic_redirect_uri = chosen
