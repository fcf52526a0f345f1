"""MLflow 3.17.2 with mlflow-oidc-auth 11.0.2."""

import os
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from mlflow_sso.asgi import Application
from mlflow_sso.releases.release import Release
from mlflow_sso.variables import switched_on


def _private_variables() -> Mapping[str, str]:
    return {
        "_MLFLOW_SGI_NAME": "uvicorn",
        "_MLFLOW_SERVER_BOOT_ID": uuid4().hex,
        "_MLFLOW_IN_JOB_EXECUTOR": "false",
    }


def _refresh_within_keycloaks_session() -> None:
    """Ask for OIDC_SCOPE and no more; any login of Keycloak's gets a refresh token.

    The plugin adds ``offline_access`` to it. Keycloak then ends its own session at once, so that the next application
    asks for the password again, keeps an offline one for a month, and refuses users who may have none.
    """
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth import oauth
    from mlflow_oidc_auth.config import config

    oauth._build_scope = lambda: str(config.OIDC_SCOPE)


def _open_application() -> Application:
    _patch_before_import()
    from mlflow_oidc_auth import app
    from mlflow_oidc_auth.store import store

    from mlflow_sso.patches.mlflow_3_17_2.outages import ServiceUnavailableMiddleware
    from mlflow_sso.serve.login_errors import KnownLoginErrors

    _protect_logins()
    _patch_application(app.app)
    # Outside the plugin's login, whose 401 it replaces while the database does not answer.
    application = ServiceUnavailableMiddleware(KnownLoginErrors(app.app), ping=store.ping)
    if switched_on(os.environ, "MLFLOW_SSO_BEARER_ACCESS_KEYS"):
        from mlflow_sso.patches.mlflow_3_17_2.bearer_keys import BearerAccessKeys

        return BearerAccessKeys(application)
    return application


def _patch_before_import() -> None:
    """Change what the plugin's application takes when it is imported."""
    from mlflow_oidc_auth.config import config
    from mlflow_oidc_auth.store import store

    from mlflow_sso.authorization.release_3_17_2.key_login import forget_after_seconds
    from mlflow_sso.patches.mlflow_3_17_2.late_routes import work_out_routes_late
    from mlflow_sso.patches.mlflow_3_17_2.parameter_types import share_parameter_types
    from mlflow_sso.patches.mlflow_3_17_2.sent_names import fold_sent_names
    from mlflow_sso.patches.user_names import fold_stored_names

    share_parameter_types()
    work_out_routes_late()
    # Opened before the plugin's application is imported, so that no request finds it closed.
    store.ping()
    forget_after_seconds(config)
    fold_stored_names()
    fold_sent_names()
    _refresh_within_keycloaks_session()
    from mlflow_sso.patches.mlflow_3_17_2.absent_spans import tell_absent_spans
    from mlflow_sso.patches.mlflow_3_17_2.last_administrator import let_logins_demote
    from mlflow_sso.patches.mlflow_3_17_2.part_uploads import tell_refused_uploads
    from mlflow_sso.patches.mlflow_3_17_2.proxied_artifacts import advertise_no_presigned_urls
    from mlflow_sso.patches.mlflow_3_17_2.session_keys import accept_earlier_keys

    advertise_no_presigned_urls()
    tell_absent_spans()
    tell_refused_uploads()
    accept_earlier_keys()
    let_logins_demote()
    # Before the plugin's app, which wraps MLflow's Flask application when it is imported.
    from asgiref import wsgi

    from mlflow_sso.serve.wsgi import WsgiAdapter

    wsgi.WsgiToAsgi = WsgiAdapter


def _protect_logins() -> None:
    from mlflow_oidc_auth import auth
    from mlflow_oidc_auth.middleware import auth_middleware

    from mlflow_sso.patches.bearer_tokens import check_tokens
    from mlflow_sso.patches.mlflow_3_17_2.realm_requests import believe_good_answers
    from mlflow_sso.patches.public_hosts import log_in_at_the_host_of_starlette, redirect_uris
    from mlflow_sso.patches.unverified_addresses import account_of_identities, token_problem

    uris = redirect_uris(os.environ)
    if uris:
        log_in_at_the_host_of_starlette(uris)
    believe_good_answers()
    check_tokens(
        auth,
        auth_middleware,
        read_keys_again=_read_keys_again,
        account_problem=lambda claims: token_problem(claims, account_of_identities),
    )
    _refuse_addresses_of_others()
    _note_logins()


def _patch_application(application: Any) -> None:
    from mlflow_sso.authorization.release_3_17_2.application import guard
    from mlflow_sso.patches.grant_patterns import compare_within_bounds
    from mlflow_sso.patches.mlflow_3_17_2.direct_passing import pass_directly
    from mlflow_sso.patches.mlflow_3_17_2.return_address import return_after_login
    from mlflow_sso.patches.mlflow_3_17_2.route_index import skip_routers_by_prefix
    from mlflow_sso.patches.mlflow_3_17_2.router_errors import tell_refusals_from_failures

    compare_within_bounds()
    pass_directly()
    skip_routers_by_prefix(application.router.routes)
    return_after_login()
    tell_refusals_from_failures(application)
    guard(application, key_login=_guard_key_checks())


def _read_keys_again(token: str) -> None:
    from mlflow_oidc_auth import auth

    auth._get_provider_jwks(auth.resolve_token_provider(token), force_refresh=True)


def _refuse_addresses_of_others() -> None:
    from mlflow_oidc_auth.routers import auth

    from mlflow_sso.patches.unverified_addresses import account_of_identities, login_problem

    provision = auth._provision_login

    def provisioned(*arguments: Any, userinfo: dict[str, Any], **options: Any) -> Any:
        problem = None if _is_bound(userinfo.get("sub")) else login_problem(userinfo, account_of_identities)
        return (None, [problem]) if problem else provision(*arguments, userinfo=userinfo, **options)

    auth._provision_login = provisioned


def _is_bound(subject: Any) -> bool:
    """Whether a login leads to the account of an earlier one, whatever its address is."""
    from mlflow_oidc_auth.provider_registry import DEFAULT_PROVIDER_ID
    from mlflow_oidc_auth.store import store

    return bool(subject) and bool(store.user_identity_repo.get_username_by_identity(DEFAULT_PROVIDER_ID, subject))


def _note_logins() -> None:
    from mlflow_oidc_auth.routers import auth

    from mlflow_sso.serve.request_metrics import note_login

    process = auth._process_oidc_callback_fastapi

    async def processed(*arguments: Any, **options: Any) -> Any:
        username, errors = await process(*arguments, **options)
        note_login(username, errors)
        return username, errors

    auth._process_oidc_callback_fastapi = processed


def _guard_key_checks() -> Any:
    from mlflow_oidc_auth.middleware.auth_middleware import AuthMiddleware
    from mlflow_oidc_auth.repository import user_token
    from mlflow_oidc_auth.store import store
    from mlflow_oidc_auth.utils.permissions import flush_permission_cache

    from mlflow_sso.authorization.release_3_17_2.key_login import Grants, KeyLogin, use_noted_login
    from mlflow_sso.patches import access_keys
    from mlflow_sso.patches.mlflow_3_17_2.basic_login import KeyLogins, log_in_with_key

    keys = access_keys.guard_key_checks(user_token, user_token.UserTokenRepository, hash_of_no_key=_hash_of_no_key)
    key_login = KeyLogin(store.engine, keys, Grants(flush_permission_cache))
    logins = KeyLogins(key_login.find)
    AuthMiddleware._authenticate_basic_auth = lambda _, header: log_in_with_key(logins, header)
    use_noted_login(AuthMiddleware)
    return key_login


def _hash_of_no_key(password: str) -> str:
    """What the row would hold: keys with a prefix are hashed by a method of their own, older ones as on 3.6.0."""
    from mlflow_oidc_auth.repository.user_token import TOKEN_HASH_METHOD, parse_prefix

    from mlflow_sso.patches.access_keys import SCRYPT_OF_NO_KEY

    if parse_prefix(password) is None:
        return SCRYPT_OF_NO_KEY
    return f"{TOKEN_HASH_METHOD}${'x' * 16}${'0' * 64}"


RELEASE = Release(
    mlflow="3.17.2",
    plugin="11.0.2",
    app_name="oidc-auth",
    server_secrets=(
        "SECRET_KEY",
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY",
        "SESSION_TOKEN_ENCRYPTION_KEY",
        "MLFLOW_CRYPTO_KEK_PASSPHRASE",
    ),
    experiment_tables=(
        "sql_trace_metric_daily_rollups",
        "sql_span_cost_daily_rollups",
        "sql_assessment_daily_rollups",
        "sql_trace_rollup_rebuild_queue",
    ),
    sessions_in_database=True,
    applications=("oidc-auth",),
    permissions=("READ", "USE", "EDIT", "MANAGE", "NO_PERMISSIONS"),
    private_variables=_private_variables,
    open_application=_open_application,
)
