"""What a system has in the secret store and in PostgreSQL, read and changed behind its back."""

from collections.abc import Mapping

import psycopg

from testbed.system import System


def entry(system: System, name: str) -> dict[str, str]:
    """What the secret store holds."""
    values: dict[str, str] = system.backing.openbao.call("GET", _path(system, name))["data"]["data"]
    return values


def write_entry(system: System, name: str, values: Mapping[str, str]) -> None:
    """Have the secret store hold something else, and the Secrets as well."""
    system.backing.openbao.call("POST", _path(system, name), {"data": values})
    system.sync_secrets()


def _path(system: System, name: str) -> str:
    secrets = system.settings.secrets
    return f"{secrets.vault_mount}/data/{secrets.vault_prefix}/{name}"


def end_connections(system: System) -> None:
    """End every connection of the system's role."""
    role = system.settings.database.role
    with psycopg.connect(system.backing.postgres.superuser_dsn, autocommit=True) as session:
        session.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (role,))
