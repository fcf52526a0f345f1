"""What the whole product does a second, through Traefik, beside MLflow's own server without a login on the same data.

Run by `make bench-live` on an idle machine. Every figure with a target is printed beside it.
"""

import os
import resource
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from load import Load, generate
from on_node import parts, running
from people import Member, join, known_machine_token, machine_token
from plain_on_node import HOST, PlainServer
from rendered_environments import rendered_again
from web_session import WebSession
from work import Work, prepared_work

from cdk8s_mlflow.releases import RELEASES
from testbed.node.client import AUTHORITY
from testbed.processor_time import cpu_seconds
from testbed.system import System

LOGINS = ("access key", "bearer token", "session")
CLIENTS = (1, 4)
SECONDS = int(os.environ.get("SECONDS", "10"))
"""Of each measurement."""
STEPS = 100
LOOPS = 3
ROUNDS = 4
"""How often one replica and two are measured in turn; the medians are compared."""
LOOP_TARGET = {"3.6.0": "<= 3.3 x, goal 2 x", "3.17.2": "<= 2 x"}
REPLICA_TARGETS = {"log-batch": ">= 1.2 x", "runs/search": ">= 1.5 x"}

TRAINING_LOOP = """
import sys, time
import mlflow
mlflow.set_experiment(sys.argv[1])
with mlflow.start_run():
    mlflow.log_metrics({"loss": 1.0, "accuracy": 0.0}, step=0)
    started = time.perf_counter()
    for step in range(1, int(sys.argv[2]) + 1):
        mlflow.log_metrics({"loss": 1.0 / step, "accuracy": 1 - 1.0 / step}, step=step)
    seconds = time.perf_counter() - started
print(seconds)
"""

Loads = Mapping[tuple[str, int], Load]
"""By kind of request and number of clients."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One release: its system, MLflow's own server on the same database, and a user with an access key."""

    system: System
    plain: PlainServer
    member: Member
    folder: Path

    def loads(self, url: str, work: Work) -> Loads:
        """All requests of one login."""
        return {(kind, clients): self.load(url, work, kind, clients) for kind in REPLICA_TARGETS for clients in CLIENTS}

    def load(self, url: str, work: Work, kind: str, clients: int) -> Load:
        """Requests of one kind and one login."""
        request = {"log-batch": work.log_batch, "runs/search": work.search}[kind]
        authority = self.system.backing.certificate.ca
        return generate(url, authority, request, clients=clients, seconds=SECONDS)

    def loop_seconds(self) -> tuple[float, float]:
        """Of the plain server and of ours; the best of some loops in turn."""
        both = [(self._loop(self.plain.url, {}), self._loop(self.system.url, self.member.login)) for _ in range(LOOPS)]
        return min(plain for plain, _ in both), min(ours for _, ours in both)

    def _loop(self, url: str, login: Mapping[str, str]) -> float:
        program = self.folder / "loop.py"
        program.write_text(TRAINING_LOOP)
        variables = {"MLFLOW_TRACKING_URI": url, "REQUESTS_CA_BUNDLE": AUTHORITY, **login}
        name = f"loop of {'ours' if login else 'plain'}"
        done = self.system.client_pod.run(program, name, str(STEPS), variables=variables)
        if done.returncode:
            raise SystemExit(f"error: the training loop failed: {done.stderr}")
        return float(done.stdout.splitlines()[-1])


def logins(system: System, member: Member) -> dict[str, httpx.Client]:
    """A client for each way to log in; the machine is made known to MLflow first."""
    visitor = WebSession(system=system)
    visitor.log_in(member.user)
    machine = system.client()
    machine.headers["Authorization"] = f"Bearer {known_machine_token(system)}"
    return dict(zip(LOGINS, (member.http, machine, visitor.client), strict=True))


def bearer(system: System) -> dict[str, str]:
    """A login of the machine that ``logins`` has made known, which Keycloak issues anew."""
    return {"Authorization": f"Bearer {machine_token(system)}"}


def report(what: str, value: str, target: str = "") -> None:
    """One line."""
    print(f"  {what:<46} {value:<44} {f'target {target}' if target else ''}".rstrip(), flush=True)


def report_loads(what: str, loads: Loads) -> None:
    """One login's figures."""
    print(f"  {what:<34}" + "".join(f"{load!s:>20}" for load in loads.values()), flush=True)


def with_settings(system: System, folder: Path) -> Callable[..., None]:
    """Becomes the same environment with other settings of the server."""

    def become(**server: Any) -> None:
        name = "-".join(f"{key}{value}" for key, value in server.items())
        changes = {f"server.{key}": value for key, value in server.items()}
        system.become(rendered_again(system, folder / name, changes=changes))

    return become


def measure(bench: Bench, become: Callable[..., None]) -> None:
    """Print all figures of one release."""
    clients = logins(bench.system, bench.member)
    works = {name: prepared_work(client) for name, client in clients.items()}
    key = works["access key"]
    head = [f"{kind} x{count}" for kind in REPLICA_TARGETS for count in CLIENTS]
    print(f"\n  {'rate and p95':<34}" + "".join(f"{text:>20}" for text in head))
    report_loads("plain, no login, same Traefik", bench.loads(bench.plain.url, key.without_login()))
    one = {name: bench.loads(bench.system.url, work) for name, work in works.items()}
    for name, loads in one.items():
        report_loads(f"1 worker, {name}", loads)
    plain, ours = bench.loop_seconds()
    # It is asked no more, and would take memory from the second worker.
    bench.plain.stop()
    # Rendered and applied as a commit would be; a changed Deployment by hand would not have its settings.
    become(workers=2)
    # A token is good for five minutes only, which may have passed.
    works["bearer token"] = works["bearer token"].with_headers(bearer(bench.system))
    for name, work in works.items():
        report_loads(f"2 workers, {name}", bench.loads(bench.system.url, work))
    become(replicas=2)
    # The machine's load changes over minutes, so one and two replicas take turns.
    replicas = in_turn(bench, key)
    print()
    value = f"{plain:.2f} / {ours:.2f} s, {ours / plain:.2f} x"
    report(f"{STEPS} logged steps, plain / access key", value, LOOP_TARGET[bench.system.settings.release])
    for kind, target in REPLICA_TARGETS.items():
        before, after = (statistics.median(replicas[kind, count]) for count in (1, 2))
        value = f"{before:.1f} / {after:.1f} a second, {after / before:.2f} x"
        report(f"{kind} x{max(CLIENTS)}, 1 replica / 2", value, target)
        report(f"  processor time of one {kind}", costs(bench, key, kind))


def in_turn(bench: Bench, work: Work) -> Mapping[tuple[str, int], list[float]]:
    """Rates by kind of request and number of replicas."""
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for count in (1, 2):
            bench.system.workloads.scale(count)
            for kind in REPLICA_TARGETS:
                rates.setdefault((kind, count), []).append(bench.load(bench.system.url, work, kind, max(CLIENTS)).rate)
    return rates


def costs(bench: Bench, work: Work, kind: str) -> str:
    """Milliseconds of processor time that each part of the system spends on a request, and how busy the cores are."""
    processes = parts(bench.system)

    def spent() -> dict[str, float]:
        trees = {name: sum(map(cpu_seconds, pids)) for name, pids in processes.items()}
        # Locust shares the cores with what it measures; its start counts, too.
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {**trees, "Locust": used.ru_utime + used.ru_stime}

    before = spent()
    load = bench.load(bench.system.url, work, kind, max(CLIENTS))
    after = spent()
    each = {name: 1000 * (after[name] - before[name]) / load.requests for name in before}
    busy = sum(after.values()) - sum(before.values())
    shares = ", ".join(f"{name} {value:.1f}" for name, value in each.items())
    return f"{shares} ms; {busy / load.seconds:.2f} cores busy"


def run(release: str) -> None:
    """Bring one release up, measure it, and stop it."""
    print(f"\nrelease {release}", flush=True)
    with running(release, hosts=[HOST]) as (system, folder), PlainServer(system=system) as plain:
        work_folder = folder / "work"
        work_folder.mkdir()
        bench = Bench(system=system, plain=plain, member=join(system), folder=work_folder)
        try:
            measure(bench, with_settings(system, folder))
        except SystemExit:
            # The pods end with the node, and their logs with them.
            print(system.workloads.server_logs(), file=sys.stderr)
            raise


def main() -> None:
    """Measure the releases named as arguments, or both."""
    print(f"cores {len(os.sched_getaffinity(0))}, load {os.getloadavg()[0]:.1f}", flush=True)
    for release in sys.argv[1:] or RELEASES:
        run(release)


if __name__ == "__main__":
    main()
