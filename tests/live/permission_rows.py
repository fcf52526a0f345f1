"""Every request of the permissions table."""

from dataclasses import replace

import access_rows
import data_rows
from row import Level, Row

USERS = {"3.6.0": access_rows.USERS_3_6_0, "3.17.2": access_rows.USERS_3_17_2}
REFUSED = {
    "3.6.0": (
        "/api/2.0/mlflow-artifacts/mpu",
        "/api/2.0/mlflow/webhooks",
        "/ajax-api/2.0/mlflow/webhooks",
        "/ajax-api/2.0/mlflow/upload-artifact",
        "/ajax-api/2.0/mlflow/runs/create-promptlab-run",
    ),
    "3.17.2": (),
}
"""Beginnings of paths that the server refuses to everybody."""


def rows_of(release: str) -> list[Row]:
    """Every request of a release, those that delete what others ask for at the end.

    Nobody may send what the table of routes refuses.
    """
    rows = (
        *access_rows.SERVER,
        *data_rows.ROWS,
        *access_rows.TWO_NAMES,
        *access_rows.GRANTS,
        *USERS[release],
        *data_rows.DELETIONS,
    )
    refused = REFUSED[release]
    return [replace(row, needs=Level.NOBODY) if row.path.startswith(refused) else row for row in rows]
