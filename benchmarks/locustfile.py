"""What the users of a tracking server do, for Locust: training loops that log, and people in the pages.

Run by bench_load.py in an environment of its own, which tells it all by variables.
"""

import json
import os
import random
import secrets
import time
from typing import Any, ClassVar

from local_user import LocalUser
from locust import between, constant_pacing, task

API = "/api/2.0/mlflow"
ARTIFACT = os.urandom(10 << 20)
STEPS = 60
"""Of a run, a second each; then comes its artifact."""
METRICS = 5
"""Of a step."""
PARAMETERS = 10
EXPERIMENT = os.environ["LOAD_EXPERIMENT"]


class Member(LocalUser):
    """A logged-in user."""

    abstract = True

    def send(self, method: str, path: str, name: str, **options: Any) -> dict[str, Any]:
        """The answer; empty if it was an error, which Locust counts."""
        with self.client.request(method, path, name=name, catch_response=True, **options) as answer:
            # Status 0 is a connection that failed, which has no headers either.
            if answer.status_code != 200:
                after = (answer.headers or {}).get("Retry-After")
                answer.failure(
                    f"{answer.status_code}, Retry-After {after}" if answer.status_code else str(answer.error)
                )
                return {}
            found: dict[str, Any] = json.loads(answer.text)
            return found

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """A call of the REST API."""
        return self.send("POST", f"{API}/{path}", path, json=body)


class TrainingLoop(Member):
    """A process with an access key that logs a step a second, and an artifact of 10 MB with each run."""

    # A step begins a second after the last began, however long its answer took, as in a loop that computes meanwhile.
    wait_time = constant_pacing(1)
    fixed_count = int(os.environ["LOAD_LOOPS"])
    default_headers: ClassVar = json.loads(os.environ["LOAD_KEY"])
    run_id = ""
    step = 0

    def on_start(self) -> None:
        """Begin anywhere in a second and in a run, so that not all send a step or their artifact at once."""
        # Locust starts users in groups, one each second; constant_pacing would make up for a pause below a second.
        time.sleep(1 + random.random())  # noqa: S311
        self.begin()
        self.step = random.randrange(STEPS)  # noqa: S311

    @task
    def log(self) -> None:
        """Do what comes next in a run."""
        if not self.run_id:
            self.begin()
        elif self.step < STEPS:
            self.step += 1
            now = int(time.time() * 1000)
            values = [(f"m{number}", random.random()) for number in range(METRICS)]  # noqa: S311
            metrics = [{"key": key, "value": value, "timestamp": now, "step": self.step} for key, value in values]
            self.post("runs/log-batch", run_id=self.run_id, metrics=metrics)
        else:
            self.end()

    def begin(self) -> None:
        """Create a run with parameters."""
        made = self.post("runs/create", experiment_id=EXPERIMENT, start_time=int(time.time() * 1000))
        self.run_id, self.step = made.get("run", {}).get("info", {}).get("run_id", ""), 0
        if self.run_id:
            params = [{"key": f"p{number}", "value": secrets.token_hex(4)} for number in range(PARAMETERS)]
            self.post("runs/log-batch", run_id=self.run_id, params=params)

    def end(self) -> None:
        """Send the artifact and finish the run."""
        path = f"/api/2.0/mlflow-artifacts/artifacts/{EXPERIMENT}/{self.run_id}/artifacts/model.bin"
        self.send("PUT", path, "artifact of 10 MB", data=ARTIFACT)
        self.post("runs/update", run_id=self.run_id, status="FINISHED", end_time=int(time.time() * 1000))
        self.run_id = ""


class Person(Member):
    """A user with a browser's session who looks at experiments and runs."""

    wait_time = between(2, 8)
    fixed_count = int(os.environ["LOAD_PEOPLE"])
    default_headers: ClassVar = json.loads(os.environ["LOAD_SESSION"])

    @task(3)
    def see_runs(self) -> None:
        """The table of runs, and the newest run with a curve."""
        found = self.post("runs/search", experiment_ids=[EXPERIMENT], max_results=100)
        for run in found.get("runs", [])[:1]:
            query = f"run_id={run['info']['run_id']}"
            self.send("GET", f"{API}/runs/get?{query}", "runs/get")
            history = f"{API}/metrics/get-history?{query}&metric_key=m0&max_results=1000"
            self.send("GET", history, "metrics/get-history")

    @task
    def see_experiments(self) -> None:
        """The list of experiments."""
        self.post("experiments/search", max_results=25)
