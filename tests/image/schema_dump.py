"""A database's schema as text, to compare one way of making it with another."""

import re
import subprocess

from pod import Database

from live.servers.cache import debian_program

# Newer minor versions of pg_dump write them with a random key.
TOKENS = ("\\restrict", "\\unrestrict")
OURS = (
    r"-- Name: (\w+ )?mlflow_sso_.*",
    r"CREATE (INDEX|CONSTRAINT TRIGGER) mlflow_sso_[^;]*;",
    r"(CREATE|ALTER) TABLE (ONLY )?public\.mlflow_sso_[^;]*;",
)


def schema_dump(database: Database, service: str) -> str:
    """``pg_dump --schema-only`` without what differs from one database to the next: owner, grants, random tokens."""
    pg_dump = debian_program("pg_dump", package="postgresql", folders="/usr/lib/postgresql/*/bin")
    command = [pg_dump, "--schema-only", "--no-owner", "--no-privileges", "--dbname", database.superuser_dsn(service)]
    dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # What is ours, which the packages do not create, and the empty lines and comments that stood around it.
    dump = re.sub(r"^CREATE FUNCTION public\.mlflow_sso_.*?\$\$;$", "", dump, flags=re.MULTILINE | re.DOTALL)
    dump = re.sub(rf"^({'|'.join(OURS)})$", "", dump, flags=re.MULTILINE)
    return "\n".join(line for line in dump.splitlines() if line not in ("", "--") and not line.startswith(TOKENS))


def schema_dumps(database: Database) -> tuple[str, str]:
    """Of the tracking and of the auth database."""
    return schema_dump(database, "mlflow"), schema_dump(database, "mlflow_auth")
