"""PostgreSQL: the role of MLflow and its two databases, created by bootstrap or checked, as the settings say."""

from collections.abc import Sequence

from mlflow_bootstrap.context import Context
from mlflow_bootstrap.errors import UsageError
from mlflow_bootstrap.postgres.connection import Server
from mlflow_bootstrap.postgres.database import Database
from mlflow_bootstrap.postgres.login import Login, administrator, role_account
from mlflow_bootstrap.postgres.role import Role
from mlflow_bootstrap.resource import Removable, Resource


def resources(context: Context) -> Sequence[Resource]:
    """The role and both databases; an administrator logs in only if bootstrap creates something of it."""
    database = context.settings.database
    made_here = "bootstrap" in (database.role_management, database.database_management)
    # The fewest rights that suffice: where CloudNativePG makes everything, no administrator is needed for a check.
    server = Server.open(administrator(context) if made_here else role_account(context), database)
    return [_role(context, server), *_databases(context, server)]


def removable(context: Context, *, data: frozenset[str]) -> Sequence[Removable]:
    """The databases that ``data`` names, and with both of them the role, without which they could not be read.

    Raises:
        UsageError: a database is named that CloudNativePG makes.
    """
    settings = context.settings.database
    named = [name for name in (settings.name, settings.auth_name) if f"postgres/database/{name}" in data]
    if not named:
        return []
    if settings.database_management != "bootstrap":
        raise UsageError(
            f"CloudNativePG creates the databases {' and '.join(named)}",
            remedy="set database.reclaim_policy to delete, deliver it, then delete their Database objects",
        )
    server = Server.open(administrator(context), settings)
    databases = [found for found in _databases(context, server) if found.name in named]
    # A role that still owns a database cannot be dropped.
    role_goes = len(named) == 2 and settings.role_management == "bootstrap"
    return [*([_role(context, server)] if role_goes else []), *databases]


def _role(context: Context, server: Server) -> Role:
    settings = context.settings
    login = Login(context)
    return Role(
        server=server, settings=settings.database, values=context.values, login=login, instance=settings.instance
    )


def _databases(context: Context, server: Server) -> list[Database]:
    settings, instance = context.settings.database, context.settings.instance
    depends_on = (f"postgres/role/{settings.role}",)
    names = {"database.name": settings.name, "database.auth_name": settings.auth_name}
    return [
        Database(server=server, settings=settings, name=name, setting=setting, instance=instance, depends_on=depends_on)
        for setting, name in names.items()
    ]
