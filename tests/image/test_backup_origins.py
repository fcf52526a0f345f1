"""Dumps of several installations in one target: each restores and deletes its own, and another's only by name."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from backups import make_empty_copy, make_filled, read_all
from minio.commonconfig import CopySource
from pod import Done, Pod

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

# Writes the manifest of the only dump as images did that noted no server, and noted the bucket in nothing else.
AS_BEFORE = """
import json, os, sys
import boto3, zstandard
bucket, key, artifacts = sys.argv[1:]
client = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
fields = json.loads(zstandard.ZstdDecompressor().decompressobj().decompress(body))
fields["artifacts"] = artifacts
client.put_object(Bucket=bucket, Key=key, Body=zstandard.ZstdCompressor().compress(json.dumps(fields).encode()))
"""


@pytest.fixture
def filled(migrated_pod: Pod) -> Pod:
    return make_filled(migrated_pod)


def at(pod: Pod, destination: str) -> Pod:
    """The same installation with its artifacts elsewhere: another one, or the same after a move."""
    return replace(pod, settings={**pod.settings, "MLFLOW_ARTIFACTS_DESTINATION": destination})


def dump(pod: Pod) -> str:
    done = pod.run("dump")
    assert done.code == 0, done.stderr
    return str(done.results[-1]["name"])


def target(pod: Pod) -> str:
    return pod.settings["MLFLOW_SSO_BACKUP_TARGET"].removeprefix("s3://").partition("/")[0]


def names(pod: Pod) -> set[str]:
    return {key.split("/")[1] for key in replace(pod.bucket, name=target(pod)).objects("mlflow/")}


def rename(pod: Pod, name: str, to: str) -> None:
    """Let a dump be older than it is."""
    bucket = target(pod)
    for key in replace(pod.bucket, name=bucket).objects(f"mlflow/{name}/"):
        pod.bucket.client.copy_object(bucket, key.replace(name, to), CopySource(bucket, key))
        pod.bucket.client.remove_object(bucket, key)


def forget(pod: Pod, name: str, part: str) -> None:
    bucket = target(pod)
    for key in replace(pod.bucket, name=bucket).objects(f"mlflow/{name}/{part}/"):
        pod.bucket.client.remove_object(bucket, key)


def deleted(done: Done) -> list[str]:
    assert done.code == 0, done.stderr
    return [str(line["name"]) for line in done.results if line["action"] == "deleted"]


# The folder beside it, another bucket, and one that is called alike in another store.
@pytest.mark.parametrize(
    "elsewhere",
    [
        pytest.param({"MLFLOW_ARTIFACTS_DESTINATION": "s3://of-others"}, marks=pytest.mark.nightly),
        pytest.param({"MLFLOW_ARTIFACTS_DESTINATION": "s3://of-others/staging"}, marks=pytest.mark.nightly),
        {"MLFLOW_S3_ENDPOINT_URL": "http://s3.example.com:9000"},
    ],
)
def test_restore_refuses_newest_dump_of_others(filled: Pod, tmp_path: Path, elsewhere: dict[str, str]) -> None:
    own = dump(filled)
    rename(filled, own, "20250101T000000Z-0000")
    reached = {"MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL": filled.bucket.server.url}
    theirs = dump(replace(filled, settings={**filled.settings, **reached, **elsewhere}))
    new = make_empty_copy(filled, tmp_path / "new")

    refused, latest = new.run("restore"), new.run("restore", "latest")
    left = new.database.query("SELECT count(*) FROM pg_class WHERE relname = 'runs'")
    listed = {line["name"]: line["origin"] for line in new.run("restore", "--list").results}
    restored = new.run("restore", "20250101T000000Z-0000")

    assert (refused.code, latest.code, left) == (1, 1, [(0,)])
    assert refused.stderr == latest.stderr
    assert theirs in refused.stderr
    assert "20250101T000000Z-0000" in refused.stderr
    assert listed[theirs] != listed["20250101T000000Z-0000"]
    assert restored.code == 0, restored.stderr
    assert read_all(new) == read_all(filled)


def test_restore_into_new_bucket_names_the_dump(filled: Pod, tmp_path: Path) -> None:
    name = dump(filled)
    moved = at(make_empty_copy(filled, tmp_path / "new"), "s3://new-bucket")

    refused, restored = moved.run("restore"), moved.run("restore", name)

    assert refused.code == 1
    assert f"mlflow-sso restore {name}" in refused.stderr
    assert restored.code == 0, restored.stderr
    assert [line["level"] for line in restored.progress if "another place" in line["message"]] == ["warning"]
    assert read_all(moved) == read_all(filled)


def test_restore_takes_dump_of_earlier_image(filled: Pod, tmp_path: Path) -> None:
    name = dump(filled)
    forget(filled, name, "origin")
    manifest = f"mlflow/{name}/manifest/manifest.json.zst"
    assert filled.python(AS_BEFORE, target(filled), manifest, f"{filled.bucket.uri}/").code == 0
    new = make_empty_copy(filled, tmp_path / "new")

    elsewhere, restored = at(new, "s3://of-others").run("restore"), new.run("restore")

    assert elsewhere.code == 1
    assert restored.code == 0, restored.stderr


def test_retention_keeps_dumps_of_others(filled: Pod) -> None:
    others = at(filled, "s3://of-others")
    for number, pod in enumerate((filled, filled, others, others)):
        rename(filled, dump(pod), f"2020010{1 + number}T000000Z-0000")
    # What a run of the others has left that was killed.
    forget(filled, "20200104T000000Z-0000", "manifest")

    done = filled.run("dump", "--keep-at-least", "1")

    assert sorted(deleted(done)) == ["20200101T000000Z-0000", "20200102T000000Z-0000"]
    assert names(filled) >= {"20200103T000000Z-0000", "20200104T000000Z-0000"}


def test_retention_knows_dumps_of_earlier_images(filled: Pod) -> None:
    places = {"20200101T000000Z-0000": f"{filled.bucket.uri}/", "20200102T000000Z-0000": "s3://of-others/"}
    for name, artifacts in places.items():
        rename(filled, dump(filled), name)
        forget(filled, name, "origin")
        manifest = f"mlflow/{name}/manifest/manifest.json.zst"
        assert filled.python(AS_BEFORE, target(filled), manifest, artifacts).code == 0
    # As if it were encrypted: whose it is cannot be read.
    rename(filled, dump(filled), "20200103T000000Z-0000")
    forget(filled, "20200103T000000Z-0000", "origin")
    folder = "mlflow/20200103T000000Z-0000/manifest/manifest.json.zst"
    filled.bucket.client.remove_object(target(filled), folder)
    filled.bucket.client.put_object(target(filled), f"{folder}.age", io.BytesIO(b"x"), 1)

    done = filled.run("dump", "--keep-at-least", "1")

    assert deleted(done) == ["20200101T000000Z-0000"]
    assert [line["level"] for line in done.progress if "20200103T000000Z-0000" in str(line)] == ["warning"]
    assert names(filled) >= {"20200102T000000Z-0000", "20200103T000000Z-0000"}
