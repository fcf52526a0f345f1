"""From release 3.6.0 to 3.17.2 on filled databases and a filled bucket, and no way back."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from rendered_environments import rendered_again
from stream import Stream
from web_session import WebSession
from worker import API, Worker

from live.users import User
from testbed.node.workload import JobError
from testbed.system import System

pytestmark = pytest.mark.servers

RETRIES = 7
"""Of MLflow's client (MLFLOW_HTTP_REQUEST_MAX_RETRIES)."""
ARTIFACT = os.urandom(3_000_000)


def _fill(owner: Worker, reader: Worker) -> None:
    """Metrics, parameters, tags, an artifact, a model with a stage, and a grant for ``reader``."""
    for step in range(1, 21):
        assert owner.log(step).status_code == 200
    owner.post("runs/log-parameter", run_id=owner.run, key="depth", value="7")
    owner.post("runs/set-tag", run_id=owner.run, key="team", value="blue")
    assert owner.upload("model/weights.bin", ARTIFACT).status_code == 200
    owner.post("registered-models/create", name="iris")
    owner.post("model-versions/create", name="iris", source=f"runs:/{owner.run}/model", run_id=owner.run)
    # Stages are deprecated, but rows of older installations have them, and they must come along.
    owner.post("model-versions/transition-stage", name="iris", version="1", stage="Production")
    owner.post("runs/update", run_id=owner.run, status="FINISHED", end_time=1)
    grant = f"permissions/users/{reader.user.email}/experiments/{owner.experiment}"
    owner.post(grant, permission="READ")


def _seen(owner: Worker, reader: Worker) -> dict[str, Any]:
    """All of that, as owner and reader see it by their keys."""
    run = owner.get("runs/get", run_id=owner.run)["run"]
    version = owner.get("model-versions/get", name="iris", version="1")["model_version"]
    grant = f"/api/2.0/mlflow/permissions/users/{reader.user.email}/experiments/{owner.experiment}"
    return {
        "metrics": owner.steps(),
        "run": {name: run["data"][name] for name in ("metrics", "params")},
        "team": [tag["value"] for tag in run["data"]["tags"] if tag["key"] == "team"],
        "status": run["info"]["status"],
        "artifact": owner.download("model/weights.bin").content == ARTIFACT,
        "model": {name: version[name] for name in ("name", "version", "current_stage", "run_id", "source")},
        "grant": owner.client.get(grant).json()["experiment_permission"]["permission"],
        "reader reads": reader.client.get("/api/2.0/mlflow/runs/get", params={"run_id": owner.run}).status_code,
        "reader writes": reader.call("runs/set-tag", run_id=owner.run, key="team", value="red").status_code,
    }


def _worker(system: System, name: str) -> Worker:
    user = User(name=name, group=system.settings.authentication.user_group)
    system.add_users(user)
    return Worker.with_run(system, user)


def _read_patiently(reader: Worker, run: str) -> httpx.Response:
    """A read that is repeated as MLflow's client repeats it."""
    for _ in range(RETRIES):
        answer = reader.client.get(f"{API}/runs/get", params={"run_id": run})
        # Only what says when to come again is repeated: a 500 here would be the upgrade's own fault.
        if answer.status_code != 503:
            break
        time.sleep(int(answer.headers["retry-after"]))
    return answer


def test_upgrade_keeps_everything_and_refuses_way_back(make_system: Callable[..., System], tmp_path: Path) -> None:
    system = make_system("3.6.0")
    old = system.environment
    with _worker(system, "owner") as owner, _worker(system, "reader") as reader:
        _fill(owner, reader)
        before = _seen(owner, reader)

        with Stream(lambda _: _read_patiently(reader, owner.run), least=500) as reads:
            system.become(rendered_again(system, tmp_path, release="3.17.2"))

        after = _seen(owner, reader)
        assert reads.failures == []
        assert after == before
        assert (after["grant"], after["reader reads"], after["reader writes"]) == ("READ", 200, 403)
        assert owner.get("experiments/get", experiment_id=owner.experiment)["experiment"]["name"]
        with WebSession(system=system) as visitor:
            visitor.log_in(owner.user)
            assert visitor.client.get("/api/2.0/mlflow/runs/get", params={"run_id": owner.run}).status_code == 200

        with pytest.raises(JobError, match=r"(?s)schema is newer than this image.* no way down"):
            # What `git revert` of the upgrade delivers; the old image must not serve a schema that it does not know.
            system.become(old)

        assert _seen(owner, reader) == before
