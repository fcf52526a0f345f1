"""Every query of the dashboard, asked of Prometheus while people work."""

import json
import math
from pathlib import Path

import pytest
from alerting import wait_for, watched
from web_session import with_key
from worker import Worker

from cdk8s_mlflow.dashboard import dashboard_json
from live.system import System
from live.users import User

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SEARCH = "/api/2.0/mlflow/experiments/search?max_results=5"


def _queries(system: System) -> dict[str, str]:
    """By panel and legend, with windows for a test that takes a minute."""
    return {
        f"{panel['title']}: {target['legendFormat']}": target["expr"]
        .replace("$__rate_interval", "30s")
        .replace("$__range", "2m")
        for panel in json.loads(dashboard_json(system.settings))["panels"]
        for target in panel.get("targets", ())
    }


def test_every_query_of_dashboard_returns_data(system: System, new_user: User, tmp_path: Path) -> None:
    system.workloads.kubectl("create", "job", "gc-for-dashboard", f"--from=cronjob/{system.settings.name}-gc")
    queries, empty = _queries(system), set[str]()
    with Worker.with_run(system, new_user) as worker, watched(system, tmp_path / "rules") as prometheus:

        def work() -> None:
            worker.log(1)
            worker.upload("kept.bin", b"kept")
            worker.download("kept.bin")
            # Panels of refusals have no series until something was refused.
            with with_key(system, new_user, "a-wrong-key") as client:
                client.get(SEARCH)

        def all_answer() -> bool:
            work()
            empty.clear()
            for name, query in queries.items():
                values = [float(sample["value"][1]) for sample in prometheus.query(query)]
                # A ratio over nothing is NaN, which Grafana draws as an empty panel.
                if not values or not all(map(math.isfinite, values)):
                    empty.add(name)
            return not empty

        try:
            wait_for(all_answer)
        except AssertionError:
            pytest.fail(f"no data for {sorted(empty)}")

    assert len(queries) > 15
