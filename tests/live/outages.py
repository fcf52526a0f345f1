"""Outages of a deployment on the node, each as it happens to operators, with what alert and doctor should say of it.

A cause is a context: it yields what users do meanwhile, which is called again and again, and ends as the alert's page
in docs/runbooks/ says.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass

import httpx
import psycopg
from backing_state import end_connections, entry, write_entry
from psycopg import sql
from web_session import with_key
from worker import Worker

from testbed.node.outage import outage, withdrawn
from testbed.system import System

Feed = Callable[[], object]
Cause = Callable[[System, Worker], AbstractContextManager[Feed]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """``named`` is a line of doctor's that fails beside the one of the alert, if doctor sees the cause itself."""

    cause: Cause
    named: str | None = None


def nothing() -> None:
    """No one is needed to notice."""


@contextmanager
def _superuser(system: System, database: str = "postgres") -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(system.backing.postgres.superuser_dsn, dbname=database, autocommit=True) as session:
        yield session


@contextmanager
def no_pod(system: System, worker: Worker) -> Iterator[Feed]:
    """Somebody has scaled the Deployment to nothing."""
    system.workloads.scale(0)
    try:
        yield nothing
    finally:
        system.workloads.scale(1)
        system.wait_public()


@contextmanager
def database_away(system: System, worker: Worker) -> Iterator[Feed]:
    """PostgreSQL has ended, and its Service has no endpoints."""
    with outage(system.node, system.backing.postgres):
        yield nothing


@contextmanager
def password_changed_by_hand(system: System, worker: Worker) -> Iterator[Feed]:
    """PostgreSQL has another password than the secret store."""
    role = sql.Identifier(system.settings.database.role)
    with _superuser(system) as session:
        (kept,) = session.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname = %s", (system.settings.database.role,)
        ).fetchone() or ("",)
        session.execute(sql.SQL("ALTER ROLE {} PASSWORD 'another'").format(role))
        end_connections(system)
        try:
            yield lambda: worker.log(7)
        finally:
            # What CloudNativePG does, which sets the password of the role's Secret again.
            session.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(kept)))


@contextmanager
def bucket_away(system: System, worker: Worker) -> Iterator[Feed]:
    """MinIO has ended; artifacts fail, everything else goes on."""
    with ThreadPoolExecutor(4) as threads, outage(system.node, system.backing.minio):

        def work() -> None:
            # boto3 tries again for some seconds before it gives up.
            threads.submit(worker.upload, "lost.bin", b"lost")
            worker.log(7)

        yield work


@contextmanager
def locked_table(system: System, worker: Worker) -> Iterator[Feed]:
    """Somebody holds a lock on the table of runs for seconds, again and again."""
    ended = threading.Event()

    def hold() -> None:
        with _superuser(system, system.settings.database.name) as session:
            while not ended.is_set():
                with session.transaction():
                    session.execute("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")
                    ended.wait(4)
                ended.wait(0.1)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        with ThreadPoolExecutor(8) as threads:

            def work() -> None:
                for step in range(1, 5):
                    threads.submit(worker.log, step)

            yield work
            ended.set()
    finally:
        ended.set()
        holder.join()


@contextmanager
def keys_guessed(system: System, worker: Worker) -> Iterator[Feed]:
    """A program tries keys of a known user, many at once."""
    with ThreadPoolExecutor(40) as threads, with_key(system, worker.user, "wrong") as client:

        def guess(_: int) -> None:
            # Who guesses does not care for an answer.
            with suppress(httpx.HTTPError):
                client.get("/api/2.0/mlflow/experiments/search?max_results=1")

        yield lambda: list(threads.map(guess, range(80)))


@contextmanager
def asked_without_login(system: System, worker: Worker) -> Iterator[Feed]:
    """A job whose key is lost asks again and again."""
    with system.client() as client:

        def ask() -> list[int]:
            return [client.get("/api/2.0/mlflow/experiments/search?max_results=1").status_code for _ in range(60)]

        yield ask


@contextmanager
def another_schema(system: System, worker: Worker) -> Iterator[Feed]:
    """An image of another release has migrated the database; it is put back."""
    with _superuser(system, system.settings.database.name) as session:
        (head,) = session.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
        session.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        try:
            yield nothing
        finally:
            session.execute("UPDATE alembic_version SET version_num = %s", (head,))


@contextmanager
def connections_of_others(system: System, worker: Worker) -> Iterator[Feed]:
    """Another program uses the role, and almost all connections that it may have."""
    role, database = system.settings.database.role, system.settings.database.name
    password = entry(system, "postgres")["password"]
    login = system.backing.postgres.dsn(user=role, password=password, database=database)
    with _superuser(system) as session, ExitStack() as stack:

        def used() -> int:
            found = session.execute("SELECT count(*)::int FROM pg_stat_activity WHERE usename = %s", (role,)).fetchone()
            return int(str(found[0])) if found else 0

        # Nine tenths of fewer than eleven are not exceeded while there is one left.
        limit = max(12, used() + 2)
        session.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}").format(sql.Identifier(role), sql.Literal(limit)))

        def take() -> None:
            for _ in range(limit - 1 - used()):
                stack.enter_context(psycopg.connect(login))

        take()
        try:
            yield take
        finally:
            session.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT -1").format(sql.Identifier(role)))


@contextmanager
def half_a_secret(system: System, worker: Worker) -> Iterator[Feed]:
    """The secret store has an entry whose password is empty."""
    kept = entry(system, "postgres")
    write_entry(system, "postgres", kept | {"password": ""})
    try:
        yield nothing
    finally:
        write_entry(system, "postgres", kept)


def end_access(system: System, name: str, *, succeeds: bool) -> None:
    """Run the CronJob now."""
    workloads = system.workloads
    workloads.kubectl("create", "job", name, f"--from=cronjob/{system.settings.name}-end-access")
    if succeeds:
        workloads.wait_job(name)
        workloads.kubectl("delete", "job", name)


@contextmanager
def changed_end_access(system: System, **fields: object) -> Iterator[None]:
    """The CronJob with other ``fields`` of its spec, and afterwards with those that it had."""
    workloads, name = system.workloads, f"{system.settings.name}-end-access"
    kept = system.node.get("cronjob", name, "--namespace", workloads.namespace)["spec"]

    def patch(spec: Mapping[str, object]) -> None:
        workloads.kubectl("patch", "cronjob", name, "--patch", json.dumps({"spec": spec}))

    patch(fields)
    try:
        yield
    finally:
        patch({field: kept[field] for field in fields})


@contextmanager
def realm_away(system: System, worker: Worker) -> Iterator[Feed]:
    """Keycloak cannot be reached while end-access runs."""
    with withdrawn(system.node, system.backing.keycloak):
        end_access(system, "fails", succeeds=False)
        yield nothing
    # It might be about to try again.
    system.workloads.kubectl("delete", "job", "fails")
    end_access(system, "again", succeeds=True)


@contextmanager
def suspended(system: System, worker: Worker) -> Iterator[Feed]:
    """Somebody has suspended the CronJob, which had succeeded before, and forgot it."""
    end_access(system, "before", succeeds=True)
    with changed_end_access(system, suspend=True):
        yield nothing
    # Its time has not come yet.
    end_access(system, "after", succeeds=True)


DRILLS: Mapping[str, Drill] = {
    "MlflowDown": Drill(cause=no_pod, named="Deployment mlflow"),
    "MlflowDatabaseDown": Drill(cause=database_away, named="in the pod"),
    "MlflowErrorsSlow": Drill(cause=bucket_away, named="in the pod"),
    "MlflowErrorsFast": Drill(cause=password_changed_by_hand, named="in the pod"),
    "MlflowSlow": Drill(cause=locked_table),
    "MlflowBusy": Drill(cause=keys_guessed),
    "MlflowManyRefusedLogins": Drill(cause=asked_without_login),
    "MlflowSchemaBehind": Drill(cause=another_schema, named="in the pod: postgresql mlflow"),
    "MlflowConnectionsNearlyUsed": Drill(cause=connections_of_others),
    "MlflowSecretsNotUsed": Drill(cause=half_a_secret),
    "MlflowProgramFailed": Drill(cause=realm_away, named="in the pod"),
    # Behind it, since it fires from three scaled hours after the latest success on.
    "MlflowLeaversKeepAccess": Drill(cause=suspended),
}
"""By the alert that notices it."""
