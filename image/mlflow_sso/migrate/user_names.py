"""Stores users' names in small letters, as the server asks for them; older releases kept some as they were typed.

An account in capitals could never log in. Its grants and keys stay with its row, whose number other tables refer to.
"""

from typing import Any

from mlflow_sso import log
from mlflow_sso.patches.user_names import folded
from mlflow_sso.schemas import Schema

FOLD = (
    "UPDATE users SET username = %(to)s WHERE id = %(id)s "
    "AND NOT EXISTS (SELECT FROM users AS other WHERE other.username = %(to)s)"
)


def fold_names(connection: Any, schema: Schema) -> None:
    """One statement a name; a name that is taken stays, with a warning. Raises psycopg2's errors."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, username FROM users WHERE username <> lower(username) ORDER BY id")
        for key, name in cursor.fetchall():
            cursor.execute(FOLD, {"id": key, "to": folded(name)})
            if cursor.rowcount:
                log.progress("a user's name is stored in small letters now", database=schema.name, user=name)
            else:
                log.progress(
                    "two users differ in capitals only; delete the one that cannot log in",
                    level="warning",
                    database=schema.name,
                    user=name,
                )
