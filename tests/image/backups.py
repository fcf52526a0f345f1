"""Pods that dump into a bucket of their own, what fills their databases, and all that is in them."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
from beside import beside
from pod import Database, Pod

from mlflow_sso.changes import TABLE as CHANGES

# Names with all that COPY escapes and letters outside of ASCII, and values that are empty.
ROWS = """
INSERT INTO experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time)
  SELECT 'e' || n, 'mlflow-artifacts:/' || n, 'active', 1, 1 FROM generate_series(1, 20) n;
INSERT INTO runs (run_uuid, name, experiment_id, status, lifecycle_stage, start_time)
  SELECT md5(n::text), E'r\\t\\\\ \\n' || n || '\u00e4\u4e2d', 1 + n %% 20,
  'FINISHED', 'active', n FROM generate_series(1, 3000) n;
INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)
  SELECT 'loss', n / 7.0, n, md5((1 + n %% 3000)::text), n, false FROM generate_series(1, 20000) n;
INSERT INTO params (key, value, run_uuid) SELECT 'empty', '', md5(n::text) FROM generate_series(1, 100) n;
"""
GROUPS = "INSERT INTO groups (group_name) SELECT 'group ' || n FROM generate_series(1, 9) n"
ENDED = "INSERT INTO mlflow_sso_ended_access SELECT 'user ' || n, n || '.5' FROM generate_series(1, 7) n"
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
PARTS = {
    "constraints": "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)"
    " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "sequences": "SELECT sequencename || ' ' || coalesce(last_value, 0) FROM pg_sequences",
}
GROUP = "INSERT INTO groups (group_name) VALUES (%s)"
EXPERIMENT = "INSERT INTO experiments (name, lifecycle_stage) VALUES (%s, 'active')"


def make_backup_pod(pod: Pod, **settings: str) -> Pod:
    """A pod that dumps into a bucket of its own."""
    name = f"backup-{secrets.token_hex(4)}"
    # Dumps are refused in the bucket of the artifacts, which users may read.
    pod.bucket.client.make_bucket(name)
    return replace(pod, settings={**pod.settings, "MLFLOW_SSO_BACKUP_TARGET": f"s3://{name}/mlflow", **settings})


def make_empty_copy(pod: Pod, folder: Path) -> Pod:
    """The same settings with new, empty databases, as after a loss."""
    database = Database(server=pod.database.server)
    database.create()
    copy = replace(pod, database=database, folder=folder)
    copy.mount()
    return copy


def read_all(pod: Pod) -> dict[str, str]:
    """Schema and rows of both databases, as text by table; without the number of changes, which begins anew."""
    content = {}
    for service in ("mlflow", "mlflow_auth"):
        # A connection for each table would take most of the time.
        with psycopg.connect(pod.database.dsn(service), autocommit=True) as connection:
            for table in _column(connection, TABLES):
                if table != CHANGES:
                    rows = _column(connection, f'SELECT t::text FROM "{table}" t ORDER BY 1')  # noqa: S608
                    content[f"{service}/{table}"] = "\n".join(rows)
            for kind, query in PARTS.items():
                content[f"{service}:{kind}"] = "\n".join(sorted(_column(connection, query)))
    return content


def _column(connection: psycopg.Connection, query: str) -> list[str]:
    return [value for (value,) in connection.execute(query.encode())]


def make_filled(pod: Pod) -> Pod:
    """The same with rows in both databases, and a bucket for dumps."""
    filled = make_backup_pod(pod)
    filled.database.query(ROWS)
    filled.database.query(GROUPS, service="mlflow_auth")
    filled.database.query(ENDED, service="mlflow_auth")
    return filled


@contextmanager
def pairs_written(pod: Pod) -> Iterator[list[psycopg.Error]]:
    """Write a group and an experiment, again and again, until the block ends; yields what went wrong."""
    errors = list[psycopg.Error]()

    def write(ended: threading.Event) -> None:
        number, dsn = 0, pod.database.dsn
        try:
            with (
                psycopg.connect(dsn("mlflow_auth"), autocommit=True) as groups,
                psycopg.connect(dsn("mlflow"), autocommit=True) as experiments,
            ):
                # Much less than lies between two statements of a dump that is of two moments.
                while not ended.wait(0.001):
                    number += 1
                    # The permissions database is written first, so an experiment without its group is of two moments.
                    groups.execute(GROUP, [f"w{number}"])
                    experiments.execute(EXPERIMENT, [f"w{number}"])
        except psycopg.Error as error:
            errors.append(error)

    with beside(write):
        yield errors
