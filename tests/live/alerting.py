"""The alerts of a system, evaluated by Prometheus from what its pods really export, with minutes as seconds."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from rendered_environments import rendered_again

from live.node.kubectl import WAIT_SECONDS
from live.node.network import Passage
from live.servers.process import free_port
from testbed.servers.prometheus import Prometheus
from testbed.system import System


@contextmanager
def watched(
    system: System, folder: Path, *, short_windows: bool = False, beside: Mapping[str, Mapping[str, str]] | None = None
) -> Iterator[Prometheus]:
    """Prometheus beside the node, which scrapes the system's Service, and labels by HOST:PORT of others ``beside``."""
    name, port = system.settings.metrics_service, free_port()
    service = system.node.get("service", name, "--namespace", system.workloads.namespace)
    labels = {"namespace": system.workloads.namespace, "job": name}
    # Prometheus runs beside the node, in whose network the Service's address lies.
    passage = Passage.into(system.node.init, (service["spec"]["clusterIP"], 9090), port=port)
    try:
        targets = {f"127.0.0.1:{port}": labels, **(beside or {})}
        with Prometheus(targets=targets, groups=_groups(system, folder, short_windows)) as prometheus:
            # The first scrape only starts the reading of the databases.
            wait_for(lambda: prometheus.query("mlflow_sso_database_up == 1"))
            yield prometheus
    finally:
        passage.close()


def _groups(system: System, folder: Path, short_windows: bool) -> list[dict[str, Any]]:
    """Those of the PrometheusRule, whose alerts must last as many seconds as it says minutes, and windows if asked."""
    environment = rendered_again(system, folder, changes={"monitoring.rules": True})
    (file,) = (environment.manifests / "application").glob("PrometheusRule.*")
    groups = yaml.safe_load(file.read_text())["spec"]["groups"]
    text = re.sub(r'"for": "([0-9hm]+)"', lambda found: f'"for": "{_sooner(found[1])}"', json.dumps(groups))
    if short_windows:
        # A kubelet waits 10, then 20 s before it starts a container again, however short a minute is.
        text = text.replace("[30m]) > 2", "[2m]) > 2")
        text = re.sub(r"\[([0-9]+[hm])\](?!\) > 2)", lambda found: f"[{_sooner(found[1])}]", text)
        text = text.replace("* 3600", "* 60")
    sooner: list[dict[str, Any]] = json.loads(text)
    return sooner


def _sooner(lasts: str) -> str:
    return lasts.replace("m", "s").replace("h", "m")


def wait_for(holds: Callable[[], object]) -> float:
    """Wait until it does; the seconds that took."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < WAIT_SECONDS, "it took longer"
        time.sleep(0.5)
    return time.monotonic() - started
