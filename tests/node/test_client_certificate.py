"""The kubelet mounts a role's certificate so that libpq takes its key: owned by root, read by the pod's group."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployment import Deployment

from cdk8s_mlflow.synth.render import render
from testbed.servers.client_certificates import issue_client

pytestmark = pytest.mark.servers

SECRET = "role-certificate"
POD = "certified"
CONNECT = """
import os, shutil, psycopg2
folder = "/var/run/secrets/mlflow/db/"
found = os.stat(folder + "tls.key")
print(oct(found.st_mode & 0o777), found.st_uid, os.getuid() >= 10000)
shutil.copy(folder + "tls.key", "/tmp/open.key")
os.chmod("/tmp/open.key", 0o644)
for key in (folder + "tls.key", "/tmp/open.key"):
    try:
        psycopg2.connect(f"service=mlflow sslcert={folder}tls.crt sslkey={key}").close()
        print("connected")
    except psycopg2.OperationalError as error:
        print("refused" if "has group or world access" in str(error) else error)
"""


def certified_pod(deployment: Deployment, folder: Path) -> dict[str, Any]:
    """The migration's pod as it is rendered with a certificate, with ``CONNECT`` as its program."""
    database = deployment.settings.database.replace(client_certificate=SECRET)
    render(deployment.settings.replace(database=database), environment="certified", folder=folder)
    (file,) = folder.rglob("Job.*.yaml")
    pod: dict[str, Any] = yaml.safe_load(file.read_text())["spec"]["template"]["spec"]
    # The volumes and their rights stay as they are rendered.
    (container,) = pod["containers"]
    container |= {"command": ["python", "-c", CONNECT], "args": []}
    metadata = {"name": POD, "namespace": deployment.namespace, "labels": labels_of(file)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**pod, "initContainers": []}}


def labels_of(job: Path) -> dict[str, str]:
    """Those that the NetworkPolicies know the pod by."""
    labels: dict[str, str] = yaml.safe_load(job.read_text())["spec"]["template"]["metadata"]["labels"]
    return labels


def test_libpq_takes_key_as_kubelet_mounts_it(deployment: Deployment, tmp_path: Path) -> None:
    node, where = deployment.node, ["--namespace", deployment.namespace]
    pair = issue_client(tmp_path / "pair", deployment.settings.database.role)
    pod = certified_pod(deployment, tmp_path / "rendered")
    node.kubectl("create", "secret", "tls", SECRET, f"--cert={pair.certificate}", f"--key={pair.key}", *where)
    try:
        node.kubectl("create", "--filename", "-", stdin=json.dumps(pod))
        node.kubectl_wait("jsonpath={.status.phase}=Succeeded", f"pod/{POD}", *where)
        said = node.kubectl("logs", POD, *where).splitlines()
    finally:
        node.kubectl("delete", f"pod/{POD}", f"secret/{SECRET}", "--ignore-not-found", "--wait=false", *where)

    assert said == ["0o440 0 True", "connected", "refused"]
