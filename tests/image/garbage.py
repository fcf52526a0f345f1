"""Experiments, runs and logged models in all states of deletion, created by the release's own store."""

import io
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from buckets import bucket_of
from pod import Pod

FORTY_DAYS = 40 * 86400 * 1000

STORE = """
import json, os, sys, uuid
import mlflow
from mlflow.entities import (Dataset, DatasetInput, Feedback, InputTag, LoggedModelInput, LoggedModelParameter,
                             LoggedModelTag, Metric, Param, RunTag, TraceInfo, TraceLocation, TraceState)
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

uri = os.environ["MLFLOW_BACKEND_STORE_URI"]
store, registry = SqlAlchemyStore(uri, os.environ["MLFLOW_DEFAULT_ARTIFACT_ROOT"]), Registry(uri)
mlflow.set_tracking_uri(uri)
things = {}

def experiment(name, location=None):
    identity = store.create_experiment(name, artifact_location=location)
    things[name] = {"id": identity, "location": store.get_experiment(identity).artifact_location}
    return identity

def run(name, inside):
    identity = store.create_run(inside, "ada", 1, [], name).info.run_id
    store.log_batch(identity, [Metric("loss", n / 10, n, n) for n in range(50)], [Param("lr", "1")], [RunTag("t", "1")])
    things[name] = {"id": identity, "location": store.get_run(identity).info.artifact_uri}
    return identity

def model(name, inside, by):
    made = store.create_logged_model(inside, name, by, [LoggedModelTag("k", "v")], [LoggedModelParameter("p", "v")])
    store.log_batch(by, [Metric("auc", 1.0, 1, 1, model_id=made.model_id, run_id=by)], [], [])
    things[name] = {"id": made.model_id, "location": made.artifact_location}
    return made.model_id

def trace(name, inside, run):
    told = {"mlflow.sourceRun": run}
    place = TraceLocation.from_experiment_id(inside)
    info = TraceInfo("tr-" + uuid.uuid4().hex, place, 1, TraceState.OK, trace_metadata=told, tags={"t": "1"})
    made = store.start_trace(info)
    store.create_assessment(Feedback(trace_id=made.trace_id, name="good", value=True))
    things[name] = {"id": made.trace_id, "location": made.tags["mlflow.artifactLocation"]}

def use(run, data, model):
    dataset = DatasetInput(Dataset(data, "1", "local", "here"), [InputTag("mlflow.data.context", "train")])
    store.log_inputs(run, [dataset], [LoggedModelInput(model)])

alive, gone, recent = experiment("alive"), experiment("gone"), experiment("recent")
custom = experiment("custom", sys.argv[1] + "/custom")
active = run("active-run", alive)
for name in ("old-run", "recent-run", "used-run"):
    store.delete_run(run(name, alive))
model("active-model", alive, active)
deleted_models = [model(name, alive, active) for name in ("old-model", "recent-model", "used-model")]
use(active, "kept", things["active-model"]["id"])
trace("trace-of-alive", alive, active)
for inside in ("gone", "custom"):
    number = things[inside]["id"]
    use(run("run-of-" + inside, number), "wine", model("model-of-" + inside, number, things["run-of-" + inside]["id"]))
    trace("trace-of-" + inside, number, things["run-of-" + inside]["id"])
run("run-of-recent", recent)
for identity in (gone, recent, custom):
    store.delete_experiment(identity)
registry.create_registered_model("churn")
registry.create_model_version("churn", things["used-run"]["location"] + "/model", things["used-run"]["id"])
registry.create_model_version("churn", "models:/" + things["used-model"]["id"], active)
for identity in deleted_models:
    store.delete_logged_model(identity)
print(json.dumps(things))
"""


MOVE = (
    "UPDATE runs SET artifact_uri = replace(artifact_uri, %s, %s)",
    "UPDATE logged_models SET artifact_location = replace(artifact_location, %s, %s)",
    "UPDATE experiments SET artifact_location = replace(artifact_location, %s, %s)",
    "UPDATE trace_tags SET value = replace(value, %s, %s)",
)
"""From one bucket to another."""

AGE = (
    "UPDATE runs SET deleted_time = %s WHERE lifecycle_stage = 'deleted' AND run_uuid <> ALL(%s)",
    "UPDATE logged_models SET last_updated_timestamp_ms = %s WHERE lifecycle_stage = 'deleted' AND model_id <> ALL(%s)",
    "UPDATE experiments SET last_update_time = %s WHERE lifecycle_stage = 'deleted' AND experiment_id::text <> ALL(%s)",
)
"""Deleted then, but for some."""


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """What lies in database and bucket; every thing has one object, ``model.txt``."""

    pod: Pod
    things: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def strew(cls, pod: Pod) -> "Garbage":
        """Migrate, make everything, and let what is called neither active nor recent be deleted forty days ago."""
        migrated = pod.migrate()
        made = pod.script(STORE, pod.bucket.uri)
        assert (migrated.code, made.code) == (0, 0), migrated.stderr + made.stderr
        garbage = cls(pod=pod, things=json.loads(made.stdout.splitlines()[-1]))
        garbage._upload()
        garbage._age()
        return garbage

    def copy(self, folder: Path) -> "Garbage":
        """The same things in other databases and another bucket."""
        bucket = bucket_of(self.pod.bucket.server)
        bucket.client.make_bucket(bucket.name)
        pod = replace(self.pod, folder=folder, database=self.pod.database.copy(), bucket=bucket)
        pod.mount()
        copy = replace(
            # Every location has the bucket's name in it, so all are renamed as text.
            self,
            pod=pod,
            things=json.loads(json.dumps(self.things).replace(self.pod.bucket.name, bucket.name)),
        )
        for statement in MOVE:
            pod.database.query(statement, self.pod.bucket.name, bucket.name)
        copy._upload()
        return copy

    def id(self, name: str) -> str:
        return self.things[name]["id"]

    def key(self, name: str) -> str:
        """Key of the thing's one object."""
        location = self.things[name]["location"]
        path = location.removeprefix("mlflow-artifacts:/").removeprefix(f"{self.pod.bucket.uri}/")
        return f"{path}/model.txt"

    def _upload(self) -> None:
        for name in self.things:
            self.pod.bucket.client.put_object(self.pod.bucket.name, self.key(name), io.BytesIO(b"weights"), 7)

    def _age(self) -> None:
        then = int(time.time() * 1000) - FORTY_DAYS
        recent = [thing["id"] for name, thing in self.things.items() if "recent" in name]
        for statement in AGE:
            self.pod.database.query(statement, then, recent)

    def rows(self) -> dict[str, set[str]]:
        """Identifiers that the database still has."""
        return {
            "run": {identity for (identity,) in self.pod.database.query("SELECT run_uuid FROM runs")},
            "logged_model": {identity for (identity,) in self.pod.database.query("SELECT model_id FROM logged_models")},
            "trace": {identity for (identity,) in self.pod.database.query("SELECT request_id FROM trace_info")},
            "experiment": {str(i) for (i,) in self.pod.database.query("SELECT experiment_id FROM experiments")},
        }
