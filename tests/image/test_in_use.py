"""What ``rotate`` runs in a pod: it tells whether the workers use a value, and not the value."""

import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from mounts import PROMPT, MountedSecrets
from serving import Serving, Site
from waiting import wait_for

from mlflow_bootstrap.in_use import READ_IN_POD

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SECRET = "oidc/OIDC_CLIENT_SECRET"


def read(server: Serving) -> dict[str, object]:
    """What the program prints beside ``server``."""
    arguments = [str(server.pod.secrets_root), str(server.metrics_port), SECRET, "oidc/missing"]
    done = subprocess.run(
        [sys.executable, "-c", READ_IN_POD, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_program_in_pod_tells_when_new_value_serves(site: Site, tmp_path: Path) -> None:
    shutil.copytree(site.pod.secrets_root, tmp_path / "secrets")
    pod = replace(site.pod, folder=tmp_path, settings={**site.pod.settings, "HOSTNAME": PROMPT})
    with Serving(pod=pod) as server:
        (before,) = server.wait().worker_processes()
        MountedSecrets(pod.secrets_root).change("oidc", OIDC_CLIENT_SECRET="the-new-secret")
        mounted = read(server)
        wait_for(lambda: read(server)["used"] > mounted["began"], server.log.read_text)
        (new,) = server.worker_processes()
        environment = Path(f"/proc/{new}/environ").read_text()

    assert new != before
    assert mounted["digests"] == {SECRET: sha256(b"the-new-secret").hexdigest()}
    assert mounted["used"] < mounted["began"] < time.time()
    assert "OIDC_CLIENT_SECRET=the-new-secret" in environment
