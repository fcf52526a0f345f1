"""Every request of the permissions table."""

from dataclasses import replace

import access_rows
import data_rows
from row import Level, Row

from cdk8s_mlflow.releases import RELEASES

USERS = {"3.6.0": access_rows.USERS_3_6_0, "3.17.2": access_rows.USERS_3_17_2}
TWO_NAMES = {"3.6.0": access_rows.TWO_NAMES_3_6_0, "3.17.2": access_rows.TWO_NAMES_3_17_2}


def rows_of(release: str) -> list[Row]:
    """Every request of a release, those that take away what others ask for at the end.

    Nobody may send what the Ingress refuses.
    """
    rows = (
        *access_rows.SERVER,
        *data_rows.ROWS,
        *TWO_NAMES[release],
        *access_rows.GRANTS,
        *USERS[release],
        *data_rows.DELETIONS,
    )
    refused = RELEASES[release].unchecked_paths
    return [replace(row, needs=Level.NOBODY) if row.path.startswith(refused) else row for row in rows]
