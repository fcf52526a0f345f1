"""Random valid settings: the real API server accepts every object that they are rendered to, strictly."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from admission import ANY_POD, Admission
from depth import sized
from hypothesis import assume, given
from pydantic import ValidationError

from cdk8s_mlflow.settings import Settings, load
from cdk8s_mlflow.synth.render import render
from testbed.node.api_server import ApiServer
from tests.manifests.conftest import merged
from tests.manifests.objects import MINIMAL
from tests.manifests.random_settings import documents, tried
from tests.manifests.test_two_installations import EVERYTHING, SECOND

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[2]
EXAMPLES = int(os.environ.get("RANDOM_SETTINGS", sized(change=20, every=60)))
"""How many valid documents are tried."""


class Judge:
    """The API server, asked once about each object."""

    def __init__(self, server: Admission) -> None:
        self._server = server
        self._accepted: set[str] = set()

    def refusals(self, folder: Path, *, dry_run: bool = True) -> list[str]:
        """What it says against the manifests of an environment and the Pods of their templates."""
        manifests = [
            manifest for file in sorted(folder.rglob("*.yaml")) for manifest in yaml.safe_load_all(file.read_text())
        ]
        spaces = [one for one in manifests if one["kind"] == "Namespace"]
        for manifest in spaces:
            refused = self._server.refusal(manifest, dry_run=False)
            if refused:
                return [f"Namespace: {refused}"]
        return [said for manifest in manifests for said in self._about(manifest, dry_run=dry_run)]

    def _about(self, manifest: Mapping[str, Any], *, dry_run: bool) -> Iterator[str]:
        digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
        if digest in self._accepted:
            return
        namespace = manifest["metadata"].get("namespace")
        if namespace:
            self._server.create_namespace(namespace)
        said = [self._server.refusal(manifest, dry_run=dry_run)]
        template = pod_template(manifest)
        if template:
            said.append(self._server.refusal_of_pod(template, namespace))
        if not any(said):
            self._accepted.add(digest)
        yield from (f"{manifest['kind']} {manifest['metadata']['name']}: {text}" for text in said if text)


def pod_template(manifest: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Of a Deployment, Job or CronJob."""
    spec = manifest.get("spec", {})
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    template: Mapping[str, Any] | None = spec.get("template")
    return template if template and "spec" in template and "containers" in template["spec"] else None


@pytest.fixture(scope="module")
def admission() -> Iterator[Admission]:
    """Of an API server of this module's own, which knows our custom resources."""
    with ApiServer(flags=ANY_POD) as server:
        admission = Admission(server=server)
        admission.define(ROOT / "imports" / "cdk8s_mlflow_crds" / "crds")
        yield admission


@pytest.fixture(scope="module")
def judge(admission: Admission) -> Judge:
    return Judge(admission)


@pytest.mark.parametrize("file", sorted((ROOT / "environments").glob("*.yaml")), ids=lambda file: file.stem)
def test_api_server_accepts_each_environment(judge: Judge, file: Path, tmp_path: Path) -> None:
    render(load(file), environment=file.stem, folder=tmp_path)

    assert judge.refusals(tmp_path) == []


def test_api_server_accepts_random_settings(judge: Judge) -> None:
    refused: list[str] = []

    @tried(EXAMPLES)
    @given(document=documents())
    def try_one(document: Mapping[str, Any]) -> None:
        try:
            found = Settings.model_validate(document)
        except ValidationError:
            assume(False)
        with TemporaryDirectory() as folder:
            render(found, environment="random", folder=Path(folder))
            refused.extend(f"{said} from {document}" for said in judge.refusals(Path(folder)))

    try_one()

    assert refused == []


# The last one, since what it stores stays.
def test_api_server_accepts_two_in_one_namespace(admission: Admission, tmp_path: Path) -> None:
    judge = Judge(admission)
    for number, changes in enumerate((EVERYTHING, merged(EVERYTHING, SECOND))):
        folder = tmp_path / str(number)
        render(Settings.model_validate(merged(MINIMAL, changes)), environment=f"e{number}", folder=folder)

        # What is stored would be compared with what others of that name say.
        assert judge.refusals(folder, dry_run=False) == []
