"""How long ``migrate`` takes from one release to the next on large data, and how long it locks all tables.

Run by `make bench-migrate` on an idle machine: with some traces, and with twice as many.
"""

import os
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import LiteralString

import psycopg
from many_rows import Amount, fill
from pod import Bucket, Database, Pod, Venv
from serving import make_users

from live.servers import Minio, Postgres

EXPERIMENTS = 2000
TRACES = int(os.environ.get("TRACES", "50000"))
"""With a name, three metadata, an assessment and three spans each."""

OF_TRACES: tuple[LiteralString, ...] = (
    "INSERT INTO trace_tags (key, value, request_id) SELECT 'mlflow.traceName', 'name ' || timestamp_ms, request_id"
    " FROM trace_info",
    "INSERT INTO trace_request_metadata (key, value, request_id) SELECT key, value, request_id FROM trace_info, LATERAL"
    " (VALUES ('mlflow.trace.session', 'session ' || timestamp_ms % 9), ('mlflow.source.name', 'train.py'),"
    ' (\'mlflow.trace.tokenUsage\', \'{"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}\'))'
    " AS made (key, value)",
    "INSERT INTO assessments (assessment_id, trace_id, name, assessment_type, value, created_timestamp,"
    " last_updated_timestamp, source_type, valid) SELECT 'a-' || md5(request_id), request_id, 'good', 'feedback',"
    " 'true', 1, 1, 'HUMAN', true FROM trace_info",
    "INSERT INTO spans (trace_id, experiment_id, span_id, status, start_time_unix_nano, end_time_unix_nano, content)"
    " SELECT request_id, experiment_id, 's' || s, 'OK', timestamp_ms, timestamp_ms + 1, repeat('x', 500)"
    " FROM trace_info, generate_series(1, 3) AS s",
    "ANALYZE",
)


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """Of one upgrade."""

    whole: float
    locked: float

    def __str__(self) -> str:
        return f"{self.whole:.1f} s in all, {self.locked:.1f} s of them with all tables locked"


def measure(folder: Path, traces: int, postgres: Postgres, minio: Minio) -> Seconds:
    """Create the databases of the earlier release, with 100,000 runs and 2,000,000 metrics, and upgrade them."""
    database, bucket = Database(server=postgres), Bucket(server=minio)
    database.create()
    bucket.client.make_bucket(bucket.name)
    folder.mkdir()
    pod = Pod(venv=Venv(release="3.17.2"), folder=folder, database=database, bucket=bucket)
    pod.mount()
    earlier = replace(pod, venv=Venv(release="3.6.0"))
    if earlier.run("migrate").code:
        raise SystemExit("error: cannot create the databases")
    # Users of the plugin have rows of their own to be migrated.
    make_users(earlier)
    fill(database, Amount(experiments=EXPERIMENTS, runs=50, metrics=20, traces=traces // EXPERIMENTS))
    with psycopg.connect(database.dsn("mlflow"), autocommit=True) as connection:
        for statement in OF_TRACES:
            connection.execute(statement)
    started = time.perf_counter()
    # Includes the program's start, as the migration Job does.
    done = pod.run("migrate")
    if done.code:
        raise SystemExit(f"error: cannot migrate: {done.stderr}")
    return Seconds(whole=time.perf_counter() - started, locked=done.results[0]["lock_seconds"])


def main() -> None:
    print(f"cores {len(os.sched_getaffinity(0))}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder, Postgres() as postgres, Minio() as minio:
        found = [measure(Path(folder, str(times)), times * TRACES, postgres, minio) for times in (1, 2)]
    for times, seconds in enumerate(found, 1):
        print(f"{times * TRACES:,} traces: {seconds}")
    once, twice = found
    print(f"twice the traces: {twice.whole / once.whole:.2f} x in all, {twice.locked / once.locked:.2f} x locked")
    print("targets: 50,000 traces below 12 s in all, 2 s locked, at most 2.2 x")


if __name__ == "__main__":
    main()
