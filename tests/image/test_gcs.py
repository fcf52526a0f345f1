"""Artifacts in Google Cloud Storage, by an emulator: the proxy, the programs, key and identity, no clients."""

import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from buckets import GoogleBucket
from cloud_site import PROXY, anna_at, bucket_line, folder_of_new_run, listed, moved_to, site_of, trust
from pod import Pod
from serving import Site

from testbed.servers import FakeGcs
from testbed.servers.fake_gcs import service_account_key

pytestmark = [pytest.mark.servers, pytest.mark.either_release]


@pytest.fixture(scope="module")
def fake_gcs() -> Iterator[FakeGcs]:
    with FakeGcs() as server:
        yield server


def moved(pod: Pod, server: FakeGcs, folder: Path) -> Pod:
    """A copy of ``pod`` whose artifacts are in a bucket of its own."""
    return moved_to(GoogleBucket(server=server), pod, folder)


@pytest.fixture(scope="module")
def google_site(migrated_once: Pod, fake_gcs: FakeGcs, tmp_path_factory: pytest.TempPathFactory) -> Site:
    pod = moved(migrated_once, fake_gcs, tmp_path_factory.mktemp("google"))
    return site_of(pod)


@pytest.fixture(scope="module")
def client(google_site: Site) -> Iterator[httpx.Client]:
    with anna_at(google_site) as client:
        yield client


@pytest.fixture
def folder(client: httpx.Client) -> str:
    return folder_of_new_run(client)


def test_proxy_stores_lists_and_sends_objects(client: httpx.Client, google_site: Site, folder: str) -> None:
    files = {"model/a b+ü.txt": b"one", "model/empty": b"", "top.bin": os.urandom(1000), "packed.tar.gz": b"\x1f\x8b"}

    for name, content in files.items():
        client.put(f"{PROXY}/{folder}/{name}", content=content).raise_for_status()

    assert {name: client.get(f"{PROXY}/{folder}/{name}").content for name in files} == files
    assert listed(client, folder) == {"model": None, "packed.tar.gz": 2, "top.bin": 1000}
    assert listed(client, f"{folder}/model") == {"a b+ü.txt": 3, "empty": 0}
    assert google_site.pod.bucket.objects(folder) == sorted(f"{folder}/{name}" for name in files)


def test_proxy_takes_artifact_of_many_chunks(client: httpx.Client, google_site: Site, folder: str) -> None:
    content = os.urandom(1 << 20) * 20 + b"rest"

    client.put(f"{PROXY}/{folder}/large", content=content).raise_for_status()

    assert client.get(f"{PROXY}/{folder}/large").content == content
    assert google_site.pod.bucket.read(f"{folder}/large") == content


def test_proxy_deletes_no_neighbour(client: httpx.Client, google_site: Site, folder: str) -> None:
    for name in ("model/x", "model/y/z", "model2/x", "model.txt"):
        client.put(f"{PROXY}/{folder}/{name}", content=b"x").raise_for_status()

    client.delete(f"{PROXY}/{folder}/model").raise_for_status()

    assert google_site.pod.bucket.objects(folder) == [f"{folder}/model.txt", f"{folder}/model2/x"]


def test_missing_object_is_not_found(client: httpx.Client, folder: str) -> None:
    answer = client.get(f"{PROXY}/{folder}/nothing")

    assert answer.status_code == 404


def test_upload_in_parts_is_refused(client: httpx.Client, folder: str) -> None:
    answer = client.post(f"/api/2.0/mlflow-artifacts/mpu/create/{folder}", json={"path": "large", "num_parts": 2})

    # The one code at which clients send the file whole; 3.6.0 serves no such route.
    assert answer.status_code in (403, 501)
    assert "Signature" not in answer.text


LISTING = """
import mlflow_sso.patches.google_artifacts as own
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
own.serve_google_artifacts()
print([info.path for info in get_artifact_repository("gs://{bucket}").list_artifacts()])
"""


def test_top_of_bucket_is_listed(migrated_once: Pod, fake_gcs: FakeGcs, tmp_path: Path) -> None:
    # MLflow's own class looks below a folder without a name.
    pod = moved(migrated_once, fake_gcs, tmp_path)
    for key in ("1/run/artifacts/x", "models/y", "top.txt"):
        pod.bucket.client.put_object(pod.bucket.name, key, io.BytesIO(b"x"), 1)

    done = pod.script(LISTING.format(bucket=pod.bucket.name))

    assert done.stdout.splitlines()[-1] == "['1', 'models', 'top.txt']", done.stderr


def test_check_writes_and_names_bucket(google_site: Site) -> None:
    pod = google_site.pod

    line = bucket_line(pod.run("check", "--timeout", "1"))

    assert " ok " in line
    assert f"{pod.bucket.uri}/ of {pod.bucket.server.url}" in line
    assert pod.bucket.objects(".mlflow") == []


REFUSED: Mapping[str, tuple[dict[str, str], str]] = {
    "bucket": ({"MLFLOW_ARTIFACTS_DESTINATION": "gs://no-such-bucket"}, "create the bucket first"),
    "server": ({"MLFLOW_SSO_GCS_ENDPOINT": "http://127.0.0.1:9"}, "cannot reach the object store"),
    "name": ({"MLFLOW_ARTIFACTS_DESTINATION": "gs://A"}, "set it to s3://BUCKET, gs://BUCKET"),
    "key": ({"MLFLOW_SSO_GCS_KEY_FILE": "/dev/null"}, "holds no key of a service account in JSON: it comes from"),
    "metadata": (
        {"MLFLOW_SSO_GCS_IDENTITY": "true", "GCE_METADATA_HOST": "127.0.0.1:9"},
        "on GKE whether the node pool has the metadata server",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_check_names_what_to_do(google_site: Site, name: str) -> None:
    changes, said = REFUSED[name]

    line = bucket_line(google_site.pod.run("check", "--timeout", "1", **changes))

    assert "FAILED" in line
    assert said in line


def test_check_says_that_key_is_wrong(google_site: Site, fake_gcs: FakeGcs, tmp_path: Path) -> None:
    wrong = tmp_path / "key.json"
    wrong.write_text(service_account_key(f"{fake_gcs.guarded_url}/token"))

    line = bucket_line(google_site.pod.run("check", "--timeout", "1", MLFLOW_SSO_GCS_KEY_FILE=str(wrong)))

    assert "FAILED" in line
    assert "Invalid JWT Signature" in line
    assert "compare mlflow-gcs-secret with the keys of the service account" in line


@pytest.mark.parametrize("way", ["key", "identity"])
def test_requests_bear_token_of(google_site: Site, fake_gcs: FakeGcs, way: str) -> None:
    identity = {"MLFLOW_SSO_GCS_IDENTITY": "true", "GCE_METADATA_HOST": fake_gcs.metadata_host}
    fake_gcs.asked.clear()

    # What stands before the emulator passes on only requests with the token that it handed out.
    done = google_site.pod.run(
        "check",
        "--timeout",
        "1",
        MLFLOW_SSO_GCS_ENDPOINT=fake_gcs.guarded_url,
        **({**identity, "MLFLOW_SSO_GCS_KEY_FILE": ""} if way == "identity" else {}),
    )

    assert " ok " in bucket_line(done), bucket_line(done)
    assert set(fake_gcs.asked) == {way}


def test_mounted_authority_is_trusted(migrated_once: Pod, tmp_path: Path) -> None:
    with FakeGcs(tls=True) as server:
        pod = moved(migrated_once, server, tmp_path)
        before = bucket_line(pod.run("check", "--timeout", "1"))
        trust(pod, server.certificate.ca)
        after = bucket_line(pod.run("check", "--timeout", "1"))

    assert "mount the authority that signed it as ca/ca.crt" in before
    assert " ok " in after


def test_image_without_clients_says_how_to_build(google_site: Site, tmp_path: Path) -> None:
    # A package of this name with nothing in it stands before the installed one.
    (tmp_path / "google" / "cloud").mkdir(parents=True)
    (tmp_path / "google" / "__init__.py").touch()

    done = google_site.pod.run("serve", PYTHONPATH=str(tmp_path))

    assert done.code == 1
    assert "no client for Google Cloud Storage; build it with IMAGE_STORES=gcs" in done.stderr


UNFIT = {
    "no JSON": ("no key!", "holds no key of a service account in JSON: it comes from mlflow-gcs-secret"),
    "of a person": (
        json.dumps({"type": "authorized_user"}),
        "holds no key of a service account in JSON but of 'authorized_user': it",
    ),
    "half": (json.dumps({"type": "service_account", "client_email": "x"}), "holds no key of a service account in"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_serve_refuses_what_is_no_key(google_site: Site, tmp_path: Path, name: str) -> None:
    text, said = UNFIT[name]
    wrong = tmp_path / "key.json"
    wrong.write_text(text)

    done = google_site.pod.run("serve", MLFLOW_SSO_GCS_KEY_FILE=str(wrong))

    assert done.code == 1
    assert f"{wrong} {said}" in done.stderr


def test_output_shows_no_key(google_site: Site, fake_gcs: FakeGcs) -> None:
    done = google_site.pod.run("check", "--json", "--timeout", "1")

    assert json.loads(done.stdout.splitlines()[0])
    assert "PRIVATE KEY" not in done.stdout + done.stderr
    assert fake_gcs.token not in done.stdout + done.stderr
    assert "Warning" not in done.stderr
