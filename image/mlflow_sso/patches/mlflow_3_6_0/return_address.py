"""Remembers where a login leads to, for the release that always leads to its first page."""

from collections.abc import Callable
from typing import Any

from mlflow_sso.serve.return_address import HEADERS, NEXT, login_page

WANTED = "mlflow_sso_wanted"
"""Key of the session: where its user wanted to go."""

View = Callable[[], Any]


def return_after_login() -> None:
    """Ask for a login by a page that knows the whole address, and lead there after it."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow.server import app
    from mlflow_oidc_auth.hooks import before_request

    before_request.redirect = before_request.render_template = _asked_to_log_in
    app.view_functions["login"] = _remembering(app.view_functions["login"])
    app.view_functions["callback"] = _returning(app.view_functions["callback"])


def _asked_to_log_in(*_: Any, **__: Any) -> Any:
    from flask import Response, request
    from mlflow_oidc_auth.config import config

    # A script's or a program's request is no place to come back to.
    is_page = request.headers.get("Sec-Fetch-Dest", "document") == "document"
    is_page = is_page and request.method == "GET" and "text/html" in request.headers.get("Accept", "")
    target = request.full_path.removesuffix("?") if is_page else "/"
    page = login_page(
        target, automatic=config.AUTOMATIC_LOGIN_REDIRECT, provider=str(config.OIDC_PROVIDER_DISPLAY_NAME)
    )
    return Response(page, headers=HEADERS)


def _remembering(login: View) -> View:
    from flask import request, session

    def remembered() -> Any:
        # A login that failed is tried again by a link without it.
        if request.args.get(NEXT):
            session[WANTED] = request.args[NEXT]
        return login()

    return remembered


def _returning(callback: View) -> View:
    from flask import redirect, session

    def returned() -> Any:
        answer = callback()
        # A page, in place of a redirection, says that the login failed.
        if getattr(answer, "status_code", 200) != 302:
            return answer
        wanted = session.pop(WANTED, None)
        return redirect(wanted) if wanted else answer

    return returned
