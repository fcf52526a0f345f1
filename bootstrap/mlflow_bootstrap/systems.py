"""The systems of an environment: one record each, which every command reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

# The command line reads this module for --help, which must load neither pydantic nor a system.
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cdk8s_mlflow.settings import Settings
    from mlflow_bootstrap.context import Context
    from mlflow_bootstrap.resource import Removable, Resource

PartName = Literal["secrets", "keycloak", "postgres", "minio"]
"""What a run may be limited to: the secret store, or a system."""

RotatableEntry = Literal["oidc", "directory", "postgres", "s3", "server"]
"""Entries that ``rotate`` renews; ``server`` is read by pods only."""

STORE_ENTRIES = (
    "postgres",
    "s3",
    "oidc",
    "server",
    "cloudflared",
    "machines",
    "directory",
    "backup",
    "barman",
    "azure",
    "gcs",
)
"""Entries that the secret store may hold for an environment."""

ENTRIES_OF_DATA = frozenset({"postgres", "server"})
"""Entries without which kept databases could not be read; ``destroy`` deletes them only by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSpec:
    """A system that bootstrap brings to what the settings say.

    ``resources`` and ``removable`` log in, and raise UnreachableError, RefusedError or UsageError if that fails.
    """

    name: PartName
    entries: tuple[str, ...]
    """Entries of the secret store that it needs; a run limited to the system applies them too."""
    rotates: tuple[RotatableEntry, ...]
    """Entries whose renewed value is written to the system as well."""
    resources: Callable[[Context], Sequence[Resource]]
    """The environment's resources, each after those that it depends on; reads no more than the login takes."""
    removable: Callable[[Context, frozenset[str]], Sequence[Removable]]
    """What ``destroy`` may delete, in the order of creation; data only if its address is in the set."""
    data: Callable[[Settings], tuple[str, ...]]
    """Addresses of data, which ``destroy`` deletes only by name."""
    means: str
    """What fails in MLflow while it is not as the settings say; ``doctor`` prints it."""


# A system is imported when its turn comes: the library of one takes 0.2 to 0.4 s of a processor (psycopg, Keycloak's).
def _keycloak_resources(context: Context) -> Sequence[Resource]:
    from mlflow_bootstrap import keycloak

    return keycloak.resources(context)


def _keycloak_removable(context: Context, data: frozenset[str]) -> Sequence[Removable]:
    from mlflow_bootstrap import keycloak

    return keycloak.removable(context, data=data)


def _groups(settings: Settings) -> tuple[str, ...]:
    login = settings.authentication
    return tuple(f"keycloak/group/{name}" for name in dict.fromkeys((login.admin_group, login.user_group)))


def _postgres_resources(context: Context) -> Sequence[Resource]:
    from mlflow_bootstrap import postgres

    return postgres.resources(context)


def _postgres_removable(context: Context, data: frozenset[str]) -> Sequence[Removable]:
    from mlflow_bootstrap import postgres

    return postgres.removable(context, data=data)


def _databases(settings: Settings) -> tuple[str, ...]:
    return tuple(f"postgres/database/{name}" for name in (settings.database.name, settings.database.auth_name))


def _minio_resources(context: Context) -> Sequence[Resource]:
    from mlflow_bootstrap import minio

    return minio.resources(context)


def _minio_removable(context: Context, data: frozenset[str]) -> Sequence[Removable]:
    from mlflow_bootstrap import minio

    return minio.removable(context, data=data)


def _buckets(settings: Settings) -> tuple[str, ...]:
    # A container is made with the account, and a bucket of Google in a project, which are not ours.
    if not settings.artifacts.speaks_s3:
        return ()
    return (f"minio/bucket/{settings.artifacts.bucket}",)


SYSTEMS = (
    SystemSpec(
        name="keycloak",
        entries=("oidc", "machines", "directory"),
        rotates=("oidc", "directory"),
        resources=_keycloak_resources,
        removable=_keycloak_removable,
        data=_groups,
        means="logins fail, or the groups' claim, the audience or the redirect URI is not as the server expects",
    ),
    SystemSpec(
        name="postgres",
        entries=("postgres",),
        rotates=("postgres",),
        resources=_postgres_resources,
        removable=_postgres_removable,
        data=_databases,
        means="the migration and the server cannot connect",
    ),
    SystemSpec(
        name="minio",
        entries=("s3", "azure", "gcs"),
        rotates=("s3",),
        resources=_minio_resources,
        removable=_minio_removable,
        data=_buckets,
        means="artifacts cannot be stored or read",
    ),
)

PARTS: tuple[PartName, ...] = ("secrets", *(system.name for system in SYSTEMS))
"""All that a run may be limited to, in the order in which it is applied."""
