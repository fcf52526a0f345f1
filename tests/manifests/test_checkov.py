"""checkov's Kubernetes checks, none suppressed; it runs in an environment of its own."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cdk8s_mlflow.settings import load
from cdk8s_mlflow.synth.render import render
from tests.manifests.objects import Objects

ROOT = Path(__file__).parents[2]
CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[str]]:
    """Failed checks by environment; ``pinned`` is ``current`` with a digest."""
    folder = tmp_path_factory.mktemp("checkov")
    for file in sorted((ROOT / "environments").glob("*.yaml")):
        render(load(file), environment=file.stem, folder=folder / file.stem)
    settings = load(ROOT / "environments" / "current.yaml")
    # checkov asks for digests, which exist only once an image was built.
    image = settings.image.replace(digest=f"sha256:{'0' * 64}")
    render(settings.replace(image=image), environment="current", folder=folder / "pinned")
    command = [CHECKOV, "--directory", folder, "--framework", "kubernetes", "--compact", "--quiet", "--skip-download"]
    result = subprocess.run([*command, "--output", "json"], capture_output=True, text=True, check=False)
    return by_environment(json.loads(result.stdout), folder)


def by_environment(report: dict[str, Any], folder: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {environment.name: set() for environment in folder.iterdir()}
    # A run that found no manifests would have no failures, either.
    assert report["summary"]["passed"] > 500
    assert report["summary"]["skipped"] == 0
    for failure in report["results"]["failed_checks"]:
        found[Path(failure["file_path"]).parts[1]].add(failure["check_id"])
    return found


def test_production_fails_only_what_its_defaults_ask_for(failures: Mapping[str, set[str]]) -> None:
    # A digest of the image, and pulling it always: both are for each environment to choose.
    assert failures["production"] == {"CKV_K8S_43", "CKV_K8S_15"}


def test_current_fails_only_unpinned_digest(failures: Mapping[str, set[str]]) -> None:
    assert failures["current"] == {"CKV_K8S_43"}
    assert failures["pinned"] == set()


def test_nothing_is_suppressed(committed: Mapping[str, Objects]) -> None:
    annotations = [o["metadata"].get("annotations", {}) for objects in committed.values() for o in objects.values()]

    assert annotations
    assert not [name for found in annotations for name in found if "checkov" in name]
