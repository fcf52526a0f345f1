"""Ends Keycloak's session with the server's, for the release that ends only its own.

After a logout of mlflow-oidc-auth 5.6.1 the next click on the login button comes back logged in, without a password.
The address, and what it takes, are those of OpenID Connect RP-Initiated Logout 1.0.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

ID_TOKEN = "id_token"  # noqa: S105  (a key of the session, which stays on the server)

View = Callable[[], Any]


def log_out_of_keycloak(*, return_to: Callable[[], str]) -> None:
    """Let ``/logout`` lead through Keycloak, and from there to what ``return_to`` says, which its client must allow."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow.server import app
    from mlflow_oidc_auth import auth

    auth.handle_token_validation = _remembering(auth.handle_token_validation)
    app.view_functions["logout"] = _through_keycloak(app.view_functions["logout"], return_to)


def _remembering(validate: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Keep the ID token: with it Keycloak knows who leaves, and does not ask whether they mean it."""
    # flask is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from flask import session

    def validated(oauth: Any) -> Any:
        token = validate(oauth)
        if token:
            session[ID_TOKEN] = token.get("id_token")
        return token

    return validated


def _through_keycloak(logout: View, return_to: Callable[[], str]) -> View:
    from flask import redirect, session

    def logged_out() -> Any:
        hint = session.get(ID_TOKEN)
        answer = logout()
        address = _end_session_endpoint()
        return redirect(_with_parameters(address, hint, return_to())) if address else answer

    return logged_out


def _end_session_endpoint() -> str | None:
    """Keycloak's address for it; None while Keycloak does not answer; then only the server's session ends."""
    from mlflow.server import app
    from mlflow_oidc_auth.auth import get_oauth_instance
    from requests import RequestException

    try:
        metadata = get_oauth_instance(app).oidc.load_server_metadata()
    except (RequestException, ValueError):
        return None
    address: str | None = metadata.get("end_session_endpoint")
    return address


def _with_parameters(address: str, hint: str | None, return_to: str) -> str:
    from mlflow_oidc_auth.config import config

    parameters = {"client_id": config.OIDC_CLIENT_ID, "post_logout_redirect_uri": return_to}
    return f"{address}?{urlencode(parameters | ({'id_token_hint': hint} if hint else {}))}"
