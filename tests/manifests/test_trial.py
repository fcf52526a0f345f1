"""`cdk8s-mlflow try` as far as it goes without a cluster: its options, its manifests, its settings."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cdk8s
import pytest
import yaml

from cdk8s_mlflow.settings import Settings, load
from cdk8s_mlflow.settings.network import PodPeerSettings
from cdk8s_mlflow.trial.backing import BackingChart
from cdk8s_mlflow.trial.choice import chosen
from cdk8s_mlflow.trial.settings import IMAGES, Trial, document
from cdk8s_mlflow.validation import validate

COMMAND = [sys.executable, "-c", "from cdk8s_mlflow.console import main; main()", "try"]
PORTS = {"keycloak": 1, "postgres": 2, "minio": 3}
DIGEST = f"sha256:{'a' * 64}"


def run(*options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *options], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("trial")
    app = cdk8s.App(outdir=str(folder))
    BackingChart(app, "backing", trial=Trial(), authority="authority", routes="{}")
    app.synth()
    assert list(map(str, validate(folder))) == []
    return list(yaml.safe_load_all((folder / "backing.k8s.yaml").read_text()))


def pod(deployment: Mapping[str, Any]) -> dict[str, Any]:
    return dict(deployment["spec"]["template"]["spec"])


def test_backing_services_use_the_named_images(objects: list[dict[str, Any]]) -> None:
    images = [c["image"] for o in objects if o["kind"] == "Deployment" for c in pod(o)["containers"]]

    assert sorted(images) == sorted(IMAGES.values())


def test_backing_services_read_only_their_own_password(objects: list[dict[str, Any]]) -> None:
    volumes = [
        (o, v["secret"]) for o in objects if o["kind"] == "Deployment" for v in pod(o)["volumes"] if "secret" in v
    ]
    read = {
        o["metadata"]["name"]: [item["key"] for item in secret["items"]]
        for o, secret in volumes
        if secret["secretName"] == "try-passwords"
    }

    assert read == {"try-postgres": ["postgres"], "try-minio": ["minio"]}


def settings_of(trial: Trial, folder: Path) -> Settings:
    file = folder / "try.yaml"
    file.write_text(json.dumps(document(trial, proxy="10.96.0.7", ports=PORTS)))
    return load(file)


def test_settings_lead_into_the_namespace(tmp_path: Path) -> None:
    settings = settings_of(Trial(namespace="elsewhere"), tmp_path)

    assert settings.database.host == "try-postgres.elsewhere.svc"
    assert settings.network.database_pods == PodPeerSettings(
        namespace="elsewhere", labels={"app.kubernetes.io/name": "try-postgres"}
    )
    assert settings.pods.host_aliases == {"10.96.0.7": ("keycloak.localhost",)}


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("localhost:30500/mlflow:3.6.0-oidc", "localhost:30500/mlflow:3.6.0-oidc"),
        (f"registry.example.com/team/mlflow@{DIGEST}", f"registry.example.com/team/mlflow@{DIGEST}"),
    ],
)
def test_image_is_taken_as_given(reference: str, expected: str, tmp_path: Path) -> None:
    trial = chosen(namespace="a", port=30443, release=None, image=reference, use=[])

    assert settings_of(trial, tmp_path).image_reference == expected


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--use", "mysql=mysql:9"],
            "--use: must be NAME=IMAGE, with one of postgres, minio, keycloak, redis, traefik",
        ),
        (["--use", "redis"], "--use: must be NAME=IMAGE"),
        (["--image", "mlflow"], "--image: must look like registry.example.com/mlflow:3.6.0-oidc; got 'mlflow'"),
        (["--namespace", "My_Own"], "--namespace: must look like mlflow-try; got 'My_Own'"),
        (["--release", "2.0"], "--release: must be 3.6.0 or 3.17.2; got '2.0'"),
    ],
)
def test_wrong_option_is_named(options: list[str], said: str) -> None:
    done = run(*options)

    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: command line: {said}" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_kubectl_is_named(tmp_path: Path) -> None:
    done = run(PATH=str(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: kubectl is missing; install it")


def test_failing_kubectl_is_reported(tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    # In kubectl's place: what a real one says without a cluster depends on its version.
    kubectl.write_text("#!/bin/sh\necho 'error: current-context is not set' >&2\nexit 1\n")
    kubectl.chmod(0o755)

    done = run("--remove", PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert done.returncode == 1
    assert done.stderr == "error: `kubectl get` failed: error: current-context is not set\n"
