"""Which folder a location names: one for what is to be deleted, every possible one for what is in use. No server."""

import pytest

from mlflow_sso.garbage_collection.locations import UnclearLocationError, own_folder, readings
from mlflow_sso.object_store import Folder, blob_folder, google_folder

ROOT = Folder("bucket", "prod/")


@pytest.mark.parametrize(
    ("location", "prefix"),
    [
        ("mlflow-artifacts:/12/ab/artifacts", "prod/12/ab/artifacts/"),
        ("mlflow-artifacts:/my folder/ab/artifacts", "prod/my folder/ab/artifacts/"),
        ("s3://bucket/prod/team/ab/artifacts", "prod/team/ab/artifacts/"),
        ("s3://bucket/prod/team/ab/artifacts/", "prod/team/ab/artifacts/"),
    ],
)
def test_own_folder_of_clear_location(location: str, prefix: str) -> None:
    assert own_folder(location, root=ROOT) == Folder("bucket", prefix)


@pytest.mark.parametrize(
    "location",
    [
        "mlflow-artifacts:/",
        "mlflow-artifacts:12",
        "mlflow-artifacts://host/12",
        "mlflow-artifacts:/a/../12",
        "mlflow-artifacts:/./12",
        "mlflow-artifacts:/a//12",
        # An escaped 12.
        "mlflow-artifacts:/%312",
        "mlflow-artifacts:/12?versionId=1",
        "mlflow-artifacts:/12#x",
        "mlflow-artifacts:/a\\..\\12",
        "mlflow-artifacts:/12\n",
        "s3://bucket/prod",
        "s3://bucket/prod/",
        # Begins as the root does, without lying below it.
        "s3://bucket/production/12",
        "s3://bucket/staging/12",
        "s3://bucket/12",
        "s3://bucket",
        "s3://bucket/prod/../staging/12",
        "s3://other/prod/12",
        "S3://bucket/prod/12",
        "gs://bucket/prod/12",
        "file:///prod/12",
        "/prod/12",
        "12",
        "",
    ],
)
def test_own_folder_refuses_unclear_location(location: str) -> None:
    with pytest.raises(UnclearLocationError, match="its artifacts are at"):
        own_folder(location, root=ROOT)


@pytest.mark.parametrize(
    "location",
    [
        "mlflow-artifacts:/12",
        "mlflow-artifacts:/12/",
        "mlflow-artifacts:///12",
        "mlflow-artifacts://any.host:5000/12",
        "MLFLOW-ARTIFACTS:/12",
        "mlflow-artifacts:/x/../12",
        "mlflow-artifacts:/x/%2e%2e/12",
        # Escaped twice, since MLflow decodes a path once more than the server before it.
        "mlflow-artifacts:/x/%252e%252e/12",
        "mlflow-artifacts:/%31%32",
        "mlflow-artifacts:/./12",
        "mlflow-artifacts:/../../12",
        "mlflow-artifacts:/x\\..\\12",
        "mlflow-artifacts:/12?x=1",
        "mlflow-artifacts:/12#x",
        "mlflow-artifacts:/12;x",
        "mlflow-artifacts:/api/2.0/mlflow-artifacts/artifacts/12",
        "s3://bucket/prod/12",
        "s3://BUCKET/prod/12",
        # Hadoop's scheme of S3.
        "s3a://bucket/prod//12",
        "s3://bucket/staging/../prod/12",
        # Cloudflare's scheme, which MLflow serves as one of S3's.
        "r2://bucket@account.r2.cloudflarestorage.com/prod/12",
        # MLflow's client makes this address out of ``mlflow-artifacts:/12``.
        "https://mlflow.example.com/api/2.0/mlflow-artifacts/artifacts/12",
        "https://mlflow.example.com/ajax-api/2.0/mlflow-artifacts/artifacts/x/../12",
    ],
)
def test_readings_include_every_way_to_read(location: str) -> None:
    assert Folder("bucket", "prod/12/") in readings(location, ROOT)


@pytest.mark.parametrize("location", ["mlflow-artifacts:/123", "mlflow-artifacts:/1", "s3://other/prod/12", "12", ""])
def test_readings_exclude_other_folders(location: str) -> None:
    assert Folder("bucket", "prod/12/") not in readings(location, ROOT)


# ``urlsplit`` raises for a bracket that is not closed.
@pytest.mark.parametrize("location", ["s3://[x/12", "s3://", "mlflow-artifacts:", "%%%", "\x00"])
def test_readings_survive_what_is_no_uri(location: str) -> None:
    assert all(folder.prefix.strip("/") in ("", "prod") for folder in readings(location, ROOT))


BLOBS = "mlflow@exampleaccount.blob.core.windows.net"
"""A container, as its URI names it."""


def test_own_folder_of_blobs_is_in_own_container() -> None:
    root, location = Folder(BLOBS, "prod/"), f"wasbs://{BLOBS}/prod/12/ab/artifacts"

    assert own_folder(location, root=root) == Folder(BLOBS, "prod/12/ab/artifacts/")
    assert str(own_folder("mlflow-artifacts:/12", root=root)) == f"wasbs://{BLOBS}/prod/12/"


@pytest.mark.parametrize(
    "location",
    [
        f"s3://{BLOBS}/prod/12",
        f"wasb://{BLOBS}/prod/12",
        f"wasbs://{BLOBS}/production/12",
        "wasbs://mlflow@other.blob.core.windows.net/prod/12",
        "wasbs://other@exampleaccount.blob.core.windows.net/prod/12",
        f"wasbs://{BLOBS}/prod/12?sig=x",
    ],
)
def test_own_folder_refuses_blobs_of_others(location: str) -> None:
    with pytest.raises(UnclearLocationError):
        own_folder(location, root=Folder(BLOBS, "prod/"))


@pytest.mark.parametrize(
    "location",
    [
        "mlflow-artifacts:/12",
        f"wasb://{BLOBS}/prod/12",
        f"wasbs://{BLOBS.upper()}/prod/x/../12",
        # The same container by the service for data lakes, and by plain requests.
        "abfss://mlflow@exampleaccount.dfs.core.windows.net/prod/12",
        "https://exampleaccount.blob.core.windows.net/mlflow/prod/12",
        # The Blob service reads a backslash as a slash.
        f"wasbs://{BLOBS}/prod\\12",
    ],
)
def test_readings_of_blobs_include_every_way(location: str) -> None:
    assert Folder(BLOBS, "prod/12/") in readings(location, Folder(BLOBS, "prod/"))


@pytest.mark.parametrize(
    "uri", ["wasbs://a..b@exampleaccount.blob.core.windows.net", "wasbs://mlflow@evil.example.com/x"]
)
def test_blob_folder_is_of_an_account_of_azure(uri: str) -> None:
    assert blob_folder(uri) is None


GOOGLE = Folder("bucket", "prod/", is_google=True)


def test_own_folder_of_google_is_in_own_bucket() -> None:
    found = own_folder("gs://bucket/prod/12/ab/artifacts", root=GOOGLE)

    assert (str(found), found.is_google) == ("gs://bucket/prod/12/ab/artifacts/", True)
    assert str(own_folder("mlflow-artifacts:/12", root=GOOGLE)) == "gs://bucket/prod/12/"


@pytest.mark.parametrize(
    "location",
    [
        "s3://bucket/prod/12",
        "gs://other/prod/12",
        "gs://bucket/production/12",
        "gs://bucket/prod/a/../12",
        "GS://bucket/prod/1",
    ],
)
def test_own_folder_refuses_other_buckets_of_google(location: str) -> None:
    with pytest.raises(UnclearLocationError):
        own_folder(location, root=GOOGLE)


@pytest.mark.parametrize(
    "location",
    [
        "mlflow-artifacts:/12",
        "gs://bucket/prod/12",
        "gs://bucket/prod/x/../12",
        # The same bucket by requests of S3, and by plain ones.
        "s3://bucket/prod/12",
        "https://storage.googleapis.com/bucket/prod/12",
        "https://bucket.storage.googleapis.com/prod/12",
    ],
)
def test_readings_of_google_include_every_way(location: str) -> None:
    assert GOOGLE.at("prod/12/") in readings(location, GOOGLE)


def test_readings_of_s3_exclude_google() -> None:
    assert readings("gs://bucket/prod/12", ROOT) == frozenset()


@pytest.mark.parametrize("uri", ["gs://", "gs://A", "gs://a", "gs://user@bucket/x", "gs:///x"])
def test_google_folder_is_of_a_bucket(uri: str) -> None:
    assert google_folder(uri) is None
