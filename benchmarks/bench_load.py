"""How many training loops and people the whole product carries: rates, waiting times, errors and what it takes.

Run by `make bench-load` on an idle machine: on the node and through Traefik, Locust logs in 50 training loops with
artifacts of 10 MB and 20 people for ten minutes against 1, 2 and 4 replicas, then four times as many against one.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from load import LOCUST, ROOT, rows
from on_node import parts, running
from people import Member, join
from web_session import WebSession
from work import login_headers

from cdk8s_mlflow.releases import DEFAULT_RELEASE
from live.processes import resident
from testbed.processor_time import cpu_seconds
from testbed.system import System

LOOPS = int(os.environ.get("LOOPS", "50"))
PEOPLE = int(os.environ.get("PEOPLE", "20"))
SECONDS = int(os.environ.get("SECONDS", "600"))
REPLICAS = (1, 2, 4)
TOO_MANY = 4
"""Times as many users as before, in the last measurement."""
SPAWN_RATE = 10
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()"


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A system, and a member of it with an access key and a browser's session."""

    system: System
    member: Member
    session: httpx.Client

    def experiment(self) -> str:
        """A new one, to which the training loops log."""
        name = f"load {secrets.token_hex(6)}"
        # A new one for each size: the table of runs would otherwise grow from one to the next.
        made = self.member.http.post("/api/2.0/mlflow/experiments/create", json={"name": name})
        return str(made.raise_for_status().json()["experiment_id"])

    def drive(self, *, times: int, report: Path) -> "subprocess.Popen[bytes]":
        """Start Locust with ``times`` as many users; it writes its figures beside ``report``."""
        loops, people = times * LOOPS, times * PEOPLE
        told = {
            "LOAD_EXPERIMENT": self.experiment(),
            "LOAD_AUTHORITY": str(self.system.backing.certificate.ca),
            "LOAD_KEY": json.dumps(login_headers(self.member.http)),
            "LOAD_SESSION": json.dumps(login_headers(self.session)),
            "LOAD_LOOPS": str(loops),
            "LOAD_PEOPLE": str(people),
        }
        # --reset-stats: the figures begin when all users are there, not while they arrive.
        users = ["--headless", "--users", str(loops + people), "--spawn-rate", str(SPAWN_RATE), "--reset-stats"]
        # The time begins with the first user, the figures with the last.
        time_of_all = SECONDS + (loops + people) // SPAWN_RATE
        figures = ["--run-time", f"{time_of_all}s", "--csv", str(report), "--exit-code-on-error", "0", "--only-summary"]
        with report.with_suffix(".log").open("wb") as log:
            return subprocess.Popen(
                [LOCUST, "-f", ROOT / "benchmarks" / "locustfile.py", "--host", self.system.url, *users, *figures],
                env={**os.environ, **told},
                stdout=log,
                stderr=log,
            )


@dataclass(frozen=True, kw_only=True)
class Used:
    """What the parts took meanwhile: cores on average, megabytes and connections at most."""

    cores: Mapping[str, float]
    megabytes: float
    """Of the largest server's pod."""
    connections: int

    def __str__(self) -> str:
        cores = ", ".join(f"{name} {value:.2f}" for name, value in self.cores.items())
        return f"cores: {cores}; a pod {self.megabytes:.0f} MB; {self.connections} connections to PostgreSQL"


def watch(system: System, locust: "subprocess.Popen[bytes]") -> Used:
    """Until Locust ends."""
    processes = {**parts(system), "Locust": [locust.pid]}
    began, before = time.perf_counter(), _seconds(processes)
    after, seconds, megabytes, connections = before, 1.0, 0.0, 0
    with psycopg.connect(system.backing.postgres.superuser_dsn, autocommit=True) as connection:
        while locust.poll() is None:
            after, seconds = _seconds(processes), time.perf_counter() - began
            # Sampled every two seconds: reading the memory of all processes takes a processor's time from them.
            megabytes = max(megabytes, *(resident(pid) / 1e6 for pid in processes["server"]))
            row = connection.execute(CONNECTIONS).fetchone()
            connections = max(connections, row[0] if row else 0)
            time.sleep(2)
    cores = {name: (after[name] - before[name]) / seconds for name in processes}
    return Used(cores=cores, megabytes=megabytes, connections=connections)


def _seconds(processes: Mapping[str, list[int]]) -> dict[str, float]:
    return {name: sum(map(cpu_seconds, pids)) for name, pids in processes.items()}


def table(report: Path) -> Iterator[str]:
    """A line for each kind of request, one for all, and one for each kind of error.

    Raises:
        SystemExit: a user of Locust's has failed by itself.
    """
    if wrong := rows(report, "exceptions"):
        raise SystemExit(f"error: {wrong[0]['Message']}: {wrong[0]['Traceback']}")
    yield f"  {'request':24} {'a second':>9} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'errors':>7}"
    for row in rows(report, "stats"):
        waited = " ".join(f"{row[name]:>8}" for name in ("50%", "95%", "99%"))
        yield f"  {row['Name']:24} {float(row['Requests/s']):9.1f} {waited} {row['Failure Count']:>7}"
    for row in rows(report, "failures"):
        yield f"    {row['Occurrences']} x {row['Name']}: {row['Error']}"


def scale(system: System, replicas: int) -> None:
    """Have that many pods, and wait until those too many have ended."""
    before = {pod.name for pod in system.workloads.pods()}
    system.workloads.scale(replicas)
    ending = before - {pod.name for pod in system.workloads.pods()}
    if ending:
        # A pod that drains still takes part in the next size.
        system.workloads.kubectl("wait", "--for=delete", "--timeout=180s", *(f"pod/{name}" for name in ending))


def measure(bench: Bench, *, replicas: int, times: int) -> None:
    """Print the figures of one size."""
    scale(bench.system, replicas)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        locust = bench.drive(times=times, report=report)
        try:
            used = watch(bench.system, locust)
        finally:
            # Also after Ctrl-C or a fault, or it would go on asking.
            locust.kill()
            locust.wait()
        size = f"replicas {replicas}, training loops {times * LOOPS}, people {times * PEOPLE}"
        print(f"\n{size}; load of the machine {os.getloadavg()[0]:.1f}")
        print(f"  {used}")
        print("\n".join(table(report)), flush=True)


def main() -> None:
    """Measure the release named as argument, or the default."""
    release = (*sys.argv[1:], DEFAULT_RELEASE)[0]
    print(f"release {release}, cores {len(os.sched_getaffinity(0))}, load {os.getloadavg()[0]:.1f}; Locust beside it")
    with running(release) as (system, _), WebSession(system=system) as visitor:
        member = join(system)
        visitor.log_in(member.user)
        bench = Bench(system=system, member=member, session=visitor.client)
        for replicas in REPLICAS:
            measure(bench, replicas=replicas, times=1)
        measure(bench, replicas=1, times=TOO_MANY)


if __name__ == "__main__":
    main()
