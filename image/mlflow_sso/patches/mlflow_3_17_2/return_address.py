"""Asks for a login by a page that knows the whole address, for the release that forgets it or knows only a part."""

from typing import Any

from mlflow_sso.patches.untried_logins import busy
from mlflow_sso.serve import realm_outages
from mlflow_sso.serve.return_address import HEADERS, login_page

PAGES, LOGIN_PAGE = "/oidc/ui", "/oidc/ui/auth"


def return_after_login() -> None:
    """Change the plugin's middleware of authentication; where a login leads to, it remembers by itself."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.middleware.auth_middleware import AuthMiddleware

    is_unprotected = AuthMiddleware._is_unprotected_route
    AuthMiddleware._handle_auth_redirect = _asked_to_log_in
    AuthMiddleware._is_unprotected_route = lambda self, path: is_unprotected(self, path) and not is_page(path)
    dispatch = AuthMiddleware.dispatch

    async def pass_on_scripts(self: Any, request: Any, call_next: Any) -> Any:
        # Only what a browser shows as a page can ask its user to log in.
        is_open = is_page(request.url.path) and not self._is_document_request(request)
        return await (call_next(request) if is_open else dispatch(self, request, call_next))

    AuthMiddleware.dispatch = pass_on_scripts


async def _asked_to_log_in(_: Any, request: Any) -> Any:
    from mlflow_oidc_auth.config import config
    from starlette.responses import Response

    asked = busy.get()
    if asked is not None and asked.keys_unreadable:
        headers = {name.decode(): value.decode() for name, value in realm_outages.HEADERS}
        return Response(realm_outages.PAGE, 503, headers=headers)
    query = request.url.query
    target = request.url.path + (f"?{query}" if query else "") if request.method == "GET" else "/"
    page = login_page(
        target, automatic=config.AUTOMATIC_LOGIN_REDIRECT, provider=str(config.OIDC_PROVIDER_DISPLAY_NAME)
    )
    return Response(page, headers=HEADERS)


def is_page(path: str) -> bool:
    """Whether a path is one of the plugin's pages, which forget their address if they ask for a login themselves."""
    return path.startswith(PAGES) and not path.startswith(LOGIN_PAGE) and "." not in path.rpartition("/")[2]
