"""A user at work: runs with metrics, models and artifacts by the REST API, with an access key."""

from dataclasses import dataclass, field
from typing import Any, Self

import httpx
from web_session import WebSession, with_key

from live.users import User
from testbed.system import System

API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


@dataclass(kw_only=True)
class Worker:
    """Somebody with an access key and a run; also a context manager."""

    system: System
    user: User
    key: str
    client: httpx.Client = field(init=False, repr=False)
    experiment: str = field(init=False, default="")
    run: str = field(init=False, default="")

    @classmethod
    def with_run(cls, system: System, user: User) -> Self:
        """Log in, make a key, begin a run."""
        with WebSession(system=system) as visitor:
            visitor.log_in(user)
            key = visitor.make_key(user)
        worker = cls(system=system, user=user, key=key)
        worker.begin()
        return worker

    def __post_init__(self) -> None:
        self.client = with_key(self.system, self.user, self.key)

    def begin(self) -> None:
        """Make an experiment and a run."""
        made = self.post("experiments/create", name=f"experiment of {self.user.name}")
        self.experiment = made["experiment_id"]
        self.run = self.post("runs/create", experiment_id=self.experiment)["run"]["info"]["run_id"]

    def call(self, path: str, **body: Any) -> httpx.Response:
        """A POST, whatever its answer is."""
        return self.client.post(f"{API}/{path}", json=body)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """A POST that must succeed."""
        return self._succeeded(self.call(path, **body))

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """A GET that must succeed."""
        return self._succeeded(self.client.get(f"{API}/{path}", params=query))

    def _succeeded(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, f"{answer.request.url}: {answer.status_code} {answer.text}"
        decoded: dict[str, Any] = answer.json()
        return decoded

    def log(self, step: int) -> httpx.Response:
        """One metric of the run."""
        return self.call("runs/log-metric", run_id=self.run, key="loss", value=1 / step, timestamp=step, step=step)

    def steps(self) -> set[int]:
        """Steps that the run's metric has."""
        # More steps than any test logs, so that one page holds them all.
        query = {"run_id": self.run, "metric_key": "loss", "max_results": 25000}
        return {metric["step"] for metric in self.get("metrics/get-history", **query).get("metrics", [])}

    def artifact(self, name: str) -> str:
        """Path of an artifact of the run."""
        return f"{ARTIFACTS}/{self.experiment}/{self.run}/artifacts/{name}"

    def upload(self, name: str, content: bytes) -> httpx.Response:
        """Send an artifact through the proxy."""
        # As MLflow's client sends it: the body is the file, without a form around it.
        return self.client.put(self.artifact(name), content=content)

    def download(self, name: str) -> httpx.Response:
        """Get it back."""
        return self.client.get(self.artifact(name))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
