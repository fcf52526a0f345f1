"""Artifacts in Azure Blob Storage, by its emulator: the proxy, the programs, a workload identity, no clients."""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from buckets import BlobContainer
from cloud_site import PROXY, anna_at, bucket_line, folder_of_new_run, listed, moved_to, site_of, trust
from pod import Pod
from serving import Site
from token_service import TokenService

from testbed.servers import Azurite
from testbed.servers.azurite import ACCOUNT

pytestmark = [pytest.mark.servers, pytest.mark.either_release]


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    """With TLS, which tokens need."""
    with Azurite(tls=True) as server:
        yield server


def moved(pod: Pod, azurite: Azurite, folder: Path) -> Pod:
    """A copy of ``pod`` whose artifacts are in a container of its own."""
    copy = moved_to(BlobContainer(server=azurite), pod, folder)
    trust(copy, azurite.certificate.ca)
    return copy


@pytest.fixture(scope="module")
def blob_site(migrated_once: Pod, azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Site:
    pod = moved(migrated_once, azurite, tmp_path_factory.mktemp("blobs"))
    return site_of(pod)


@pytest.fixture(scope="module")
def client(blob_site: Site) -> Iterator[httpx.Client]:
    with anna_at(blob_site) as client:
        yield client


@pytest.fixture
def folder(client: httpx.Client) -> str:
    return folder_of_new_run(client)


def test_proxy_stores_lists_and_sends_blobs(client: httpx.Client, blob_site: Site, folder: str) -> None:
    files = {"model/a b+ü.txt": b"one", "model/empty": b"", "top.bin": os.urandom(1000)}

    for name, content in files.items():
        client.put(f"{PROXY}/{folder}/{name}", content=content).raise_for_status()

    assert {name: client.get(f"{PROXY}/{folder}/{name}").content for name in files} == files
    assert listed(client, folder) == {"model": None, "top.bin": 1000}
    assert listed(client, f"{folder}/model") == {"a b+ü.txt": 3, "empty": 0}
    assert blob_site.pod.bucket.objects(folder) == sorted(f"{folder}/{name}" for name in files)


def test_proxy_takes_artifact_of_many_blocks(client: httpx.Client, blob_site: Site, folder: str) -> None:
    # Above 64 MiB the client sends blocks.
    content = os.urandom(1 << 20) * 80

    client.put(f"{PROXY}/{folder}/large", content=content).raise_for_status()

    assert client.get(f"{PROXY}/{folder}/large").content == content
    assert blob_site.pod.bucket.read(f"{folder}/large") == content


def test_proxy_deletes_no_neighbour(client: httpx.Client, blob_site: Site, folder: str) -> None:
    for name in ("model/x", "model/y/z", "model2/x", "model.txt"):
        client.put(f"{PROXY}/{folder}/{name}", content=b"x").raise_for_status()

    client.delete(f"{PROXY}/{folder}/model").raise_for_status()

    assert blob_site.pod.bucket.objects(folder) == [f"{folder}/model.txt", f"{folder}/model2/x"]


def test_missing_blob_is_not_found(client: httpx.Client, folder: str) -> None:
    answer = client.get(f"{PROXY}/{folder}/nothing")

    assert answer.status_code == 404


def test_upload_in_parts_is_refused(client: httpx.Client, folder: str) -> None:
    answer = client.post(f"/api/2.0/mlflow-artifacts/mpu/create/{folder}", json={"path": "large", "num_parts": 2})

    # The one code at which clients send the file whole; 3.6.0 serves no such route.
    assert answer.status_code in (403, 501)
    assert "sig=" not in answer.text


def test_check_writes_and_names_container(blob_site: Site) -> None:
    pod = blob_site.pod

    done = pod.run("check", "--timeout", "1")

    line = bucket_line(done)
    assert " ok " in line
    assert f"{pod.bucket.uri}/ of {pod.bucket.server.url}" in line


REFUSED = {
    "container": ({"MLFLOW_ARTIFACTS_DESTINATION": f"wasbs://no-such@{ACCOUNT}.blob.core.windows.net"}, "create the"),
    "server": ({"MLFLOW_SSO_BLOB_ENDPOINT": f"https://localhost:9/{ACCOUNT}"}, "cannot reach the object store"),
    "host": (
        {"MLFLOW_ARTIFACTS_DESTINATION": "wasbs://a@evil.example.com"},
        "set it to s3://BUCKET, gs://BUCKET or wasbs://",
    ),
    "key": ({"MLFLOW_SSO_BLOB_KEY_FILE": "/dev/null"}, "comes from mlflow-azure-secret"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_check_names_what_to_do(blob_site: Site, name: str) -> None:
    changes, said = REFUSED[name]

    done = blob_site.pod.run("check", "--timeout", "1", **changes)

    line = bucket_line(done)
    assert "FAILED" in line
    assert said in line


def test_check_says_that_key_is_wrong(blob_site: Site, tmp_path: Path) -> None:
    wrong = tmp_path / "key"
    wrong.write_text(base64.b64encode(b"wrong").decode())

    done = blob_site.pod.run("check", "--timeout", "1", MLFLOW_SSO_BLOB_KEY_FILE=str(wrong))

    line = bucket_line(done)
    assert "compare mlflow-azure-secret with a key of the account" in line


def test_workload_identity_needs_no_key(blob_site: Site, azurite: Azurite, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("of the ServiceAccount")
    with TokenService() as entra:
        bundle = tmp_path / "both.crt"
        bundle.write_bytes(azurite.certificate.ca.read_bytes() + entra.certificate.ca.read_bytes())
        identity = {
            "AZURE_CLIENT_ID": "00000000-0000-4000-8000-00000000000a",
            "AZURE_TENANT_ID": "00000000-0000-4000-8000-00000000000b",
            "AZURE_FEDERATED_TOKEN_FILE": str(token),
            "AZURE_AUTHORITY_HOST": entra.url,
            "REQUESTS_CA_BUNDLE": str(bundle),
            # No key is mounted with an identity.
            "MLFLOW_SSO_BLOB_KEY_FILE": "",
        }
        pod = replace(blob_site.pod, folder=tmp_path)
        pod.mount()
        (pod.secrets_root / "azure" / "AZURE_STORAGE_ACCESS_KEY").unlink()
        done = pod.run("check", "--timeout", "1", **identity)

    line = bucket_line(done)
    assert " ok " in line, line
    assert entra.assertions == ["of the ServiceAccount"]


def test_image_without_clients_says_how_to_build(blob_site: Site, tmp_path: Path) -> None:
    # A package of this name with nothing in it stands before the installed one.
    (tmp_path / "azure").mkdir()
    (tmp_path / "azure" / "__init__.py").touch()

    done = blob_site.pod.run("serve", PYTHONPATH=str(tmp_path))

    assert done.code == 1
    assert "no client for Azure Blob Storage; build it with IMAGE_STORES=azure" in done.stderr


def test_serve_refuses_text_that_is_no_key(blob_site: Site, tmp_path: Path) -> None:
    wrong = tmp_path / "key"
    wrong.write_text("no key!")

    done = blob_site.pod.run("serve", MLFLOW_SSO_BLOB_KEY_FILE=str(wrong))

    assert done.code == 1
    assert f"{wrong} holds no key of a storage account" in done.stderr


def test_log_shows_no_key(blob_site: Site, tmp_path: Path) -> None:
    done = blob_site.pod.run("check", "--json", "--timeout", "1")

    assert json.loads(done.stdout.splitlines()[0])
    assert blob_site.pod.bucket.server.key not in done.stdout + done.stderr
