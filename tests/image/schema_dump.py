"""A database's schema as text, to compare one way of making it with another."""

import subprocess

from pod import Database

from live.servers.cache import debian_program


def schema_dump(database: Database, service: str) -> str:
    """``pg_dump --schema-only`` without what differs from one database to the next: owner, grants, random tokens."""
    pg_dump = debian_program("pg_dump", package="postgresql", folders="/usr/lib/postgresql/*/bin")
    command = [pg_dump, "--schema-only", "--no-owner", "--no-privileges", "--dbname", database.superuser_dsn(service)]
    dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return "\n".join(line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def schema_dumps(database: Database) -> tuple[str, str]:
    """Of the tracking and of the auth database."""
    return schema_dump(database, "mlflow"), schema_dump(database, "mlflow_auth")
