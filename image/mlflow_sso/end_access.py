"""``end-access``: ends keys and sessions of users who may no longer log in at Keycloak.

An access key lives for up to a year, whatever happens to its user meanwhile. Who is in neither group, is disabled or is
not in the realm any more loses key and sessions; who comes back logs in again. Somebody is taken for gone only if two
readings of the groups and a look at the user agree; whenever Keycloak does not answer whole, nothing is ended.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from contextlib import closing

from mlflow_sso import directory, log
from mlflow_sso.access_rows import User, access_rows
from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.database import connect, errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.directory import UNKNOWN, Directory, folded
from mlflow_sso.errors import UsageError
from mlflow_sso.groups import allowed_groups
from mlflow_sso.outcomes import recorded
from mlflow_sso.releases import installed
from mlflow_sso.revision import require_head
from mlflow_sso.schemas import schemas
from mlflow_sso.secrets_root import SecretsRoot


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say whose access would end, and end nothing")
    add_timeout_argument(parser, default=60, what="PostgreSQL and Keycloak")


def run(arguments: Namespace) -> int:
    """Print a line for each user whose access ends, and one for all; raises ``ProgramError`` with nothing ended."""
    if not allowed_groups():
        raise UsageError("OIDC_GROUP_NAME names no group", remedy="set it to the groups that may use the server")
    root = SecretsRoot(arguments.secrets_root)
    trust_mounted_authorities(root)
    release = installed()
    _, schema = schemas(root)
    deadline = Deadline(arguments.timeout)
    connection = connect(schema, deadline=deadline, program="end-access", writable=not arguments.dry_run)
    with (
        closing(connection),
        errors_explained(schema, doing="cannot end access in"),
        recorded(connection, "end-access", dry_run=arguments.dry_run) as outcome,
    ):
        require_head(connection, schema)
        rows = access_rows(release)
        users = rows.users(connection)
        gone = find_gone(users, directory.log_in(root, arguments.timeout))
        # Only from here: no transaction stays open while Keycloak is asked.
        connection.autocommit = False
        for user, reason in gone:
            counts = {} if arguments.dry_run else rows.end_access(connection, user)
            log.result(user=user.name, reason=reason, dry_run=arguments.dry_run, **counts)
        outcome.counts = {"users": len(users), "ended": len(gone)}
    log.result(total=len(gone), of=len(users), dry_run=arguments.dry_run)
    return 0


def find_gone(users: Iterable[User], keycloak: Directory) -> list[tuple[User, str]]:
    """Those of ``users`` who are no longer authorized, with the reason.

    All of them are known before the first one's access ends. Raises ``ProgramError`` for half an answer.
    """
    suspects = _missing_from(keycloak, users)
    if suspects:
        # A list that changes while its pages are read may omit a user.
        suspects = _missing_from(keycloak, suspects)
    reasons = [(user, keycloak.reason_to_end(folded(user.name))) for user in suspects]
    return [(user, reason) for user, reason in reasons if reason and not _is_local(user, reason)]


def _missing_from(keycloak: Directory, users: Iterable[User]) -> list[User]:
    members = keycloak.members()
    return [user for user in users if folded(user.name) not in members]


def _is_local(user: User, reason: str) -> bool:
    """Whether an administrator of MLflow made the account for a program that Keycloak has never known."""
    return user.is_service_account and reason == UNKNOWN and not user.name.startswith(directory.SERVICE_ACCOUNT)
