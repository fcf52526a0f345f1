"""Shows unauthorized users why, for the release that shows only errors of its own, and those for four seconds."""

from collections.abc import Callable
from typing import Any

from mlflow_sso.patches.unverified_addresses import account_of_ended, login_problem

PAGE = "auth.html"
VANISHING = 'setTimeout(function(){ x.style.visibility = "hidden"; }, 4000);'


def refuse_users_without_email() -> None:
    """Require an e-mail address: without one mlflow-oidc-auth 5.6.1 takes the name, which users may choose."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth import auth

    auth.handle_user_and_group_management = _without_names(auth.handle_user_and_group_management)


def _without_names(manage: Callable[[Any], list[str]]) -> Callable[[Any], list[str]]:
    def managed(token: Any) -> list[str]:
        token["userinfo"].pop("preferred_username", None)
        return manage(token)

    return managed


def refuse_addresses_of_others() -> None:
    """Require a verified address of who logs in to an account whose access has ended."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth import auth

    manage = auth.handle_user_and_group_management

    def managed(token: Any) -> list[str]:
        problem = login_problem(token["userinfo"], account_of_ended)
        return [problem] if problem else manage(token)

    auth.handle_user_and_group_management = managed


def keep_login_error() -> None:
    """Let the login page show the reason until it is left."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from jinja2 import ChoiceLoader, DictLoader
    from mlflow.server import app

    own = app.jinja_loader
    source: str = own.get_source(app.jinja_env, PAGE)[0]
    app.jinja_loader = ChoiceLoader([DictLoader({PAGE: source.replace(VANISHING, "")}), own])
