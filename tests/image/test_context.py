"""What docker's own client sends to be built from, and nothing else."""

import os
import subprocess
from pathlib import Path

import pytest
from engines import reached

from cdk8s_mlflow.releases import RELEASES
from live.image.built import ROOT, buildah
from testbed.image.built_image import mounted

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(os.geteuid() != 0, reason="images are built as root"),
]

REFERENCE = "localhost/context:sent"
EVERYTHING = "FROM scratch\nCOPY . /\n"


def test_docker_sends_only_what_dockerfile_copies(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(EVERYTHING)
    command = ["docker", "build", "--file", tmp_path / "Dockerfile", "--tag", REFERENCE, ROOT / "image"]

    with reached("docker") as variables:
        # The builder of the client itself; buildx looks for files in another way.
        environment = {**os.environ, **variables, "DOCKER_BUILDKIT": "0"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    with mounted(REFERENCE) as root:
        sent = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    buildah("rmi", REFERENCE)
    locks = {
        "build/requirements.lock",
        *(f"releases/{release}/{name}.lock" for release in RELEASES for name in ("requirements", "azure", "gcs")),
    }
    programs = {str(path.relative_to(ROOT / "image")) for path in (ROOT / "image" / "mlflow_sso").rglob("*.py")}
    assert sent == {"pyproject.toml", *locks, *programs}
