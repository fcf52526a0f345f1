"""The administrator's login: a user of ``master`` or of the realm itself, or a service account.

Variables, each also as ``…_FILE``: ``KEYCLOAK_ADMIN`` (default ``admin``) and ``KEYCLOAK_ADMIN_PASSWORD``, or
``KEYCLOAK_ADMIN_CLIENT_ID`` and ``KEYCLOAK_ADMIN_CLIENT_SECRET``; ``KEYCLOAK_ADMIN_REALM`` (default ``master``) is the
realm that the login belongs to. ``KEYCLOAK_CACERT`` names the file of a private CA.
"""

import ssl
from pathlib import Path
from typing import Any

from keycloak import KeycloakOpenID, KeycloakOpenIDConnection
from keycloak.exceptions import KeycloakError

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.errors import BootstrapError, RefusedError, UsageError
from mlflow_bootstrap.keycloak.answers import LOGIN, reason
from mlflow_bootstrap.keycloak.connection import Api


class Session(KeycloakOpenIDConnection):
    """Logs in anew if a token has expired: a refresh token ends with its session, and a restart may end that."""

    def refresh_token(self) -> None:
        """Log in."""
        self.get_token()


def logged_in(context: Context) -> Api:
    """The realm that the settings name, after a login.

    Raises:
        UsageError: a variable is missing, or the CA's file.
        RefusedError: Keycloak does not take the login.
        UnreachableError: it does not answer.
    """
    settings = context.settings
    session = _session(settings, context.credentials)
    api = Api(session, settings.bootstrap)
    api.call("the login", _first_login, session, address(settings))
    return api


def address(settings: Settings) -> str:
    """Keycloak's base address for administration, without a slash at the end."""
    return (settings.bootstrap.keycloak_url or settings.authentication.keycloak_url).rstrip("/")


def _session(settings: Settings, credentials: Credentials) -> Session:
    patience = (settings.bootstrap.connect_timeout_seconds, settings.bootstrap.read_timeout_seconds)
    shared: dict[str, Any] = {
        "server_url": f"{address(settings)}/",
        # For the library's unused asynchronous client: trusts no authority, which saves reading all roots.
        "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        "timeout": patience,
        # Attempts are ours to count.
        "max_retries": 0,
    }
    login = _login(credentials)
    realm = credentials.text("KEYCLOAK_ADMIN_REALM", default="master")
    session = Session(**shared, **login, realm_name=settings.authentication.realm, user_realm_name=realm)
    client = {name: login[name] for name in ("client_id", "client_secret_key") if name in login}
    # Given, since the library would create one with time limits and attempts of its own.
    session._keycloak_openid = KeycloakOpenID(**shared, **client, realm_name=realm)
    session.verify = session.keycloak_openid.connection.verify = _verification(credentials)
    return session


def _login(credentials: Credentials) -> dict[str, Any]:
    client = credentials.given("KEYCLOAK_ADMIN_CLIENT_ID")
    if client:
        secret = credentials.required("KEYCLOAK_ADMIN_CLIENT_SECRET", purpose="secret of Keycloak's service account")
        return {
            "grant_type": "client_credentials",
            "client_id": client.get_secret_value(),
            "client_secret_key": secret.get_secret_value(),
        }
    user = credentials.text("KEYCLOAK_ADMIN", default="admin")
    password = credentials.required("KEYCLOAK_ADMIN_PASSWORD", purpose=f"password of Keycloak's user {user}")
    return {
        "grant_type": "password",
        "client_id": "admin-cli",
        "username": user,
        "password": password.get_secret_value(),
    }


def _verification(credentials: Credentials) -> str | bool:
    path = credentials.text("KEYCLOAK_CACERT", default="")
    if path and not Path(path).is_file():
        raise UsageError(f"there is no file {path}, which KEYCLOAK_CACERT names", remedy="check the path")
    return path or True


def _first_login(session: Session, url: str) -> None:
    try:
        session.get_token()
    except KeycloakError as error:
        # 400 is what the token endpoint says to a client that may not use the grant (RFC 6749, section 5.2).
        if error.response_code not in (400, 401, 403, 404):
            raise
        raise _refused(session, url, error) from None


def _refused(session: Session, url: str, error: KeycloakError) -> BootstrapError:
    realm = session.user_realm_name
    if error.response_code == 404:
        return RefusedError(
            f"Keycloak at {url} has no realm {realm} to log in to",
            remedy="check KEYCLOAK_ADMIN_REALM, and the path of bootstrap.keycloak_url",
        )
    return RefusedError(f"Keycloak at {url} refuses the login in realm {realm} ({reason(error)})", remedy=LOGIN)
