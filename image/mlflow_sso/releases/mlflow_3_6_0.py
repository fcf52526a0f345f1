"""MLflow 3.6.0 with mlflow-oidc-auth 5.6.1."""

import os
from typing import Any, cast

from mlflow_sso.asgi import Application
from mlflow_sso.releases.release import Release
from mlflow_sso.variables import switched_on

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by a key pair, all that Keycloak's realm keys are used for; the key set is public."""


def _open_application() -> Application:
    # In this order: the plugin reads its settings when its config is imported, and builds its application, with the
    # adapter that starlette has at that moment, when fastapi_app is; what follows changes an application that exists.
    from mlflow_oidc_auth.config import config

    _complete_settings(config)
    from starlette.middleware import wsgi

    from mlflow_sso.serve.wsgi import WsgiAdapter

    # Before fastapi_app, which takes the class by its name.
    wsgi.WSGIMiddleware = WsgiAdapter
    from mlflow_oidc_auth import fastapi_app

    from mlflow_sso.authorization.release_3_6_0.application import guard
    from mlflow_sso.patches.mlflow_3_6_0 import refusal
    from mlflow_sso.patches.mlflow_3_6_0.return_address import return_after_login
    from mlflow_sso.patches.mlflow_3_6_0.span_export import serve_span_export
    from mlflow_sso.serve.login_errors import KnownLoginErrors

    _correct_answers()

    keys = _guard_key_checks()
    _protect_logins(config)
    refusal.refuse_users_without_email()
    refusal.refuse_addresses_of_others()
    refusal.keep_login_error()
    _use_public_hosts()
    serve_span_export(fastapi_app.app)
    return_after_login()
    # Outermost, so that it sees the answers of the login that the guard lets through.
    return KnownLoginErrors(guard(cast(Application, fastapi_app.app), keys=keys))


def _correct_answers() -> None:
    from mlflow_sso.patches import grant_patterns, user_names
    from mlflow_sso.patches.mlflow_3_6_0 import (
        file_names,
        group_members,
        key_expiry,
        metric_history,
        model_renames,
        realm_requests,
        text_flags,
    )

    # Before the first key is checked: rows that are loaded already keep their naive time.
    key_expiry.read_expiry_as_utc()
    user_names.fold_stored_names()
    realm_requests.bound_realm_requests()
    model_renames.move_grants_that_exist()
    group_members.list_members_by_name()
    metric_history.answer_whole_histories()
    text_flags.read_text_flags()
    file_names.name_files_in_utf8()
    grant_patterns.compare_within_bounds()


def _complete_settings(config: Any) -> None:
    # That package asks which release is installed, this one.
    from mlflow_sso.serve.typed_variables import number

    if os.environ.get("CACHE_TYPE") == "RedisCache":
        # The plugin hands over host, port and password; with the URL its cache knows TLS and a user too.
        config.CACHE_REDIS_URL = os.environ["CACHE_REDIS_URL"]
    # The plugin hands over text, with which Flask fails at every answer that has a session.
    config.PERMANENT_SESSION_LIFETIME = number(os.environ, "PERMANENT_SESSION_LIFETIME")


def _use_public_hosts() -> None:
    from mlflow_sso.patches import public_hosts

    uris = public_hosts.redirect_uris(os.environ)
    if uris:
        public_hosts.log_in_at_the_host_of_flask(uris)
    return_to = os.environ.get("MLFLOW_SSO_POST_LOGOUT_URI")
    if return_to:
        from mlflow_sso.patches.mlflow_3_6_0.keycloak_logout import log_out_of_keycloak

        log_out_of_keycloak(return_to=public_hosts.return_address_of_flask(return_to, uris))


def _protect_logins(config: Any) -> None:
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from authlib.jose import JsonWebToken
    from mlflow_oidc_auth import auth
    from mlflow_oidc_auth.utils import request_helpers

    from mlflow_sso.patches.bearer_tokens import check_tokens
    from mlflow_sso.patches.mlflow_3_6_0 import credentials, sessions
    from mlflow_sso.patches.unverified_addresses import account_of_ended, token_problem

    # The plugin's own decoder knows "none" and secret keys as well.
    auth.jwt = JsonWebToken(ALGORITHMS)
    check_tokens(
        auth,
        request_helpers,
        read_keys_again=lambda _: auth._get_oidc_jwks(clear_cache=True),
        account_problem=lambda claims: token_problem(claims, account_of_ended),
    )
    sessions.protect_sessions(
        redirect_uri=config.OIDC_REDIRECT_URI or "", lifetime_seconds=config.PERMANENT_SESSION_LIFETIME
    )
    credentials.reject_bad_credentials()


def _guard_key_checks() -> Any:
    from mlflow.server import app
    from mlflow_oidc_auth.repository import user

    from mlflow_sso.patches import access_keys

    remembered = access_keys.REMEMBERED if switched_on(os.environ, "MLFLOW_SSO_ACCESS_KEY_CACHE") else 0
    app.register_error_handler(access_keys.KeyChecksBusyError, access_keys.mark_busy)
    return access_keys.guard_key_checks(user, user.UserRepository, remembered=remembered)


RELEASE = Release(
    mlflow="3.6.0",
    plugin="5.6.1",
    app_name="oidc-auth-fastapi",
    server_secrets=("SECRET_KEY", "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"),
    sessions_in_database=False,
    applications=("oidc-auth-fastapi", "oidc-auth"),
    permissions=("READ", "EDIT", "MANAGE", "NO_PERMISSIONS"),
    private_variables=lambda: {"_MLFLOW_SGI_NAME": "uvicorn"},
    open_application=_open_application,
)
