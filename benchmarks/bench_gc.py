"""How many runs a second ``gc`` deletes, and in how much memory, in one run on one machine.

Run by `make bench-gc` on an idle machine. `OTHER=<image/ of another checkout>` measures its programs beside ours.
"""

import io
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pod import Bucket, Database, Pod, Venv

from cdk8s_mlflow.releases import DEFAULT_RELEASE
from live.servers import Minio, Postgres

EXPERIMENTS = 20
RUNS = 300
"""Due in each experiment; as many are alive."""
METRICS = 20
TRACES = 20_000

SEED = (
    "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage)"
    " SELECT e, 'experiment ' || e, 'mlflow-artifacts:/' || e, 'active' FROM generate_series(1, {experiments}) AS e",
    "INSERT INTO runs (run_uuid, experiment_id, artifact_uri, lifecycle_stage, deleted_time)"
    " SELECT id, e, 'mlflow-artifacts:/' || e || '/' || id || '/artifacts',"
    " CASE n %% 2 WHEN 0 THEN 'deleted' ELSE 'active' END, CASE n %% 2 WHEN 0 THEN 1 END"
    " FROM generate_series(1, {experiments}) AS e, generate_series(1, 2 * {runs}) AS n,"
    " LATERAL (SELECT md5(e || '/' || n) AS id) AS ids",
    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)"
    " SELECT 'metric ' || m, m, 1, run_uuid, 1, false FROM runs, generate_series(1, {metrics}) AS m",
    "INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan)"
    " SELECT key, value, timestamp, run_uuid, step, is_nan FROM metrics",
    "INSERT INTO params (key, value, run_uuid)"
    " SELECT 'param ' || p, 'v', run_uuid FROM runs, generate_series(1, 5) AS p",
    "INSERT INTO tags (key, value, run_uuid) SELECT 'tag ' || t, 'v', run_uuid FROM runs, generate_series(1, 5) AS t",
    "INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, status)"
    " SELECT 'tr-' || md5('trace ' || t), 1 + t %% {experiments}, t, 'OK' FROM generate_series(1, {traces}) AS t",
    "INSERT INTO trace_tags (key, value, request_id) SELECT 'mlflow.artifactLocation',"
    " 'mlflow-artifacts:/' || experiment_id || '/traces/' || request_id || '/artifacts', request_id FROM trace_info",
    "ANALYZE",
)


def seed(pod: Pod) -> None:
    """Rows of all runs, and two objects for each of them."""
    if pod.migrate().code:
        sys.exit("error: the migration failed")
    for statement in SEED:
        pod.database.query(statement.format(experiments=EXPERIMENTS, runs=RUNS, metrics=METRICS, traces=TRACES))
    uris = [uri for (uri,) in pod.database.query("SELECT artifact_uri FROM runs")]
    # Requests wait for MinIO more than for a processor.
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda uri: put(pod, uri.removeprefix("mlflow-artifacts:/")), uris))


def put(pod: Pod, folder: str) -> None:
    for name in ("model.pkl", "plots/loss.png"):
        pod.bucket.client.put_object(pod.bucket.name, f"{folder}/{name}", io.BytesIO(b"weights"), 7)


def measure(name: str, pod: Pod, image: Path) -> None:
    """Print the rate of the programs in ``image``."""
    output = Path(pod.folder, "stdout")
    started = time.monotonic()
    with output.open("w") as stdout:
        process = subprocess.Popen(
            [pod.venv.python, "-m", "mlflow_sso", "gc", "--secrets-root", str(pod.secrets_root)],
            # PYTHONPATH comes before the installed package, so that another checkout's programs run.
            env={**pod.environment, "PYTHONPATH": str(image)},
            stdout=stdout,
        )
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    if status:
        sys.exit(f"error: gc of {image} failed")
    removed = output.read_text().count('"removed"')
    processor, megabytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    speed = f"{removed} runs in {seconds:.1f} s: {removed / seconds:.0f} a second"
    print(f"{name:6} {speed}, {processor:.1f} s of processor, {megabytes:.0f} MB")


def main() -> None:
    images = {"ours": Path("image").resolve()}
    if len(sys.argv) > 1:
        images = {"other": Path(sys.argv[1]).resolve(), **images}
    venv = Venv(release=os.environ.get("RELEASE", DEFAULT_RELEASE))
    with tempfile.TemporaryDirectory() as folder, Postgres() as postgres, Minio() as minio:
        for name, image in images.items():
            database, bucket = Database(server=postgres), Bucket(server=minio)
            database.create()
            bucket.client.make_bucket(bucket.name)
            pod = Pod(venv=venv, folder=Path(folder, name), database=database, bucket=bucket)
            pod.mount()
            seed(pod)
            measure(name, pod, image)


if __name__ == "__main__":
    main()
