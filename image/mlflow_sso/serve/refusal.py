"""Answers those who may not in: for the release that tells them of errors of its own, and only for four seconds."""

from collections.abc import Callable
from typing import Any

PAGE = "auth.html"
VANISHING = 'setTimeout(function(){ x.style.visibility = "hidden"; }, 4000);'


def refuse_users_in_no_group() -> None:
    """Read a login without the groups claim as one of no group: Keycloak leaves the claim out where it would be empty.

    mlflow-oidc-auth 5.6.1 looks for it, fails, and says that it could not detect groups.
    """
    from mlflow_oidc_auth import auth

    auth.handle_user_and_group_management = _with_groups(auth.handle_user_and_group_management)


def _with_groups(manage: Callable[[Any], list[str]]) -> Callable[[Any], list[str]]:
    from mlflow_oidc_auth.config import config

    def managed(token: Any) -> list[str]:
        token["userinfo"].setdefault(config.OIDC_GROUPS_ATTRIBUTE, [])
        return manage(token)

    return managed


def keep_the_reason_on_the_page() -> None:
    """Let the login page show the reason until it is left."""
    from jinja2 import ChoiceLoader, DictLoader
    from mlflow.server import app

    own = app.jinja_loader
    source: str = own.get_source(app.jinja_env, PAGE)[0]
    app.jinja_loader = ChoiceLoader([DictLoader({PAGE: source.replace(VANISHING, "")}), own])
