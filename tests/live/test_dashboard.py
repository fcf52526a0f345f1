"""Every query of the dashboard, asked of Prometheus while people work, and a picture of what they give."""

import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from alerting import wait_for, watched
from browser_user import BrowserUser
from dashboard_picture import Drawing, panels
from pictures import LARGEST, pictures
from web_session import with_key
from worker import Worker

from cdk8s_mlflow.dashboard import dashboard_json
from live.users import User
from testbed.servers import Prometheus
from testbed.system import System

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SEARCH = "/api/2.0/mlflow/experiments/search?max_results=5"
SHOWN_SECONDS = 120 if "SCREENSHOTS" in os.environ else 10
"""Of the picture's time axis."""


def _windowed(expression: str) -> str:
    """With windows for a test that takes a minute, in place of Grafana's variables."""
    return expression.replace("$__rate_interval", "30s").replace("$__range", "2m")


def _queries(board: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """By panel and legend."""
    return {
        f"{panel['title']}: {target['legendFormat']}": _windowed(target["expr"])
        for panel in board
        for target in panel.get("targets", ())
    }


def _empty(prometheus: Prometheus, queries: Mapping[str, str]) -> set[str]:
    """Queries that an instant query gives nothing for."""
    empty = set[str]()
    for name, query in queries.items():
        values = [float(sample["value"][1]) for sample in prometheus.query(query)]
        # A ratio over nothing is NaN, which Grafana draws as an empty panel.
        if not values or not all(map(math.isfinite, values)):
            empty.add(name)
    return empty


def test_every_query_of_dashboard_returns_data(
    system: System, new_user: User, person: BrowserUser, tmp_path: Path
) -> None:
    system.workloads.kubectl("create", "job", "gc-for-dashboard", f"--from=cronjob/{system.settings.name}-gc")
    board = panels(dashboard_json(system.settings))
    queries, empty = _queries(board), set[str]()
    with Worker.with_run(system, new_user) as worker, watched(system, tmp_path / "rules") as prometheus:
        started = time.time()

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
            empty.update(_empty(prometheus, queries))
            return not empty and time.time() > started + SHOWN_SECONDS

        try:
            wait_for(all_answer)
        except AssertionError:
            pytest.fail(f"no data for {sorted(empty)}")
        end = int(time.time()) - 1
        drawing = Drawing(prometheus=prometheus, panels=board, start=end - SHOWN_SECONDS, end=end, windowed=_windowed)
        drawing.show(person.page)

    assert len(queries) > 15
    assert person.page.locator("canvas").count() == sum(panel["type"] == "timeseries" for panel in board)
    assert pictures(tmp_path).take(person.page, "dashboard") < LARGEST
