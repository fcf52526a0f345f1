"""One spelling of a user's name: small letters, wherever a name is compared with the database or stored in it.

Keycloak may send an address as it was typed, and administrators type names of their own. Release 3.6.0 folds the names
of logins only, 3.17.2 also those of users but not of grants, so that both answered 404 to a grant in capitals.
"""

from typing import Any


def folded(name: str) -> str:
    """A user's name as it is stored."""
    return name.lower()


def fold_stored_names() -> None:
    """Fold every text that is compared with the column of user names or stored in it.

    To be called before the first statement: SQLAlchemy keeps the type of a column with what it has compiled.
    """
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.db.models import SqlUser
    from sqlalchemy import inspect
    from sqlalchemy.types import String, TypeDecorator

    class Folded(TypeDecorator[str]):  # type: ignore[misc]
        impl = String
        cache_ok = True

        def process_bind_param(self, value: Any, dialect: Any) -> Any:
            return folded(value) if isinstance(value, str) else value

    inspect(SqlUser).columns["username"].type = Folded(255)
