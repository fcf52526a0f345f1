"""A database's schema as text, to compare one way of making it with another."""

import re
import subprocess

from pod import Database

from live.servers.cache import debian_program

TOKENS = ("\\restrict", "\\unrestrict")


def schema_dump(database: Database, service: str) -> str:
    """``pg_dump --schema-only`` without what differs from one database to the next: owner, grants, random tokens."""
    pg_dump = debian_program("pg_dump", package="postgresql", folders="/usr/lib/postgresql/*/bin")
    command = [pg_dump, "--schema-only", "--no-owner", "--no-privileges", "--dbname", database.superuser_dsn(service)]
    dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # Our own indexes, which the packages do not create, and the empty lines and comments that stood around them.
    dump = re.sub(r"^(-- Name: mlflow_sso_.*|CREATE INDEX mlflow_sso_[^;]*;)$", "", dump, flags=re.MULTILINE)
    return "\n".join(line for line in dump.splitlines() if line not in ("", "--") and not line.startswith(TOKENS))


def schema_dumps(database: Database) -> tuple[str, str]:
    """Of the tracking and of the auth database."""
    return schema_dump(database, "mlflow"), schema_dump(database, "mlflow_auth")
