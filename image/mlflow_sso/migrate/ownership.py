"""Who owns a database and its tables, and who may connect to it."""

from typing import Any

from mlflow_sso.errors import TerminalError
from mlflow_sso.schemas import Schema

_FOREIGN_TABLES = """
SELECT relname, pg_get_userbyid(relowner) FROM pg_class
WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) AND relkind IN ('r', 'p')
AND NOT pg_has_role(relowner, 'USAGE') ORDER BY relname
"""

_PUBLIC_CONNECT = """
SELECT pg_has_role(datdba, 'USAGE'), EXISTS (
  SELECT FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE grantee = 0 AND privilege_type = 'CONNECT')
FROM pg_database WHERE datname = current_database()
"""


def require_ownership(connection: Any, schema: Schema) -> None:
    """Raise ``TerminalError`` if the role cannot create a table or change an existing one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)")
        role, may_create = cursor.fetchone()
        cursor.execute(_FOREIGN_TABLES)
        foreign = cursor.fetchall()
    if foreign:
        table, owner = foreign[0]
        raise TerminalError(
            f"{schema.name}: {role} does not own {len(foreign)} of its tables, such as {table} of {owner}",
            remedy=f"as a superuser, for each of them: ALTER TABLE {table} OWNER TO {role}",
        )
    if not may_create:
        raise TerminalError(
            f"{schema.name}: the role {role} may not create tables in it",
            remedy=f"as a superuser: ALTER DATABASE … OWNER TO {role}, or GRANT CREATE ON SCHEMA public TO {role}",
        )


def public_connect(connection: Any) -> tuple[bool, bool]:
    """Whether the role owns the database, and whether everybody may connect to it (PostgreSQL's default)."""
    with connection.cursor() as cursor:
        cursor.execute(_PUBLIC_CONNECT)
        owned, public = cursor.fetchone()
    return bool(owned), bool(public)


def revoke_public_connect(connection: Any) -> None:
    """Leave CONNECT to the owner and to the roles that were granted it by name."""
    # So that --help and usage errors need no database driver.
    from psycopg2 import sql

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        (name,) = cursor.fetchone()
        cursor.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
