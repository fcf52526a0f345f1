"""Small worlds of experiments, runs, traces, models and versions, with locations and ids that clash on purpose.

What their living rows reach is told by readings of a location that are written down here a second time, plainly, so
that the collector's own readings are not their own judge.
"""

import io
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, LiteralString
from urllib.parse import unquote, urlsplit

import psycopg
from hypothesis import strategies as st
from minio.deleteobjects import DeleteObject
from pod import Pod
from psycopg.sql import SQL, Identifier

DELETED = 1000
"""Milliseconds since 1970 at which what is due was marked deleted."""

RECENT = 4_000_000_000_000

STATES = ("living", "due", "recent")

TABLES = ("model_versions", "registered_models", "trace_tags", "trace_info", "logged_models", "runs", "experiments")
EXPERIMENT: LiteralString = (
    "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, last_update_time)"
    " VALUES (%s, %s, %s, %s, %s)"
)
RUN: LiteralString = (
    "INSERT INTO runs (run_uuid, experiment_id, artifact_uri, lifecycle_stage, deleted_time)"
    " VALUES (%s, %s, %s, %s, %s)"
)
MODEL: LiteralString = (
    "INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms, status,"
    " lifecycle_stage, last_updated_timestamp_ms) VALUES (%s, %s, 'model', %s, 1, 1, %s, %s)"
)
TRACE: LiteralString = (
    "INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, status) VALUES (%s, %s, 1, 'OK')"
)
TAG: LiteralString = "INSERT INTO trace_tags (key, value, request_id) VALUES ('mlflow.artifactLocation', %s, %s)"
VERSION: LiteralString = (
    "INSERT INTO model_versions (name, version, source, storage_location, current_stage)"
    " VALUES ('churn', %s, %s, %s, 'None')"
)

PLACES = ("1", "2", "3", "12", "team", "team/1", "team/shared", "1/nested", "traces")
SPELLINGS = (
    # Twice, so that plain locations are the most frequent ones.
    "{path}",
    "{path}",
    "{path}/",
    "{path}//",
    "./{path}",
    "x/../{path}",
    "x/%2e%2e/{path}",
    "/{path}",
    "{path}?query=1",
    "{path}#fragment",
    # Escaped twice: %25 is the sign itself, and %74 a t.
    "%2574eam/../{path}",
    "{escaped}",
    "x\\..\\{path}",
    "{upper}",
)
PREFIXES = (
    "mlflow-artifacts:/",
    "mlflow-artifacts:/",
    "mlflow-artifacts:///",
    "mlflow-artifacts://mlflow.example.com/",
    "s3://{bucket}/",
    # Schemes have no case.
    "S3://{bucket}/",
    "s3://elsewhere/",
    "https://mlflow.example.com/api/2.0/mlflow-artifacts/artifacts/",
    "file:///",
)

locations = st.builds(
    lambda prefix, spelling, place: (
        prefix + spelling.format(path=place, escaped="".join(f"%{ord(c):02x}" for c in place), upper=place.upper())
    ),
    st.sampled_from(PREFIXES),
    st.sampled_from(SPELLINGS),
    st.sampled_from(PLACES),
)
states = st.sampled_from(STATES)
# MLflow takes any text as id of a trace, so one may look like a path to another's folder.
trace_ids = st.sampled_from(["1", "12", "a/b", "../../../1", "%2e%2e/1", "tr 1", "tr?1"]) | st.uuids().map(
    lambda uuid: f"tr-{uuid.hex}"
)


@dataclass(kw_only=True)
class World:
    """Rows by kind, each a mapping of its columns, and the state of each."""

    experiments: dict[int, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    traces: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: list[tuple[str, str]] = field(default_factory=list)

    def own_location(self, kind: str, identity: str, experiment: int) -> str:
        middle = {"run": "", "model": "models/", "trace": "traces/"}[kind]
        return f"{self.experiments[experiment]['location'].rstrip('/')}/{middle}{identity}/artifacts"

    def experiment_goes(self, number: int) -> bool:
        """Whether it is due and holds no run that is not."""
        runs = [run for run in self.runs.values() if run["experiment"] == number]
        return self.experiments[number]["state"] == "due" and all(run["state"] == "due" for run in runs)

    def living_locations(self) -> Iterator[tuple[str, str]]:
        """Every location that a row uses which is not about to go, with the row's name."""
        for number, row in self.experiments.items():
            if not self.experiment_goes(number):
                yield f"experiment {number}", row["location"]
        for identity, row in {**self.runs, **self.models}.items():
            if row["state"] != "due" and not self.experiment_goes(row["experiment"]):
                yield identity, row["location"]
        for identity, row in self.traces.items():
            if not self.experiment_goes(row["experiment"]):
                yield identity, row["tag"]
        for version, uris in enumerate(self.versions):
            yield from ((f"version {version}", uri) for uri in uris)


@st.composite
def worlds(draw: st.DrawFn, *, bucket: str) -> World:
    """Up to five experiments with what is in them."""
    world = World()
    # Numbers of which some begin like others.
    for number in draw(st.lists(st.sampled_from([1, 2, 3, 12, 123]), min_size=1, max_size=5, unique=True)):
        # Two of three experiments lie where the server itself puts them.
        chosen = draw(st.none() | st.none() | locations)
        location = chosen.replace("{bucket}", bucket) if chosen else f"mlflow-artifacts:/{number}"
        world.experiments[number] = {"location": location, "state": draw(states)}
    numbers = st.sampled_from(sorted(world.experiments))
    for kind, rows, prefix in (("run", world.runs, ""), ("model", world.models, "m-")):
        for uuid in draw(st.lists(st.uuids(), max_size=5, unique=True)):
            identity, experiment = f"{prefix}{uuid.hex}", draw(numbers)
            odd = draw(st.sampled_from([None, None, None, None, *world.experiments.values()]))
            location = f"{odd['location']}/odd/{identity}" if odd else world.own_location(kind, identity, experiment)
            rows[identity] = {"location": location, "state": draw(states), "experiment": experiment}
    targets = [row["location"] for row in (*world.experiments.values(), *world.runs.values(), *world.models.values())]
    tags = st.none() | st.sampled_from(targets) | locations.map(lambda uri: uri.replace("{bucket}", bucket))
    for identity in draw(st.lists(trace_ids, max_size=4, unique=True)):
        experiment = draw(numbers)
        tag = draw(tags) or world.own_location("trace", identity, experiment)
        world.traces[identity] = {"tag": tag, "experiment": experiment}
    ids = [*world.runs, *world.models]
    named = st.sampled_from([f"runs:/{i}/model" for i in ids] + [f"models:/{i}" for i in ids]) if ids else st.nothing()
    sources = st.sampled_from(targets).map(lambda uri: f"{uri}/model") | named
    world.versions = draw(st.lists(st.tuples(sources, st.just("")), max_size=2))
    return world


def possible_keys(location: str, *, bucket: str) -> set[str]:
    """Keys of the bucket that some reader of ``location`` may mean, without a slash at the end."""
    keys = set()
    for text in (location, unquote(location), unquote(unquote(location)), unquote(location).replace("\\", "/")):
        parts = urlsplit(text)
        path = parts.path.rpartition("/mlflow-artifacts/artifacts")[2] if parts.scheme == "https" else parts.path
        if parts.scheme in ("mlflow-artifacts", "https") or (parts.scheme == "s3" and parts.netloc == bucket):
            keys |= {path.strip("/"), re.sub("/+", "/", path).strip("/"), posixpath.normpath(f"/{path}").strip("/")}
    return keys


def store(world: World, pod: Pod) -> set[str]:
    """Write the rows and one object for each place that any of them may mean; returns the keys."""
    with psycopg.connect(pod.database.dsn("mlflow")) as connection:
        for table in TABLES:
            connection.execute(SQL("DELETE FROM {}").format(Identifier(table)))
        for statement, parameters in _rows(world):
            connection.execute(statement, parameters)
    return _put_objects(world, pod)


def _rows(world: World) -> Iterator[tuple[LiteralString, tuple[object, ...]]]:
    for number, row in world.experiments.items():
        yield EXPERIMENT, (number, f"experiment {number}", row["location"], *_stage(row["state"]))
    for identity, row in world.runs.items():
        yield RUN, (identity, row["experiment"], row["location"], *_stage(row["state"]))
    for identity, row in world.models.items():
        yield MODEL, (identity, row["experiment"], row["location"], *_stage(row["state"]))
    for identity, row in world.traces.items():
        yield TRACE, (identity, row["experiment"])
        yield TAG, (row["tag"], identity)
    yield "INSERT INTO registered_models (name) VALUES ('churn')", ()
    for version, (source, storage) in enumerate(world.versions):
        yield VERSION, (version, source, storage)


def _stage(state: str) -> tuple[str, int]:
    return ("active", RECENT) if state == "living" else ("deleted", DELETED if state == "due" else RECENT)


def _put_objects(world: World, pod: Pod) -> set[str]:
    rows = (*world.experiments.values(), *world.runs.values(), *world.models.values())
    locations = [row["location"] for row in rows] + [row["tag"] for row in world.traces.values()]
    own = [world.own_location("trace", name, row["experiment"]) for name, row in world.traces.items()]
    wanted = {key for uri in (*locations, *own) for key in possible_keys(uri, bucket=pod.bucket.name)}
    keys = {f"{key}/object" for key in wanted if _is_storable(key)} | {f"{place}/object" for place in PLACES}
    client, name = pod.bucket.client, pod.bucket.name
    present = set(pod.bucket.objects())
    assert not list(client.remove_objects(name, (DeleteObject(key) for key in present - keys)))
    for key in keys - present:
        client.put_object(name, key, io.BytesIO(b"weights"), 7)
    return keys


def _is_storable(key: str) -> bool:
    """Whether MinIO takes it, which keeps objects as files."""
    return bool(key) and "//" not in key and "\\" not in key and not {"", ".", ".."} & set(key.split("/"))
