"""``prune-sessions``: deletes expired browser sessions, which the plugin itself never removes from its database.

Does in SQL what the plugin's own ``prune-sessions`` does (``mlflow_oidc_auth/db/cli.py``), which imports the whole
plugin for it and warns of settings that only a server needs.
"""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mlflow_sso import log
from mlflow_sso.database import connect, errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.errors import UsageError
from mlflow_sso.outcomes import recorded
from mlflow_sso.releases import installed
from mlflow_sso.revision import require_head
from mlflow_sso.schemas import schemas
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.whole_numbers import variable

BATCH = 10_000
"""Rows in one transaction."""

_COUNT = "SELECT count(*) FROM {table} WHERE {column} {past} now() AT TIME ZONE 'UTC' - make_interval(days => %(days)s)"
_DELETE = """
DELETE FROM {table} WHERE id IN (SELECT id FROM {table}
WHERE {column} {past} now() AT TIME ZONE 'UTC' - make_interval(days => %(days)s) LIMIT %(batch)s FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """Rows that expire at a time; times are kept in UTC, without a zone."""

    table: str
    column: str
    past: str
    what: str
    days: int = 0

    def query(self, statement: str) -> str:
        return statement.format(table=self.table, column=self.column, past=self.past)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say how many would be deleted, and delete nothing")
    add_timeout_argument(parser, default=60, what="PostgreSQL")


def run(arguments: Namespace) -> int:
    """Delete what has expired and print a line for each table; raises ``ProgramError``."""
    release = installed()
    if not release.sessions_in_database:
        raise UsageError(
            f"release {release.mlflow} keeps no sessions in the database",
            remedy="leave prune-sessions out: its session store forgets by itself",
        )
    # Before any connection: a wrong setting is an error of usage.
    tables = list(_tables())
    _, schema = schemas(SecretsRoot(arguments.secrets_root))
    writable = not arguments.dry_run
    connection = connect(schema, deadline=Deadline(arguments.timeout), program="prune-sessions", writable=writable)
    with (
        closing(connection),
        errors_explained(schema, doing="cannot prune the sessions of"),
        recorded(connection, "prune-sessions", dry_run=arguments.dry_run),
    ):
        require_head(connection, schema)
        for expiring in tables:
            log.result(database=schema.name, message=_prune(connection, expiring, dry_run=arguments.dry_run))
    return 0


def _tables() -> Iterator[Expiring]:
    yield Expiring(table="auth_sessions", column="expires_at", past="<=", what="expired session(s)")
    yield Expiring(
        table="saml_assertions", column="not_on_or_after", past="<=", what="expired SAML assertion record(s)"
    )
    # Days, 0 for ever.
    if days := variable(os.environ, "SCIM_ACTIVITY_RETENTION_DAYS", default=30, least=0, most=36_500):
        what = f"SCIM activity row(s) older than {days} day(s)"
        yield Expiring(table="scim_activity", column="at", past="<", what=what, days=days)


def _prune(connection: Any, expiring: Expiring, *, dry_run: bool) -> str:
    parameters = {"days": expiring.days, "batch": BATCH}
    with connection.cursor() as cursor:
        if dry_run:
            cursor.execute(expiring.query(_COUNT), parameters)
            return f"{cursor.fetchone()[0]} {expiring.what} would be deleted"
        deleted = 0
        while True:
            cursor.execute(expiring.query(_DELETE), parameters)
            deleted += cursor.rowcount
            if cursor.rowcount < BATCH:
                return f"deleted {deleted} {expiring.what}"
