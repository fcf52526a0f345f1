"""``gc`` in random worlds: it never deletes what a living row can reach, and deletes what is due and used by none."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from pod import Pod
from worlds import World, possible_keys, store, worlds

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

EXAMPLES = int(os.environ.get("GC_WORLDS", "40"))


@pytest.fixture(scope="module")
def world_pod(migrated_once: Pod, tmp_path_factory: pytest.TempPathFactory) -> Pod:
    return migrated_once.copy(tmp_path_factory.mktemp("worlds"))


def is_within(key: str, folder: str) -> bool:
    return not folder or key == folder or key.startswith(f"{folder}/")


def users(world: World, key: str, bucket: str) -> set[tuple[str, str]]:
    """The living locations by which ``key`` may be reached, but for that of the experiment whose due run it is of."""
    parents = {
        (f"experiment {row['experiment']}", world.experiments[row["experiment"]]["location"])
        for kind, rows in (("run", world.runs), ("model", world.models))
        for identity, row in rows.items()
        if row["state"] == "due" and row["location"] == world.own_location(kind, identity, row["experiment"])
        if any(is_within(key, folder) for folder in possible_keys(row["location"], bucket=bucket))
    }
    return {
        (owner, uri)
        for owner, uri in world.living_locations()
        if any(is_within(key, folder) for folder in possible_keys(uri, bucket=bucket))
    } - parents


def removable_folders(world: World, bucket: str) -> set[str]:
    """Folders of due runs and models at the server's own place, which no other row may mean."""
    removable = set()
    versions = " ".join(uri for uris in world.versions for uri in uris)
    for kind, rows in (("run", world.runs), ("model", world.models)):
        for identity, row in rows.items():
            regular = (
                f"mlflow-artifacts:/{row['experiment']}/{'models/' if kind == 'model' else ''}{identity}/artifacts"
            )
            folder = regular.removeprefix("mlflow-artifacts:/")
            used = {
                key
                for owner, uri in world.living_locations()
                for key in possible_keys(uri, bucket=bucket)
                if (owner, uri) != (f"experiment {row['experiment']}", f"mlflow-artifacts:/{row['experiment']}")
            }
            clash = any(is_within(folder, key) or is_within(key, folder) for key in used)
            if row["state"] == "due" and row["location"] == regular and not clash and identity not in versions:
                removable.add(folder)
    return removable


def test_gc_deletes_nothing_in_use(world_pod: Pod) -> None:
    bucket = world_pod.bucket.name

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        # The same worlds on each machine, so that a failure can be had again.
        derandomize=True,
        database=None,
        # Each example fills a database and a bucket, which is slower than Hypothesis expects.
        suppress_health_check=list(HealthCheck),
    )
    @given(worlds(bucket=bucket))
    def check(world: World) -> None:
        keys = store(world, world_pod)
        removable = removable_folders(world, bucket)

        done = world_pod.run("gc")

        left = set(world_pod.bucket.objects())
        assert done.code in (0, 1), done.stderr
        assert {key: by for key in keys - left if (by := users(world, key, bucket))} == {}
        assert {key for key in left if any(is_within(key, folder) for folder in removable)} == set()
        living = {run for run, row in world.runs.items() if row["state"] != "due"}
        rows = {run for (run,) in world_pod.database.query("SELECT run_uuid FROM runs")}
        assert living <= rows

    check()
