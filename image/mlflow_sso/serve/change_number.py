"""Reads, beside a login, the number that every change of users, keys, groups and grants increases."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def reading(engine: Any) -> Iterator[Any]:
    """A connection of ``engine``'s for single statements: a round trip each and no transaction."""
    with engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        # In the driver, which sends nothing for it; SQLAlchemy's AUTOCOMMIT sends a SET before and one after.
        driver.autocommit = True
        try:
            yield connection
        finally:
            if not driver.closed:
                driver.autocommit = False
