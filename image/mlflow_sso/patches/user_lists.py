"""Reads the permissions of all users together, where the plugin reads them user by user."""

from typing import Any


def read_users_together() -> None:
    """Change ``UserRepository.list`` of the plugin; what it returns stays the same."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.repository.user import UserRepository

    UserRepository.list = _list


def _list(repository: Any, is_service_account: bool = False, all: bool = False) -> list[Any]:
    from mlflow_oidc_auth.db.models import SqlUser
    from sqlalchemy import inspect
    from sqlalchemy.orm import selectinload

    # Of these, the plugin makes each of its own objects.
    names = [one.key for one in inspect(SqlUser).relationships]
    names = [name for name in names if name == "groups" or name.endswith("_permissions")]
    with repository._Session() as session:
        query = session.query(SqlUser).options(*(selectinload(getattr(SqlUser, name)) for name in names))
        if not all:
            query = query.filter(SqlUser.is_service_account == is_service_account)
        return [user.to_mlflow_entity() for user in query]
