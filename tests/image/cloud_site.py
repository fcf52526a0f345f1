"""What the tests of a store other than S3 do alike: a site in it, its artifacts by the proxy, what ``check`` says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
from buckets import Bucket
from pod import Done, Pod
from serving import API, SETTINGS, Serving, Site, make_run, make_users, mount_server_secrets

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


def moved_to(bucket: Bucket, pod: Pod, folder: Path) -> Pod:
    """A copy of ``pod`` in ``folder`` whose artifacts are in ``bucket``, which is made."""
    bucket.client.make_bucket(bucket.name)
    return replace(pod, bucket=bucket, settings=SETTINGS).copy(folder)


def trust(pod: Pod, authority: Path) -> None:
    """Mount the authority of the store's certificate."""
    trusted = pod.secrets_root / "ca" / "ca.crt"
    trusted.parent.mkdir()
    trusted.write_bytes(authority.read_bytes())


def site_of(pod: Pod) -> Site:
    """Its users."""
    mount_server_secrets(pod)
    return Site(pod=pod, keys=make_users(pod))


@contextmanager
def anna_at(site: Site) -> Iterator[httpx.Client]:
    """Anna at the server."""
    with Serving(pod=site.pod) as serving, serving.wait().client("anna", site.keys["anna"]) as client:
        yield client


def folder_of_new_run(client: httpx.Client) -> str:
    """Where a new run keeps its artifacts."""
    run = client.get(f"{API}/runs/get?run_id={make_run(client)}").json()["run"]["info"]
    return f"{run['experiment_id']}/{run['run_id']}/artifacts"


def listed(client: httpx.Client, folder: str) -> dict[str, int | None]:
    """Sizes of what is right in ``folder``, None for a folder in it."""
    found = client.get(PROXY, params={"path": folder}).raise_for_status().json()
    return {item["path"]: None if item.get("is_dir") else int(item.get("file_size", 0)) for item in found["files"]}


def bucket_line(done: Done) -> str:
    """What ``check`` says of the bucket."""
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("artifact bucket")]
    return line
