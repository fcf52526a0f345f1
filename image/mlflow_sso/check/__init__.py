"""``check``: tries every service that the server needs, from where the server runs, and prints a table."""

import os
import uuid
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import closing

from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.changes import read_state
from mlflow_sso.check import identity_provider, session_store
from mlflow_sso.database import connect, errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.errors import ProgramError
from mlflow_sso.indexes import index_state
from mlflow_sso.object_store import ObjectStore, destination
from mlflow_sso.revision import require_head
from mlflow_sso.schemas import Schema, schemas
from mlflow_sso.secrets_root import SecretsRoot

Check = Callable[[], str]
"""Says what it found, or raises ``ProgramError``."""


def add_arguments(parser: ArgumentParser) -> None:
    add_timeout_argument(parser, default=5, what="each service")


def run(arguments: Namespace) -> int:
    """Print a row for each service; returns 0, or 1 where one of them failed."""
    root = SecretsRoot(arguments.secrets_root)
    trust_mounted_authorities(root)
    rows = [(name, *_outcome(check)) for name, check in _checks(root, arguments.timeout).items()]
    print("\n".join(_table(rows)))
    return 0 if all(passed for _, passed, _ in rows) else 1


def _checks(root: SecretsRoot, timeout: float) -> dict[str, Check]:
    tracking, auth = schemas(root)
    return {
        "postgresql mlflow": lambda: _database(tracking, timeout),
        "postgresql mlflow_auth": lambda: _database(auth, timeout),
        "indexes mlflow": lambda: _indexes(tracking, timeout),
        "indexes mlflow_auth": lambda: _indexes(auth, timeout),
        "changes mlflow_auth": lambda: _changes(auth, timeout),
        "artifact bucket": _bucket,
        "oidc discovery": lambda: identity_provider.discover(timeout),
        "oidc client": lambda: identity_provider.try_client(root, timeout),
        "session store": lambda: session_store.try_store(root, timeout),
    }


def _outcome(check: Check) -> tuple[bool, str]:
    try:
        return True, check()
    except ProgramError as error:
        return False, "; ".join(part for part in (error.message, error.remedy) if part)


def _table(rows: list[tuple[str, bool, str]]) -> list[str]:
    width = max(len(name) for name, _, _ in rows)
    return [f"{name:<{width}}  {'ok' if passed else 'FAILED':<6}  {text}" for name, passed, text in rows]


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


def _changes(schema: Schema, timeout: float) -> str:
    connection = connect(schema, deadline=Deadline(timeout), program="check")
    with closing(connection), errors_explained(schema, doing="cannot read"):
        state = read_state(connection, schema)
    lacking = [*state.missing, *state.of_others]
    if state.is_complete:
        return f"counted in {len(state.counted)} tables"
    # Without it the server reads grants at every request, which is slower and no failure.
    return f"not counted: {', '.join(lacking) or 'any'} (run `mlflow-sso migrate` as the owner of the tables)"


def _bucket() -> str:
    folder = destination()
    ObjectStore().try_writing(folder, f".mlflow-sso-check-{uuid.uuid4().hex}")
    return f"put, got, listed and deleted in {folder} of {os.environ.get('MLFLOW_S3_ENDPOINT_URL') or 'AWS'}"
