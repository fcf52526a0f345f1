"""``end-access``: ends keys and sessions of users who may no longer log in at Keycloak, and rights of groups they left.

An access key lives for up to a year, whatever happens to its user meanwhile. Who is in neither group, is disabled or is
not in the realm any more loses key and sessions; who comes back logs in again. Who may still log in loses what a login
would take: the grants of a group that they have left, the rights of an administrator. A user is taken for gone only
if two readings of the groups and a look at the user agree; whenever Keycloak does not answer whole, nothing is ended.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from contextlib import closing

from mlflow_sso import directory, log
from mlflow_sso.access_rows import Right, access_rows
from mlflow_sso.account import User
from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.database import connect, errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.directory import UNKNOWN, Directory
from mlflow_sso.errors import UsageError
from mlflow_sso.groups import administrators_groups, users_groups
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
    # With the administrators' group only, everybody else would count as gone.
    if not users_groups():
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
        users, rights = rows.users(connection), rows.rights(connection)
        keycloak = directory.log_in(root, arguments.timeout)
        members = keycloak.members()
        gone, lost = find_gone(users, keycloak, members), find_lost(rights, keycloak, members)
        # Only from here: no transaction stays open while Keycloak is asked.
        connection.autocommit = False
        for user, reason in gone:
            counts = {} if arguments.dry_run else rows.end_access(connection, user)
            log.result(user=user.name, reason=reason, dry_run=arguments.dry_run, **counts)
        for right in lost:
            counts = {} if arguments.dry_run else rows.end_right(connection, right)
            log.result(user=right.user.name, reason=_left(right), dry_run=arguments.dry_run, **counts)
        outcome.counts = {"users": len(users), "ended": len(gone), "rights": len(lost)}
    log.result(total=len(gone), of=len(users), rights=len(lost), dry_run=arguments.dry_run)
    return 0


def find_gone(users: Iterable[User], keycloak: Directory, members: frozenset[str]) -> list[tuple[User, str]]:
    """Those of ``users`` who are no longer authorized, with the reason; ``members`` is a first reading of the groups.

    All of them are known before the first one's access ends. Raises ``ProgramError`` for half an answer.
    """
    suspects = _missing_from(members, users)
    if suspects:
        # A list that changes while its pages are read may omit a user.
        suspects = _missing_from(keycloak.members(), suspects)
    reasons = [(user, keycloak.reason_to_end(user)) for user in suspects]
    return [(user, reason) for user, reason in reasons if reason and not _is_local(user, reason)]


def find_lost(rights: Iterable[Right], keycloak: Directory, members: frozenset[str]) -> list[Right]:
    """Those of ``rights`` whose user, one of ``members``, is in the group no more.

    A group that the realm does not have can be left by no user: an administrator of MLflow may have made it. Raises
    ``ProgramError`` for half an answer.
    """
    held = [right for right in rights if not members.isdisjoint(right.user.marks)]
    known = {name: keycloak.members_of(name) for right in held for name in _groups(right)}
    suspects = [right for right in held if _is_outside(right, known)]
    groups = {right.user: keycloak.groups_of(right.user) for right in suspects}
    return [right for right in suspects if groups[right.user] and groups[right.user].isdisjoint(_groups(right))]


def _groups(right: Right) -> frozenset[str]:
    return administrators_groups() if right.group is None else frozenset((right.group,))


def _is_outside(right: Right, known: Mapping[str, frozenset[str] | None]) -> bool:
    found = [known[name] for name in _groups(right)]
    return bool(found) and all(members is not None and members.isdisjoint(right.user.marks) for members in found)


def _left(right: Right) -> str:
    return f"not in {right.group or ', '.join(sorted(_groups(right)))}"


def _missing_from(members: frozenset[str], users: Iterable[User]) -> list[User]:
    return [user for user in users if members.isdisjoint(user.marks)]


def _is_local(user: User, reason: str) -> bool:
    """Whether an administrator of MLflow made the account for a program that Keycloak has never known."""
    return user.is_service_account and reason == UNKNOWN and not user.name.startswith(directory.SERVICE_ACCOUNT)
