"""``gc``: deletes for good what was marked deleted long enough ago, objects first, then rows.

Works on the database and the bucket themselves, so it needs no login. One thing is one transaction: its row is locked,
its objects are deleted, then its rows; killed in between, the next run finds the row still there and goes on.
"""

import re
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

from mlflow_sso import log
from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.database import connect, errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.expired import DUE, KEYS, Expired, claim, expired, locations, members, users_by_id
from mlflow_sso.object_store import Folder, ObjectStore, Size, destination, resolve
from mlflow_sso.releases import installed
from mlflow_sso.revision import require_head
from mlflow_sso.row_deletion import References, delete_rows, references
from mlflow_sso.schemas import schemas
from mlflow_sso.secrets_root import SecretsRoot

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


class KeptError(Exception):
    """A thing that is due cannot be deleted now; ``blocked`` says that a person has to look at it."""

    def __init__(self, reason: str, *, blocked: bool) -> None:
        super().__init__(reason)
        self.blocked = blocked


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--older-than",
        type=age,
        default=age("30d"),
        metavar="AGE",
        help="how long ago it was marked deleted at least, such as 30d or 12h30m (default: 30d)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")
    add_timeout_argument(parser, default=60, what="PostgreSQL")


def age(text: str) -> int:
    """Seconds of ``30d``, ``12h30m``, ``90s``, in MLflow's notation."""
    if not re.fullmatch(r"(\d+d)?(\d+h)?(\d+m)?(\d+s)?", text) or not text:
        raise ArgumentTypeError(f"{text!r} is not an age such as 30d or 12h30m")
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([dhms])", text))


def run(arguments: Namespace) -> int:
    """Delete what is due and print a line for each thing and one for all.

    Returns 0, or 1 where something could not be deleted and a person has to look at it; raises ``ProgramError``.
    """
    root = SecretsRoot(arguments.secrets_root)
    trust_mounted_authorities(root)
    schema, _ = schemas(root)
    destination()
    deadline = Deadline(arguments.timeout)
    connection = connect(schema, deadline=deadline, program="gc", writable=not arguments.dry_run)
    with closing(connection), errors_explained(schema, doing="cannot collect the garbage of"):
        require_head(connection, schema)
        connection.autocommit = False
        before = int((time.time() - arguments.older_than) * 1000)
        collection = Collection.start(connection, before=before, dry_run=arguments.dry_run)
        try:
            collection.collect()
        finally:
            log.result(kind="total", dry_run=arguments.dry_run, **collection.counts)
    return 1 if collection.counts["blocked"] else 0


@dataclass(frozen=True, kw_only=True)
class Collection:
    """One run of the garbage collection over one connection."""

    connection: Any
    store: ObjectStore
    keys: References
    users: Mapping[str, str]
    before: int
    dry_run: bool
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys((*DUE, "kept", "blocked"), 0)))

    @classmethod
    def start(cls, connection: Any, *, before: int, dry_run: bool) -> "Collection":
        with connection, connection.cursor() as cursor:
            return cls(
                connection=connection,
                store=ObjectStore(),
                keys=references(cursor),
                users=users_by_id(cursor),
                before=before,
                dry_run=dry_run,
            )

    def collect(self) -> None:
        """Go through all kinds; stops at the first error of the database or the bucket."""
        for kind in DUE:
            with self.connection, self.connection.cursor() as cursor:
                due = expired(cursor, kind, before=self.before)
            for item in due:
                self._collect_one(item)

    def _collect_one(self, item: Expired) -> None:
        from psycopg2.errors import ForeignKeyViolation

        about = {"kind": item.kind, "id": item.id, "experiment_id": item.experiment_id}
        try:
            with self.connection, self.connection.cursor() as cursor:
                claimed = claim(cursor, item, before=self.before)
                if claimed is None:
                    return
                removed = self._remove(cursor, claimed)
            self.counts[item.kind] += 1
            log.result(**about, action="would remove" if self.dry_run else "removed", **removed)
        except KeptError as reason:
            self.counts["blocked" if reason.blocked else "kept"] += 1
            log.result(**about, action="kept", reason=str(reason))
        except ForeignKeyViolation as error:
            self.counts["blocked"] += 1
            log.result(**about, action="kept", reason=str(error).splitlines()[0])

    def _remove(self, cursor: Any, item: Expired) -> dict[str, int]:
        self._require_unused(cursor, item)
        folders = [_folder(location, identity) for location, identity in locations(cursor, item) if location]
        if self.dry_run:
            return asdict(sum((self.store.size(folder) for folder in folders), Size()))
        rows = self._delete_rows(cursor, item)
        size = sum((self.store.delete(folder) for folder in folders), Size())
        return {**asdict(size), "rows": rows}

    def _require_unused(self, cursor: Any, item: Expired) -> None:
        things = [item] if item.kind != "experiment" else members(cursor, item.experiment_id)
        for thing in things:
            if thing.id in self.users:
                raise KeptError(f"model version {self.users[thing.id]} uses {thing.kind} {thing.id}", blocked=False)

    def _delete_rows(self, cursor: Any, item: Expired) -> int:
        rows = 0
        if item.kind == "experiment":
            for table in installed().experiment_tables:
                rows += delete_rows(cursor, self.keys, table, "experiment_id", item.key)
        return rows + delete_rows(cursor, self.keys, *KEYS[item.kind], item.key)


def _folder(location: str, identity: str) -> Folder:
    """Where the artifacts are; raises ``KeptError`` for a place that we cannot, or dare not, clear."""
    folder = resolve(location)
    if folder is None:
        raise KeptError(f"its artifacts are at {location}, neither proxied nor in S3", blocked=True)
    if identity not in folder.prefix.split("/"):
        raise KeptError(f"its artifacts are at {location}, which it may share with others", blocked=True)
    return folder
