"""What the databases hold, as gauges on the metrics port: read once a minute at most, whoever scrapes how often.

A scrape never waits for PostgreSQL: a thread reads, and each scrape gets what was read last. Rows are PostgreSQL's own
estimate, so that reading them costs the same for ten and for ten million.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from mlflow_sso import log
from mlflow_sso.database import connect
from mlflow_sso.deadline import Deadline
from mlflow_sso.errors import ProgramError
from mlflow_sso.outcomes import Known, read_outcomes
from mlflow_sso.releases import installed
from mlflow_sso.revision import schema_state
from mlflow_sso.schemas import Schema

PERIOD_SECONDS = 60.0
STATEMENT_TIMEOUT = "5s"

TABLES = {
    "mlflow": ("experiments", "logged_models", "model_versions", "registered_models", "runs", "trace_info"),
    "mlflow_auth": ("auth_sessions", "experiment_permissions", "groups", "user_tokens", "users"),
}
"""By database: tables whose rows operators ask for; a release may lack some."""

_ROWS = "SELECT relname, n_live_tup FROM pg_stat_user_tables WHERE relname = ANY(%s)"
_SIZE = "SELECT pg_database_size(current_database())"
_CONNECTIONS = """
SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity
WHERE usename = current_user AND pid <> pg_backend_pid() GROUP BY 1
"""
_LIMIT = """
SELECT CASE WHEN rolconnlimit < 0 THEN current_setting('max_connections')::int ELSE rolconnlimit END
FROM pg_roles WHERE rolname = current_user
"""

Samples = dict[tuple[str, ...], float]
"""Values of one metric by the values of its labels."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One metric."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


UP = Gauge("mlflow_sso_database_up", "Whether PostgreSQL answered when it was last asked.", ("database",))
AT_HEAD = Gauge("mlflow_sso_schema_at_head", "Whether the database has the schema of this image.", ("database",))
ROWS = Gauge("mlflow_sso_rows", "Rows of a table, as PostgreSQL estimates them.", ("database", "table"))
SIZE = Gauge("mlflow_sso_database_size_bytes", "Bytes of a database.", ("database",))
CONNECTIONS = Gauge("mlflow_sso_database_connections", "Connections of the role, of all its pods.", ("state",))
LIMIT = Gauge("mlflow_sso_database_connections_limit", "Connections that the role may have.")
ENDED = Gauge("mlflow_sso_program_last_end_timestamp_seconds", "When a program last ended, however.", ("program",))
SUCCEEDED = Gauge("mlflow_sso_program_last_success_timestamp_seconds", "When a program last succeeded.", ("program",))
COUNTED = Gauge("mlflow_sso_program_last_count", "How much the latest run of a program did.", ("program", "what"))
INFO = Gauge("mlflow_sso_release_info", "Versions of MLflow and of the plugin; always 1.", ("mlflow", "plugin"))


@dataclass(eq=False)
class DatabaseGauges:
    """A collector of ``prometheus_client``; the first scrape starts its thread."""

    schemas: tuple[Schema, ...]
    period: float = PERIOD_SECONDS
    _values: Mapping[Gauge, Samples] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _started: bool = False

    def describe(self) -> Iterable[Any]:
        """Nothing, so that registering asks no database."""
        return ()

    def collect(self) -> Iterator[Any]:
        """What was read last."""
        from prometheus_client.core import GaugeMetricFamily

        self._start()
        for gauge, samples in {INFO: _release(), **self._values}.items():
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in samples.items():
                family.add_metric(labels, value)
            yield family

    def _start(self) -> None:
        with self._lock:
            if not self._started:
                self._started = True
                threading.Thread(target=self._read_for_ever, name="gauges", daemon=True).start()

    def _read_for_ever(self) -> None:
        while True:
            self._values = self.read()
            time.sleep(self.period)

    def read(self) -> Mapping[Gauge, Samples]:
        """Ask both databases; one that does not answer is said to be down, and has no other value."""
        values: dict[Gauge, Samples] = {}
        for schema in self.schemas:
            try:
                part = _read(schema)
            # Whatever it is, the thread must go on, or the gauges would stand still for the life of the pod.
            except Exception as error:
                part = {UP: {(schema.name,): 0.0}}
                if not isinstance(error, ProgramError):
                    log.progress("cannot read the gauges", level="warning", database=schema.name, reason=repr(error))
            for gauge, samples in part.items():
                values.setdefault(gauge, {}).update(samples)
        return values


def _release() -> Samples:
    release = installed()
    return {(release.mlflow, release.plugin): 1.0}


def _read(schema: Schema) -> dict[Gauge, Samples]:
    with (
        # One try: the next reading is a period away.
        closing(connect(schema, deadline=Deadline(0), program="gauges")) as connection,
        connection.cursor() as cursor,
    ):
        # In a transaction, for a session may be a pooler's, and then the next one's.
        connection.autocommit = False
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [STATEMENT_TIMEOUT])
        found = schema_state(connection, schema)
        cursor.execute(_ROWS, [list(TABLES[schema.name])])
        rows: Samples = {(schema.name, table): float(count) for table, count in cursor.fetchall()}
        cursor.execute(_SIZE)
        size = float(cursor.fetchone()[0])
        cursor.execute(_CONNECTIONS)
        connections: Samples = {(label,): float(count) for label, count in cursor.fetchall()}
        cursor.execute(_LIMIT)
        limit = float(cursor.fetchone()[0])
        outcomes = read_outcomes(cursor)
    return {
        UP: {(schema.name,): 1.0},
        AT_HEAD: {(schema.name,): float(found.revision == schema.head)},
        ROWS: rows,
        SIZE: {(schema.name,): size},
        CONNECTIONS: connections,
        LIMIT: {(): limit},
        **_outcomes(outcomes),
    }


def _outcomes(known: Iterable[Known]) -> dict[Gauge, Samples]:
    values: dict[Gauge, Samples] = {ENDED: {}, SUCCEEDED: {}, COUNTED: {}}
    for run in known:
        values[ENDED][(run.program,)] = run.ended
        if run.succeeded is not None:
            values[SUCCEEDED][(run.program,)] = run.succeeded
        for what, count in run.counts.items():
            values[COUNTED][(run.program, what)] = float(count)
    return values
