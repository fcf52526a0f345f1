"""``check``: tries every service that the server needs, from where the server runs, and prints a table."""

import json
import os
import uuid
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from mlflow_sso.artifact_store import artifact_store
from mlflow_sso.authorization.locations import ALLOWED_LOCATIONS, DESTINATION
from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.changes import read_state
from mlflow_sso.check import identity_provider, session_store, stored_locations
from mlflow_sso.database import connect, errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.errors import ProgramError
from mlflow_sso.indexes import index_state
from mlflow_sso.object_store import destination
from mlflow_sso.revision import require_head
from mlflow_sso.schemas import Schema, schemas
from mlflow_sso.secrets_root import SecretsRoot

Check = Callable[[], str]
"""Says what it found, or raises ``ProgramError``."""


def add_arguments(parser: ArgumentParser) -> None:
    add_timeout_argument(parser, default=5, what="each service")
    parser.add_argument("--reads-only", action="store_true", help="list the bucket instead of writing an object to it")
    parser.add_argument("--json", action="store_true", help="print a JSON object a line instead of a table")


def run(arguments: Namespace) -> int:
    """Print a row for each service; returns 0, or 1 where one of them failed."""
    root = SecretsRoot(arguments.secrets_root)
    trust_mounted_authorities(root)
    checks = _checks(root, arguments.timeout, reads_only=arguments.reads_only)
    with ThreadPoolExecutor(len(checks)) as threads:
        rows = list(threads.map(_row, checks, checks.values()))
    print("\n".join(map(_json, rows) if arguments.json else _table(rows)))
    return 0 if all(row.passed for row in rows) else 1


def _checks(root: SecretsRoot, timeout: float, *, reads_only: bool) -> dict[str, Check]:
    tracking, auth = schemas(root)
    return {
        "postgresql mlflow": lambda: _database(tracking, timeout),
        "postgresql mlflow_auth": lambda: _database(auth, timeout),
        "stored locations": lambda: _locations(tracking, timeout),
        "indexes mlflow": lambda: _indexes(tracking, timeout),
        "indexes mlflow_auth": lambda: _indexes(auth, timeout),
        "changes mlflow_auth": lambda: _changes(auth, timeout),
        "artifact bucket": lambda: _bucket(reads_only=reads_only),
        "oidc discovery": lambda: identity_provider.discover(timeout),
        "oidc client": lambda: identity_provider.try_client(root, timeout),
        "session store": lambda: session_store.try_store(root, timeout),
    }


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a check; ``remedy`` is empty if it passed."""

    name: str
    passed: bool
    text: str
    remedy: str = ""


def _row(name: str, check: Check) -> Row:
    try:
        return Row(name, True, check())
    except ProgramError as error:
        return Row(name, False, error.message, error.remedy or "")
    # One check that meets what it does not expect must not cost the others; its words may hold a secret.
    except Exception as error:
        return Row(name, False, f"ended with {type(error).__name__}", "look at the settings that this check reads")


def _table(rows: list[Row]) -> list[str]:
    width = max(len(row.name) for row in rows)
    return [
        f"{row.name:<{width}}  {'ok' if row.passed else 'FAILED':<6}  {'; '.join(filter(None, (row.text, row.remedy)))}"
        for row in rows
    ]


def _json(row: Row) -> str:
    state = "ok" if row.passed else "failed"
    return json.dumps({"name": row.name, "state": state, "text": row.text, "remedy": row.remedy})


def _database(schema: Schema, timeout: float) -> str:
    connection = connect(schema, deadline=Deadline(timeout), program="check")
    with closing(connection), errors_explained(schema, doing="cannot read"):
        require_head(connection, schema)
        version = connection.info.server_version // 10000
        encrypted = "TLS" if connection.info.ssl_in_use else "no TLS"
        return f"PostgreSQL {version} as {connection.info.user}, {encrypted}, at {schema.head}"


def _indexes(schema: Schema, timeout: float) -> str:
    connection = connect(schema, deadline=Deadline(timeout), program="check")
    with closing(connection), errors_explained(schema, doing="cannot read"):
        state = index_state(connection, schema)
    lacking = [index.name for index in (*state.missing, *state.of_others)]
    # They make the server faster, so one that is missing is no failure.
    missing = (
        [f"missing: {', '.join(lacking)} (run `mlflow-sso migrate` as the owner of the tables)"] if lacking else []
    )
    return "; ".join([", ".join(index.name for index in state.present) or "none", *missing])


def _locations(schema: Schema, timeout: float) -> str:
    connection = connect(schema, deadline=Deadline(timeout), program="check")
    with closing(connection), errors_explained(schema, doing="cannot read"):
        require_head(connection, schema)
        allowed = tuple(os.environ.get(ALLOWED_LOCATIONS, "").split())
        lines = stored_locations.describe(connection, allowed=allowed, destination=os.environ.get(DESTINATION, ""))
    # They are refused one by one, which is no failure of the server.
    return "; ".join(lines) or "every row leads below the bucket or an allowed location"


def _changes(schema: Schema, timeout: float) -> str:
    connection = connect(schema, deadline=Deadline(timeout), program="check")
    with closing(connection), errors_explained(schema, doing="cannot read"):
        state = read_state(connection, schema)
    lacking = [*state.missing, *state.of_others]
    if state.is_complete:
        return f"counted in {len(state.counted)} tables"
    # Without it the server reads grants at every request, which is slower and no failure.
    return f"not counted: {', '.join(lacking) or 'any'} (run `mlflow-sso migrate` as the owner of the tables)"


def _bucket(*, reads_only: bool) -> str:
    folder = destination()
    store = artifact_store(folder)
    address = store.address
    if reads_only:
        store.page(folder, limit=1)
        return f"listed {folder} of {address}"
    store.try_writing(folder, f".mlflow-sso-check-{uuid.uuid4().hex}")
    return f"put, got, listed and deleted in {folder} of {address}"
