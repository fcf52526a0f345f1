"""What serving with single sign-on costs, against MLflow's own server, in one run on one machine.

Run by `make bench-image` on an idle machine. Every figure is printed beside its target.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from plain_server import Plain
from pod import Bucket, Database, Pod, Venv
from serving import API, SETTINGS, Serving, make_run, make_users, mount_server_secrets

from cdk8s_mlflow.releases import RELEASES
from live.processes import resident
from live.servers import Minio, Postgres

STARTS = 3
ROUNDS = 3
BATCHES = 60
STEPS = 100
USER = "anna"

TARGETS = {
    "3.6.0": {"memory": "<= 0.5 x", "batches": ">= 2.8 x", "loop": "<= 1.2 x"},
    "3.17.2": {"memory": "<= 0.5 x", "batches": "", "loop": "<= 1.2 x"},
}

TRAINING_LOOP = """
import os, sys, time
import mlflow
mlflow.set_experiment(sys.argv[1])
with mlflow.start_run():
    mlflow.log_metric("loss", 1.0, step=0)
    started = time.perf_counter()
    for step in range(1, int(sys.argv[2]) + 1):
        mlflow.log_metric("loss", 1.0 / step, step=step)
    seconds = time.perf_counter() - started
print(seconds)
"""


Server = Plain | Serving


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What was measured with one server: batches a second, seconds of the training loop, megabytes afterwards."""

    batches: float
    loop: float
    megabytes: float


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One release with migrated databases and a user who holds an access key."""

    pod: Pod
    key: str

    @property
    def release(self) -> str:
        return self.pod.venv.release

    @property
    def app(self) -> str:
        return "oidc-auth-fastapi" if self.release == "3.6.0" else "oidc-auth"

    def ours(self, *, workers: int = 1) -> Serving:
        return Serving(pod=self.pod, workers=workers)

    def plain(self) -> Plain:
        return Plain(pod=self.pod)

    def unchanged(self) -> Plain:
        return Plain(pod=self.pod, app=self.app)

    def client(self, server: Server) -> httpx.Client:
        return server.client(USER, self.key)

    def start_seconds(self) -> tuple[float, float]:
        """From the command to the first search that is answered with 200; the quickest of some starts in turn."""
        # In turn, and the quickest: load only ever makes a start slower.
        starts = [(self._start_once(self.plain()), self._start_once(self.ours())) for _ in range(STARTS)]
        return min(plain for plain, _ in starts), min(ours for _, ours in starts)

    def _start_once(self, server: Server) -> float:
        started = time.perf_counter()
        with server:
            self.wait(server)
            return time.perf_counter() - started

    def wait(self, server: Server) -> None:
        # One client for all tries: to make one takes 50 ms of processor, which the server would miss.
        with self.client(server) as client:
            while not _searches(client):
                if server.process.poll() is not None:
                    raise SystemExit(f"error: a server of {self.release} ended at its start")
                time.sleep(0.01)

    def serving(self) -> "dict[str, Figures]":
        """Put three servers to work in turn, so that all feel the same machine."""
        with ExitStack() as stack:
            servers: dict[str, Server] = {"plain": self.plain(), "unchanged": self.unchanged(), "ours": self.ours()}
            for server in servers.values():
                # One after the other: the first servers of a database race for creating the experiment Default.
                stack.enter_context(server)
                self.wait(server)
            rounds = [{name: self._work(server) for name, server in servers.items()} for _ in range(ROUNDS)]
            return {name: _median([one[name] for one in rounds]) for name in servers}

    def _work(self, server: Server) -> Figures:
        rate, loop = self.batches_a_second(server), self.training_seconds(server)
        # After the work, which fills pools and caches.
        return Figures(batches=rate, loop=loop, megabytes=resident(server.process.pid) / 1e6)

    def batches_a_second(self, server: Server) -> float:
        """Log-batches of ten metrics by one kept-alive client."""
        with self.client(server) as client:
            run = make_run(client)
            # The first requests of a process import and prepare what the others find.
            _log_batches(client, run, 5)
            started = time.perf_counter()
            _log_batches(client, run, BATCHES)
            return BATCHES / (time.perf_counter() - started)

    def training_seconds(self, server: Server) -> float:
        """A hundred ``mlflow.log_metric`` of MLflow's own client."""
        login = {"MLFLOW_TRACKING_USERNAME": f"{USER}@example.com", "MLFLOW_TRACKING_PASSWORD": self.key}
        name, steps = f"loop-{server.port}", str(STEPS)
        done = self.pod.python(TRAINING_LOOP, name, steps, MLFLOW_TRACKING_URI=server.url, **login)
        if done.code:
            raise SystemExit(f"error: the training loop failed: {done.stderr}")
        return float(done.stdout.splitlines()[-1])

    def health_milliseconds(self) -> float:
        """Median of a kept-alive client's answers with two workers."""
        with self.ours(workers=2) as server, httpx.Client(base_url=server.url) as client:
            self.wait(server)
            # Kept alive: a missing TCP_NODELAY delays the second and later answers of a connection, by 40 ms.
            return statistics.median(_milliseconds(client) for _ in range(300))

    def migrate_seconds(self) -> tuple[float, float, float]:
        """SQL, imports and all of ``migrate`` if there is nothing to do."""
        started = time.perf_counter()
        done = self.pod.run("migrate")
        total = time.perf_counter() - started
        sql = sum(line["sql_seconds"] for line in done.results)
        return sql, total - sql, total


def _median(rounds: list[Figures]) -> Figures:
    return Figures(
        batches=statistics.median(one.batches for one in rounds),
        loop=statistics.median(one.loop for one in rounds),
        megabytes=statistics.median(one.megabytes for one in rounds),
    )


def _searches(client: httpx.Client) -> bool:
    try:
        return client.get(f"{API}/experiments/search?max_results=1").status_code == 200
    except httpx.TransportError:
        return False


def _log_batches(client: httpx.Client, run: str, count: int) -> None:
    for step in range(count):
        metrics = [{"key": f"m{number}", "value": step, "timestamp": step, "step": step} for number in range(10)]
        client.post(f"{API}/runs/log-batch", json={"run_id": run, "metrics": metrics}).raise_for_status()


def _milliseconds(client: httpx.Client) -> float:
    started = time.perf_counter()
    client.get("/health").raise_for_status()
    return (time.perf_counter() - started) * 1000


@contextmanager
def prepared(release: str, postgres: Postgres, minio: Minio) -> Iterator[Bench]:
    """Databases, bucket, Secrets and a user of ``release``."""
    with tempfile.TemporaryDirectory() as folder:
        database, bucket = Database(server=postgres), Bucket(server=minio)
        database.create()
        bucket.client.make_bucket(bucket.name)
        venv = Venv(release=release)
        pod = Pod(venv=venv, folder=Path(folder), database=database, bucket=bucket, settings=SETTINGS)
        pod.mount()
        mount_server_secrets(pod)
        migrated = pod.run("migrate")
        if migrated.code:
            raise SystemExit(f"error: cannot migrate: {migrated.stderr}")
        yield Bench(pod=pod, key=make_users(pod, USER)[USER])


def report(what: str, value: str, target: str = "") -> None:
    print(f"{what:<48} {value:<36} {f'target {target}' if target else ''}".rstrip(), flush=True)


def measure(bench: Bench) -> None:
    """Print all figures of one release."""
    print(f"\nrelease {bench.release}")
    plain, ours = bench.start_seconds()
    value = f"{plain:.2f} / {ours:.2f} s, {ours / plain:.2f} x"
    report("start to the first good answer, plain / ours", value, "<= 0.4 x")
    report_serving(bench.release, **bench.serving())
    report("/health, kept alive, two workers, median", f"{bench.health_milliseconds():.1f} ms", "< 5 ms")
    # min() compares SQL first, the figure that has a target.
    sql, imports, total = min(bench.migrate_seconds() for _ in range(STARTS))
    report("migrate with nothing to do, SQL", f"{sql:.3f} s", "< 0.5 s")
    report("migrate with nothing to do, the rest / all", f"{imports:.2f} / {total:.2f} s")


def report_serving(release: str, *, plain: Figures, unchanged: Figures, ours: Figures) -> None:
    """Print what three servers were measured with."""
    target = TARGETS[release]
    value = f"{plain.megabytes:.0f} / {ours.megabytes:.0f} MB, {ours.megabytes / plain.megabytes:.2f} x"
    report("memory of one worker, plain / ours", value, target["memory"])
    value = f"{unchanged.batches:.1f} / {ours.batches:.1f} a second, {ours.batches / unchanged.batches:.1f} x"
    report("log-batch by access key, unchanged / ours", value, target["batches"])
    report("log-batch without login, plain", f"{plain.batches:.1f} a second")
    value = f"{plain.loop:.2f} / {ours.loop:.2f} s, {ours.loop / plain.loop:.2f} x"
    report(f"{STEPS} logged steps, plain / ours", value, target["loop"])
    report(f"{STEPS} logged steps, unchanged", f"{unchanged.loop:.2f} s, {unchanged.loop / plain.loop:.2f} x")


def main() -> None:
    """Measure the releases named as arguments, or both."""
    print(f"cores {len(os.sched_getaffinity(0))}, load {os.getloadavg()[0]:.1f}")
    with Postgres() as postgres, Minio() as minio:
        for release in sys.argv[1:] or RELEASES:
            with prepared(release, postgres, minio) as bench:
                measure(bench)


if __name__ == "__main__":
    main()
