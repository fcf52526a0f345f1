"""Serving MLflow 3.6.0 with mlflow-oidc-auth 5.6.1."""

import os
from typing import cast

from mlflow_sso.serve.flavour import Application, Flavour, switched_on


def _open_application() -> Application:
    from mlflow_oidc_auth.config import config

    if os.environ.get("CACHE_TYPE") == "RedisCache":
        # The plugin hands over host, port and password; with the URL its cache knows TLS and a user too.
        config.CACHE_REDIS_URL = os.environ["CACHE_REDIS_URL"]
    if "PERMANENT_SESSION_LIFETIME" in os.environ:
        # The plugin hands over text, with which Flask fails at every answer that has a session.
        config.PERMANENT_SESSION_LIFETIME = int(os.environ["PERMANENT_SESSION_LIFETIME"])
    from starlette.middleware import wsgi

    from mlflow_sso.serve.wsgi import WsgiAdapter

    wsgi.WSGIMiddleware = WsgiAdapter
    from mlflow_oidc_auth import fastapi_app

    from mlflow_sso.authorization.release_3_6_0.application import guard
    from mlflow_sso.serve import key_expiry, refusal

    key_expiry.read_expiry_as_utc()

    _guard_key_checks()

    refusal.refuse_users_in_no_group()
    refusal.keep_the_reason_on_the_page()
    return_to = os.environ.get("MLFLOW_SSO_POST_LOGOUT_URI")
    if return_to:
        from mlflow_sso.serve.keycloak_logout import log_out_of_keycloak

        log_out_of_keycloak(return_to=return_to)
    return guard(cast(Application, fastapi_app.app))


def _guard_key_checks() -> None:
    from mlflow.server import app
    from mlflow_oidc_auth.repository import user

    from mlflow_sso.serve import access_keys

    remembered = access_keys.REMEMBERED if switched_on(os.environ, "MLFLOW_SSO_ACCESS_KEY_CACHE") else 0
    access_keys.guard_key_checks(user, user.UserRepository, remembered=remembered)
    app.register_error_handler(access_keys.KeyChecksBusyError, access_keys.mark_busy)


FLAVOUR = Flavour(
    applications=("oidc-auth-fastapi", "oidc-auth"),
    permissions=("READ", "EDIT", "MANAGE", "NO_PERMISSIONS"),
    private_variables=lambda: {"_MLFLOW_SGI_NAME": "uvicorn"},
    open_application=_open_application,
)
