"""One run of the garbage collection: batch after batch, each one transaction.

In a batch the things are locked, their rows are deleted, experiments and model versions are locked against writers,
everything in use is looked at once more, their objects are deleted, and only then it is committed. Killed in between,
the rows still exist, and the next run continues.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from mlflow_sso import log
from mlflow_sso.database import lift_time_limits
from mlflow_sso.garbage_collection.due import DUE, KEYS, Expired, claim, expired, lock_runs, members, traces
from mlflow_sso.garbage_collection.row_deletion import References, delete_rows, references
from mlflow_sso.garbage_collection.sweep import Sweep
from mlflow_sso.garbage_collection.usage import KeptError, Usage, has_server_made_location
from mlflow_sso.garbage_collection.usage_rows import UsageRows, read_trace_claims
from mlflow_sso.object_store import Folder, ObjectStore, Size, destination
from mlflow_sso.releases import installed

BATCH = {"logged_model": 2000, "run": 2000, "experiment": 50}
"""Things in one transaction, at most."""

OBJECTS = 20_000
"""Objects in one transaction, about: as long as they take, no experiment or model version can be created."""

LOCK_KEY = int.from_bytes(b"mlflowgc")
"""Key of the advisory lock by which two runs at once take turns."""

LOCK_TIMEOUT = "500ms"
"""Shorter than PostgreSQL's ``deadlock_timeout`` of a second, so that of two that wait it is always us who give way."""

TRIES = 20


class _UnsettledError(Exception):
    """The transaction has to be done again: something changed meanwhile, or there are more objects."""


@dataclass(frozen=True, kw_only=True)
class Going:
    """A thing that is due and may go, with what belongs to it."""

    item: Expired
    folders: dict[Folder, Expired] = field(default_factory=dict)
    members: tuple[Expired, ...] = ()
    left: tuple[Expired, ...] = ()
    """Traces whose folders cannot be told; what is there stays."""


@dataclass(kw_only=True)
class Collection:
    """Deletes over one connection, whose transactions it opens and ends."""

    connection: Any
    store: ObjectStore
    before: int
    dry_run: bool
    should_stop: Callable[[], None]
    """Called between batches; raises an exception to end the run."""

    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys((*DUE, "kept", "blocked"), 0)))
    size: Size = field(default_factory=Size)
    rows: int = 0

    def collect(self) -> None:
        """Go through all kinds; stops at the first error of the database or the bucket."""
        self._root = destination()
        with self.connection, self.connection.cursor() as cursor:
            lift_time_limits(self.connection)
            self._keys: References = references(cursor)
            self._usage = self._look(cursor)
        if users := self._usage.unheeded:
            log.progress(
                "the ids of traces make their places name the whole bucket, which keeps nothing of it",
                level="warning",
                users=len(users),
                first=min(users),
            )
        for kind in DUE:
            for batch in expired(self.connection, kind, before=self.before, size=BATCH[kind]):
                self.should_stop()
                self._collect(kind, batch)

    @property
    def totals(self) -> dict[str, int]:
        return {**self.counts, **asdict(self.size), "rows": self.rows}

    def _look(self, cursor: Any, *, kept: frozenset[int] = frozenset()) -> Usage:
        return Usage(rows=UsageRows.read(cursor, before=self.before), root=self._root, kept=kept)

    def _collect(self, kind: str, batch: list[Expired]) -> None:
        # So that --help and usage errors need no database driver.
        from psycopg2.errors import ForeignKeyViolation

        try:
            self._try_often(kind, batch)
        except ForeignKeyViolation as error:
            # By halves until the rows that another table refers to are found; all others can be deleted.
            if len(batch) > 1:
                self._collect(kind, batch[: len(batch) // 2])
                self._collect(kind, batch[len(batch) // 2 :])
            else:
                self._usage = Usage(rows=self._usage.rows, root=self._root, kept=self._usage.kept | _experiments(batch))
                self._keep(batch[0], KeptError(str(error).splitlines()[0], blocked=True))

    def _try_often(self, kind: str, batch: list[Expired]) -> None:
        from psycopg2.errors import DeadlockDetected, LockNotAvailable

        tries = TRIES
        while True:
            try:
                return self._transaction(kind, batch)
            except _UnsettledError:
                self.should_stop()
            except (LockNotAvailable, DeadlockDetected):
                tries -= 1
                if not tries:
                    raise
                self.should_stop()
                time.sleep(random.uniform(0.1, 1.0))  # noqa: S311 - so that two of us do not meet again

    def _transaction(self, kind: str, batch: list[Expired]) -> None:
        sweep = Sweep(store=self.store, dry_run=self.dry_run, limit=OBJECTS)
        with self.connection, self.connection.cursor() as cursor:
            # It is idle while the bucket deletes, for as long as 20,000 objects take.
            lift_time_limits(self.connection)
            claimed = batch if self.dry_run else self._claim(cursor, kind, batch)
            going, kept = self._sort(cursor, claimed)
            self._let_stay(item for item, _ in kept)
            rows = 0 if self.dry_run else self._delete_rows(cursor, kind, going)
            if not self.dry_run:
                self._look_again(cursor, going)
            sweep.run(folder for thing in going for folder in thing.folders)
            if not self.dry_run:
                self._find_late_users(cursor, going)
            # Rows may be deleted only after the last object: what was deleted is not missed by the next try.
            if not sweep.is_complete:
                self.connection.rollback()
        self.size += sweep.total
        if not sweep.is_complete:
            raise _UnsettledError
        self.rows += rows
        self._report(going, kept, sweep)

    def _claim(self, cursor: Any, kind: str, batch: list[Expired]) -> list[Expired]:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        self._await_turn(cursor)
        claimed = claim(cursor, kind, batch, before=self.before)
        if kind == "experiment":
            # A run that is restored now waits for us; one that was restored before makes its experiment not due.
            lock_runs(cursor, claimed)
            claimed = claim(cursor, kind, claimed, before=self.before)
        return claimed

    def _await_turn(self, cursor: Any) -> None:
        """Wait for another run, as long as that takes, unless this one has to stop."""
        from psycopg2.errors import LockNotAvailable

        while True:
            cursor.execute("SAVEPOINT turn")
            try:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
            except LockNotAvailable:
                cursor.execute("ROLLBACK TO SAVEPOINT turn")
                self.should_stop()
            else:
                cursor.execute("RELEASE SAVEPOINT turn")
                return

    def _sort(self, cursor: Any, items: Iterable[Expired]) -> tuple[list[Going], list[tuple[Expired, KeptError]]]:
        going, kept = [], []
        for item in items:
            try:
                going.append(self._going(cursor, item))
            except KeptError as reason:
                kept.append((item, reason))
        return going, kept

    def _let_stay(self, items: Iterable[Expired]) -> None:
        """Count what an experiment uses that has to stay as in use; raise if that is new."""
        staying = _experiments(items) - self._usage.kept
        if staying:
            self._usage = Usage(rows=self._usage.rows, root=self._root, kept=self._usage.kept | staying)
            raise _UnsettledError

    def _going(self, cursor: Any, item: Expired) -> Going:
        if item.kind != "experiment":
            folder = self._usage.folder_of(item)
            return Going(item=item, folders={folder: item} if folder else {})
        inside = tuple(members(cursor, item.experiment_id))
        for member in inside:
            self._usage.require_unnamed(member)
        parts = [item] if has_server_made_location(item) else [*inside, *traces(cursor, item)]
        found = [(part, self._usage.folder_of(part)) for part in parts]
        return Going(
            item=item,
            folders={folder: part for part, folder in found if folder},
            members=inside,
            left=tuple(part for part, folder in found if folder is None and part.kind == "trace"),
        )

    def _delete_rows(self, cursor: Any, kind: str, going: list[Going]) -> int:
        keys = [thing.item.key for thing in going]
        if not keys:
            return 0
        rows = 0
        if kind == "experiment":
            for table in installed().experiment_tables:
                rows += delete_rows(cursor, self._keys, table, "experiment_id", keys)
        return rows + delete_rows(cursor, self._keys, *KEYS[kind][:2], keys)

    def _look_again(self, cursor: Any, going: list[Going]) -> None:
        """Keep writers from what can begin to use a folder, and raise if a row uses one that is about to go."""
        # It blocks writers and no readers (PostgreSQL, "Explicit Locking"), until the objects are deleted.
        cursor.execute("LOCK TABLE experiments, model_versions IN SHARE ROW EXCLUSIVE MODE")
        usage = self._look(cursor, kept=self._usage.kept)
        try:
            for thing in going:
                for folder, part in thing.folders.items():
                    usage.require_unused(part, folder)
                for part in (thing.item, *thing.members):
                    usage.require_unnamed(part)
        except KeptError:
            raise _UnsettledError from None
        finally:
            self._usage = usage

    def _find_late_users(self, cursor: Any, going: list[Going]) -> None:
        """Tell of traces that have begun, by a tag, to use a folder while it was being deleted."""
        claims = read_trace_claims(cursor) - self._usage.rows.traces
        if not claims:
            return
        late = Usage(rows=self._usage.rows.with_traces(claims), root=self._root)
        for thing in going:
            for folder, part in thing.folders.items():
                try:
                    late.require_unused(part, folder)
                except KeptError as reason:
                    self.counts["blocked"] += 1
                    log.progress("a row began to use what was being deleted", level="warning", reason=str(reason))

    def _keep(self, item: Expired, reason: KeptError) -> None:
        self.counts["blocked" if reason.blocked else "kept"] += 1
        log.result(**_about(item), action="kept", reason=str(reason))

    def _report(self, going: list[Going], kept: list[tuple[Expired, KeptError]], sweep: Sweep) -> None:
        for item, reason in kept:
            self._keep(item, reason)
        for thing in going:
            if thing.left:
                log.progress(
                    "the ids of traces do not tell their folders, which stay",
                    level="warning",
                    **_about(thing.item),
                    traces=len(thing.left),
                    first=thing.left[0].id,
                )
            size = sum((sweep.sizes[folder] for folder in thing.folders if folder in sweep.sizes), Size())
            self.counts[thing.item.kind] += 1
            log.result(**_about(thing.item), action="would remove" if self.dry_run else "removed", **asdict(size))


def _experiments(items: Iterable[Expired]) -> frozenset[int]:
    return frozenset(item.experiment_id for item in items if item.kind == "experiment")


def _about(item: Expired) -> dict[str, object]:
    return {"kind": item.kind, "id": item.id, "experiment_id": item.experiment_id}
