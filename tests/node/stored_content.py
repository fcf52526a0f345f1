"""What a user has stored before an upgrade, and what two users see of it: all of it must come along."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
from stream import Stream
from web_session import WebSession
from worker import API, Worker

from live.users import User
from testbed.system import System

RETRIES = 7
"""Of MLflow's client (MLFLOW_HTTP_REQUEST_MAX_RETRIES)."""
ARTIFACT = os.urandom(3_000_000)


@dataclass(frozen=True, kw_only=True)
class StoredContent:
    """A run of ``owner`` that ``reader`` may read; ``before`` is what they see of it at first."""

    owner: Worker
    reader: Worker
    before: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._fill()
        object.__setattr__(self, "before", self.seen())

    @classmethod
    @contextmanager
    def of(cls, system: System) -> Iterator[Self]:
        """That of two new users."""
        with _worker(system, "owner") as owner, _worker(system, "reader") as reader:
            yield cls(owner=owner, reader=reader)

    @property
    def _grant(self) -> str:
        return f"permissions/users/{self.reader.user.email}/experiments/{self.owner.experiment}"

    def _fill(self) -> None:
        """Metrics, parameters, tags, an artifact, a model with a stage, and a grant for ``reader``."""
        owner = self.owner
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
        owner.post(self._grant, permission="READ")

    def seen(self) -> dict[str, Any]:
        """All of that, as owner and reader see it by their keys."""
        owner, reader = self.owner, self.reader
        run = owner.get("runs/get", run_id=owner.run)["run"]
        version = owner.get("model-versions/get", name="iris", version="1")["model_version"]
        return {
            "metrics": owner.steps(),
            "run": {name: run["data"][name] for name in ("metrics", "params")},
            "team": [tag["value"] for tag in run["data"]["tags"] if tag["key"] == "team"],
            "status": run["info"]["status"],
            "artifact": owner.download("model/weights.bin").content == ARTIFACT,
            "model": {name: version[name] for name in ("name", "version", "current_stage", "run_id", "source")},
            "experiment": owner.get("experiments/get", experiment_id=owner.experiment)["experiment"]["name"],
            "grant": owner.client.get(f"{API}/{self._grant}").json()["experiment_permission"]["permission"],
            "reader reads": reader.client.get(f"{API}/runs/get", params={"run_id": owner.run}).status_code,
            "reader writes": reader.call("runs/set-tag", run_id=owner.run, key="team", value="red").status_code,
        }

    def seen_after_login(self) -> int:
        """Status of the run for its owner, who logs in with a browser."""
        with WebSession(system=self.owner.system) as visitor:
            visitor.log_in(self.owner.user)
            return visitor.client.get(f"{API}/runs/get", params={"run_id": self.owner.run}).status_code

    def failures_of_reads(self, meanwhile: Callable[[], None]) -> list[str]:
        """What a reader who asks as MLflow's client does is refused in vain during ``meanwhile``."""
        with Stream(lambda _: self._read_patiently(), least=500) as reads:
            meanwhile()
        return reads.failures

    def _read_patiently(self) -> httpx.Response:
        """A read that is repeated as MLflow's client repeats it."""
        for _ in range(RETRIES):
            answer = self.reader.client.get(f"{API}/runs/get", params={"run_id": self.owner.run})
            # Only what says when to come again is repeated: a 500 here would be the upgrade's own fault.
            if answer.status_code != 503:
                break
            time.sleep(int(answer.headers["retry-after"]))
        return answer


def _worker(system: System, name: str) -> Worker:
    user = User(name=name, group=system.settings.authentication.user_group)
    system.add_users(user)
    return Worker.with_run(system, user)
