"""The drill: sixteen outages on the node, each noticed by its alert, named by doctor, and ended as its page says.

Minutes of the rules are seconds here. `make drill` runs it; it takes twenty minutes.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from alerting import wait_for, watched
from kubernetes_outages import KUBERNETES_DRILLS
from outages import DRILLS, Feed
from runbook import Runbook
from worker import Worker

from cdk8s_mlflow.alert import runbook
from testbed.node.doctor import doctor_lines
from testbed.node.state_metrics import StateMetrics
from testbed.servers.prometheus import Prometheus
from testbed.system import System

pytestmark = pytest.mark.servers

ALL = {**KUBERNETES_DRILLS, **DRILLS}
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def installation(new_system: Callable[..., System]) -> Iterator[System]:
    """One of this module's own."""
    with new_system("3.17.2", "runbooks", **{"monitoring.rules": True}) as system:
        yield system


@pytest.fixture(scope="module")
def worker(installation: System) -> Iterator[Worker]:
    """A user with a run."""
    with Worker.with_run(installation, installation.users["user"]) as worker:
        yield worker


@pytest.fixture(scope="module")
def prometheus(installation: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It scrapes the pods and kube-state-metrics, and evaluates the rules."""
    node, namespace, rules = installation.node, installation.workloads.namespace, tmp_path_factory.mktemp("rules")
    with StateMetrics(kubeconfig=node.kubeconfig, namespace=namespace) as state:
        beside = {f"127.0.0.1:{state.port}": {"job": state.name}}
        with watched(installation, rules, short_windows=True, beside=beside) as running:
            yield running


def named_by_doctor(system: System, prometheus: Prometheus, alert: str, feed: Feed) -> Mapping[str, Any]:
    """Doctor's lines while the alert fires, which may have ended for a moment when doctor asks."""
    while True:
        lines = doctor_lines(system.environment, system.node, PROMETHEUS_URL=prometheus.url)
        if f"alert {alert}" in lines or alert in prometheus.firing():
            return lines
        feed()


@pytest.mark.parametrize("alert", ALL)
def test_outage_is_noticed_named_and_ended(
    installation: System, worker: Worker, prometheus: Prometheus, tmp_path: Path, record_property: Record, alert: str
) -> None:
    drill, page = ALL[alert], Runbook(system=installation, page=f"runbooks/{runbook(alert)}.md", programs=tmp_path)
    # What another outage has left behind in the longest window.
    wait_for(lambda: alert not in prometheus.firing())

    with drill.cause(installation, worker) as feed:

        def noticed() -> bool:
            feed()
            return alert in prometheus.firing()

        after = wait_for(noticed)
        lines = named_by_doctor(installation, prometheus, alert, feed)
        looks = [page.attempt(command) for command in page.commands]
        begun = time.monotonic()
    ended = wait_for(lambda: alert not in prometheus.firing())

    assert lines[f"alert {alert}"]["state"] == "failed"
    assert drill.named is None or any(
        name.startswith(drill.named) and line["state"] in ("failed", "unknown") for name, line in lines.items()
    )
    assert looks
    # Some look into pods, of which there may be none.
    assert [look.stderr for look in looks if look.returncode not in (0, 1)] == []
    assert worker.log(2).status_code == 200
    total = time.monotonic() - begun
    record_property("table", f"{alert}: noticed after {after:.0f} s, ended after {total:.0f} s (wait {ended:.0f} s)")
