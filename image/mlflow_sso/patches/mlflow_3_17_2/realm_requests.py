"""Reads the realm's keys from good answers only, and keeps a session while the realm cannot be asked to renew it.

mlflow-oidc-auth 11.0.2 takes an outage of the realm for a refusal: it ends every session whose access token has ended.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from mlflow_sso.patches.realm_requests import forget_unless_keys, require_realm_document
from mlflow_sso.patches.untried_logins import busy


class HttpClient:
    """In place of ``http_client`` in the plugin's ``auth``."""

    @staticmethod
    def get(url: str, **options: Any) -> Any:
        """Raises ``requests.RequestException`` for everything but a good answer."""
        # The plugin reads its settings when it is imported, so not before serve has set them.
        from mlflow_oidc_auth import http_client

        return require_realm_document(http_client.get(url, **options))


_logging_out: ContextVar[bool] = ContextVar("logging_out", default=False)


class RealmAwayError(Exception):
    """The session may be renewed later; its user is not logged out."""


def believe_good_answers() -> None:
    """Change how keys are read and sessions renewed."""
    from authlib.integrations.base_client.async_openid import AsyncOpenIDMixin
    from mlflow_oidc_auth import auth
    from mlflow_oidc_auth.middleware.auth_middleware import AuthMiddleware
    from mlflow_oidc_auth.routers import auth as logins

    auth.http_client = HttpClient
    client_for_refresh = logins._client_for_refresh
    logins._client_for_refresh = lambda provider: RenewingClient(client_for_refresh(provider))
    logins.refresh_session_with_idp = keeping_sessions(logins.refresh_session_with_idp)
    AuthMiddleware.dispatch = noting_logouts(AuthMiddleware.dispatch)
    client: Any = AsyncOpenIDMixin
    fetch = client.fetch_jwk_set

    async def fetched(self: Any, force: bool = False) -> Any:
        return forget_unless_keys(self, await fetch(self, force))

    client.fetch_jwk_set = fetched


class RenewingClient:
    """A client of authlib's that notes whether the realm refused, or did not answer as one."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def fetch_access_token(self, **parameters: Any) -> Any:
        """Raises what authlib raises."""
        from authlib.integrations.base_client import OAuthError

        try:
            return await self._client.fetch_access_token(**parameters)
        except Exception as error:
            # Keycloak says so of a session that has ended or whose user has left (RFC 6749, section 5.2).
            is_refused = isinstance(error, OAuthError) and error.error == "invalid_grant"
            request = busy.get()
            if request is not None and not is_refused:
                request.keys_unreadable = True
            raise


def keeping_sessions(renew: Callable[..., Awaitable[bool]]) -> Callable[..., Awaitable[bool]]:
    """``renew``, which raises ``RealmAwayError`` in place of giving False if the realm was not asked."""

    async def renewed(*arguments: Any) -> bool:
        if await renew(*arguments):
            return True
        request = busy.get()
        if request is not None and request.keys_unreadable:
            if _logging_out.get():
                # It needs no token, and ends the session for good.
                request.keys_unreadable = False
                return True
            # Whatever is raised here refuses the request; only False ends the session.
            raise RealmAwayError
        return False

    return renewed


def noting_logouts(dispatch: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """``dispatch`` of the plugin's middleware of authentication; a logout needs no session that can be renewed."""

    async def noted(self: Any, request: Any, call_next: Any) -> Any:
        _logging_out.set(request.url.path == "/logout")
        return await dispatch(self, request, call_next)

    return noted
