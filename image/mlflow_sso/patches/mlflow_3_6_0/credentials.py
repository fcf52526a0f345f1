"""Answers 401, with the reason, to credentials that open nothing: for the release that answers 500 to some.

mlflow-oidc-auth 5.6.1 looks a user up only after it has accepted the credentials, so that a token of an unknown user,
a scheme that it does not know and a name in capital letters end with an error of its own. It also asks the session who
the user is before it asks the Authorization header.
"""

import logging
from typing import Any

log = logging.getLogger("uvicorn")

SCHEMES = ("basic", "bearer")
UNREADABLE = "the Authorization header cannot be read; use Basic with user name and access key, or Bearer"
UNKNOWN_USER = "this user is not known yet; log in once with a browser, or ask an administrator to add the user"


def reject_bad_credentials() -> None:
    """Look at each request's credentials before the plugin does, and give its refusals a reason."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow.server import app
    from mlflow_oidc_auth import auth, responses
    from mlflow_oidc_auth.hooks import before_request

    app.before_request_funcs.setdefault(None, []).insert(0, rejection)
    auth.authenticate_request_bearer_token = before_request.authenticate_request_bearer_token = _authenticate_bearer
    responses.make_auth_required_response = _auth_required


def rejection() -> Any:
    """The answer to a request whose Authorization header names no scheme of ours; None for every other."""
    from flask import request
    from mlflow_oidc_auth.hooks.before_request import _is_unprotected_route

    if "Authorization" not in request.headers or _is_unprotected_route(request.path):
        return None
    given = request.authorization
    if given is None or given.type not in SCHEMES:
        return unauthorized(UNREADABLE)
    if given.type == "basic":
        # Users are known by their names in lower case; PostgreSQL takes no NUL.
        name, password = (str(given.parameters.get(part) or "") for part in ("username", "password"))
        if "\0" in name + password:
            return unauthorized(UNREADABLE)
        given.parameters["username"] = name.lower()
    return None


def _authenticate_bearer() -> bool:
    from flask import g, request
    from mlflow_oidc_auth import auth
    from mlflow_oidc_auth.store import store

    from mlflow_sso.patches.bearer_tokens import RefusedTokenError

    token = request.authorization.token if request.authorization else None
    if not token:
        return False
    try:
        email = auth.validate_token(token)["email"]
    except RefusedTokenError as error:
        g.refusal = str(error)
    except Exception as error:
        # A broken token may fail anywhere in authlib; its message may quote the token.
        g.refusal = REASONS.get(type(error).__name__, "the token is not valid")
    else:
        if store.has_user(email):
            return True
        g.refusal = UNKNOWN_USER
    log.warning("a bearer token was refused: %s", g.refusal)
    return False


REASONS = {
    "ExpiredTokenError": "the token has expired",
    "InvalidTokenError": "the token is not valid yet",
    "BadSignatureError": "the token was not signed by the realm",
    "ConnectionError": "the realm's keys cannot be read now; try again",
}
"""What authlib's and requests' errors say of a token, by the name of their class."""


def _auth_required() -> Any:
    # flask is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from flask import g

    return unauthorized(g.get("refusal") or "log in first, or send an access key or a token of the realm")


def unauthorized(reason: str) -> Any:
    """401 in the form of MLflow's errors."""
    from flask import jsonify

    answer = jsonify(error_code="UNAUTHENTICATED", message=reason)
    answer.status_code = 401
    answer.headers["WWW-Authenticate"] = 'Basic realm="mlflow", Bearer realm="mlflow"'
    return answer
