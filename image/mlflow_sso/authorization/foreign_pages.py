"""Keeps pages of other origins from ending a user's session by a link, a form or an image of theirs."""

from mlflow_sso.asgi import Scope
from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.matching import Match

LOGOUT = "/logout"
OWN = frozenset({b"same-origin", b"none"})
"""What Sec-Fetch-Site says of our own pages and of an address typed in (W3C Fetch Metadata, section 2.3)."""


def refuse_foreign_logout(match: Match, scope: Scope) -> None:
    """Raises ``RefusedError`` for a logout that a browser says comes from another origin, a sibling host included.

    Clients that are no browsers, and browsers on plain HTTP, send no such header; no page can leave it out.
    """
    if LOGOUT not in match.route.paths:
        return
    sites = {value.strip() for name, value in scope["headers"] if name == b"sec-fetch-site"}
    if not sites <= OWN:
        raise RefusedError("a page of another origin led here, which ends no session; log out on a page of MLflow")
