"""``fsck`` on a real database and bucket: it finds what is missing and what is too much, and nothing else."""

import io

import pytest
from garbage import Garbage

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

VERSION = (
    "UPDATE model_versions SET source = replace(source, '/model', ''),"
    " storage_location = replace(storage_location, '/model', '') WHERE version = 1"
)
SPANS = """
INSERT INTO trace_tags (key, value, request_id) VALUES ('mlflow.trace.spansLocation', 'ARTIFACT_REPO', %s)
ON CONFLICT (key, request_id) DO UPDATE SET value = 'ARTIFACT_REPO'
"""

ARCHIVE = "INSERT INTO trace_tags (key, value, request_id) VALUES ('mlflow.trace.archiveLocation', %s, %s)"
HISTORY = "INSERT INTO tags (key, value, run_uuid) VALUES ('mlflow.log-model.history', %s, %s)"


@pytest.fixture
def whole(garbage: Garbage) -> Garbage:
    """Rows in all states of deletion, each with its object."""
    garbage.pod.database.query(VERSION)
    garbage.pod.database.query("UPDATE logged_models SET status = 2")
    # These lie beside the folders of runs and models, where ``fsck`` would find them as loose objects.
    for experiment in ("alive", "gone", "recent", "custom"):
        garbage.pod.bucket.client.remove_object(garbage.pod.bucket.name, garbage.key(experiment))
    return garbage


def put(garbage: Garbage, *keys: str) -> None:
    for key in keys:
        garbage.pod.bucket.client.put_object(garbage.pod.bucket.name, key, io.BytesIO(b"12345"), 5)


def test_fsck_finds_nothing_where_all_is_whole(whole: Garbage) -> None:
    put(whole, f"{whole.id('alive')}/{whole.id('active-run')}/artifacts/deep/down/file")

    done = whole.pod.run("fsck")

    assert done.code == 0, done.stdout + done.stderr
    assert done.results == [{"finding": "total", "rows_without_objects": 0, "folders_without_rows": 0}]


def test_fsck_passes_over_emptied_folders(whole: Garbage) -> None:
    keys = ("998/0a/artifacts/file", f"{whole.id('alive')}/{'1' * 32}/artifacts/file")
    put(whole, *keys)
    for key in keys:
        whole.pod.bucket.client.remove_object(whole.pod.bucket.name, key)

    done = whole.pod.run("fsck")

    assert done.code == 0, done.stdout


def test_fsck_finds_objects_without_rows(whole: Garbage) -> None:
    alive, custom = whole.id("alive"), "custom"
    put(
        whole,
        # No experiment has this number, so the whole folder is one finding.
        "999/0a/artifacts/file",
        "999/0b/artifacts/file",
        f"{alive}/{'0' * 32}/artifacts/file",
        f"{alive}/models/m-{'0' * 32}/artifacts/file",
        f"{alive}/traces/tr-{'0' * 32}/artifacts/file",
        f"{alive}/loose 'name'",
        f"{alive}/models/loose",
        f"{custom}/{'f' * 32}/artifacts/file",
        "stray",
    )

    done = whole.pod.run("fsck")

    found = {line["location"]: line["objects"] for line in done.results[:-1] if line["finding"] == "objects"}
    bucket = f"{whole.pod.bucket.uri}/"
    assert done.code == 1
    assert found == {
        f"{bucket}": 1,
        f"{bucket}999/": 2,
        f"{bucket}{alive}/": 1,
        f"{bucket}{alive}/models/": 1,
        f"{bucket}{alive}/{'0' * 32}/": 1,
        f"{bucket}{alive}/models/m-{'0' * 32}/": 1,
        f"{bucket}{alive}/traces/tr-{'0' * 32}/": 1,
        f"{bucket}{custom}/{'f' * 32}/": 1,
    }
    assert done.results[-1] == {"finding": "total", "rows_without_objects": 0, "folders_without_rows": 8}


def test_fsck_keeps_models_that_a_version_uses(whole: Garbage) -> None:
    alive = whole.id("alive")
    put(whole, f"{alive}/models/m-{'0' * 32}/artifacts/file")
    whole.pod.database.query(
        "UPDATE model_versions SET source = %s WHERE version = 2", f"mlflow-artifacts:/{alive}/models"
    )

    done = whole.pod.run("fsck")

    assert done.results[-1]["folders_without_rows"] == 0


def test_fsck_finds_rows_without_objects(whole: Garbage) -> None:
    bucket, trace = whole.pod.bucket, whole.id("trace-of-alive")
    whole.pod.database.query(SPANS, trace)
    for name in ("active-model", "used-run", "active-run", "trace-of-alive"):
        bucket.client.remove_object(bucket.name, whole.key(name))

    done = whole.pod.run("fsck")

    found = {(line["kind"], line["id"]) for line in done.results if line["finding"] == "row"}
    assert done.code == 1
    assert found == {
        ("logged model", whole.id("active-model")),
        ("model version", "churn/1"),
        ("trace", trace),
    }


# Beside dots, a key that is longer than a store takes.
ODD = (
    "mlflow-artifacts:/x/..",
    "mlflow-artifacts:/../x/./..",
    "s3://{bucket}/./",
    "mlflow-artifacts:" + "/\U0001f600\U0001f600" * 150,
)


@pytest.mark.parametrize("location", ODD)
def test_fsck_reports_locations_without_folder(whole: Garbage, location: str) -> None:
    put(whole, "stray")
    odd = location.format(bucket=whole.pod.bucket.name)
    whole.pod.database.query("UPDATE model_versions SET source = %s, storage_location = '' WHERE version = 1", odd)

    done = whole.pod.run("fsck")

    assert done.code == 1, done.stderr
    assert {line["location"] for line in done.results[:-1]} == {odd, f"{whole.pod.bucket.uri}/"}


def test_fsck_takes_any_depth(whole: Garbage) -> None:
    deep, trace = "d/" * 500, whole.id("trace-of-alive")
    put(whole, f"{deep}artifacts/file")
    whole.pod.database.query(ARCHIVE, f"mlflow-artifacts:/{deep}artifacts", trace)
    whole.pod.database.query(HISTORY, "[" * 4900, whole.id("active-run"))

    done = whole.pod.run("fsck")

    assert done.code == 0, done.stdout + done.stderr
    assert done.results == [{"finding": "total", "rows_without_objects": 0, "folders_without_rows": 0}]


def test_fsck_changes_nothing(whole: Garbage) -> None:
    put(whole, "999/file", "stray")
    before = whole.pod.bucket.objects()

    whole.pod.run("fsck")

    assert whole.pod.bucket.objects() == before
