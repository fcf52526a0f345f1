"""Reads, beside a login, the number that every change of users, keys, groups and grants increases."""

import os
from typing import Any

from mlflow_sso import log
from mlflow_sso.changes import STATE, TABLE, changes_state


def number_column(engine: Any) -> Any:
    """A column for a statement on the permissions database, with the number; NULL if changes are not counted.

    ``engine`` is the plugin's. Without the number nothing is remembered.
    """
    # sqlalchemy is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from sqlalchemy import column, null, select, table

    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.exec_driver_sql(STATE)]
    state = changes_state(rows, version_table=os.environ.get("OIDC_ALEMBIC_VERSION_TABLE") or "alembic_version")
    if not state.is_complete:
        log.progress(
            "changes of grants are not counted, so they are read at every request; run `mlflow-sso migrate`",
            level="warning",
            tables=[*state.missing, *state.of_others],
        )
        return null().label("number")
    return select(column("number")).select_from(table(TABLE)).scalar_subquery().label("number")


def reading(engine: Any) -> Any:
    """``engine``, for single statements: one round trip and no transaction."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")
