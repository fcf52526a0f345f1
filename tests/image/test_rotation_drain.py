"""A changed Secret while old workers work on a last request."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from mounts import MountedSecrets
from rotating import in_use, reloaded, with_own_secrets
from serving import Serving, Site, make_run
from waiting import wait_for

pytestmark = [pytest.mark.servers, pytest.mark.either_release]


@contextmanager
def slow_upload(client: httpx.Client, run: str) -> Iterator[threading.Event]:
    """An upload that goes on until the event is set, by which its worker cannot end."""
    ended = threading.Event()

    def body() -> Iterator[bytes]:
        while not ended.is_set():
            # Faster than the least rate, below which the server ends an upload.
            yield b"x" * 4096
            time.sleep(0.05)

    path = f"/api/2.0/mlflow-artifacts/artifacts/{run_folder(client, run)}/slow.bin"
    with ThreadPoolExecutor(1) as threads:
        upload = threads.submit(client.put, path, content=body())
        try:
            yield ended
        finally:
            ended.set()
        assert upload.result().status_code == 200


def run_folder(client: httpx.Client, run: str) -> str:
    """Path of the run's artifacts below the artifact root."""
    uri = client.get(f"/api/2.0/mlflow/runs/get?run_id={run}").json()["run"]["info"]["artifact_uri"]
    return str(uri).partition(":/")[2]


def test_change_counts_with_end_of_old_worker(site: Site, tmp_path: Path) -> None:
    pod = with_own_secrets(site.pod, tmp_path)
    mounted = MountedSecrets(pod.secrets_root)
    with Serving(pod=pod) as server, server.client("anna", site.keys["anna"]) as client:
        run = make_run(server.wait() and client)
        with slow_upload(client, run) as ended:
            mounted.change("oidc", OIDC_CLIENT_SECRET="another")
            # The new one answers, and the old one works on its last request.
            wait_for(lambda: len(server.worker_processes()) == 2, server.log.read_text)
            # Two looks at least, each of which could count the change as in use.
            time.sleep(5)
            draining = reloaded(server), in_use(server), len(server.worker_processes())
            mounted.change("oidc", OIDC_CLIENT_SECRET="")
            wait_for(lambda: "refused" in reloaded(server), server.log.read_text)
            ended.set()
        wait_for(lambda: "replaced" in reloaded(server), server.log.read_text)

        assert draining == ({}, False, 2)
        # The value that is mounted now is not used.
        assert not in_use(server)
