"""Environments rendered once a session, and read as data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdk8s_mlflow.settings import Settings, load
from cdk8s_mlflow.synth.render import render
from tests.manifests import workplaces
from tests.manifests.objects import MINIMAL, Objects, Render

ROOT = Path(__file__).parents[2]


def read_objects(folder: Path) -> Objects:
    """Every object below ``folder`` by (kind, namespace, name)."""
    # The reader in C: the one in Python takes as long as rendering does.
    documents = [yaml.load(path.read_text(), yaml.CSafeLoader) for path in sorted(folder.rglob("*.yaml"))]
    return {(d["kind"], d["metadata"].get("namespace", ""), d["metadata"]["name"]): d for d in documents}


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes`` on top, section by section."""
    return {
        **base,
        **{k: merged(base.get(k, {}), v) if isinstance(v, Mapping) else v for k, v in changes.items()},
    }


@pytest.fixture(scope="session")
def committed() -> Mapping[str, Objects]:
    """The committed environments' objects, by environment."""
    return {folder.name: read_objects(folder) for folder in sorted((ROOT / "dist").iterdir())}


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Renders the smallest environment with changes; the same changes are rendered once a session."""
    known: dict[str, Objects] = {}

    def render_with(**changes: Any) -> Objects:
        # Changes hold dictionaries, which have no hash.
        key = repr(changes)
        if key not in known:
            folder = tmp_path_factory.mktemp("dist")
            render(Settings.model_validate(merged(MINIMAL, changes)), environment="test", folder=folder)
            known[key] = read_objects(folder)
        return known[key]

    return render_with


@pytest.fixture(scope="session")
def production() -> Settings:
    """The settings of the committed environment ``production``."""
    return load(ROOT / "environments" / "production.yaml")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with one environment of the smallest settings."""
    monkeypatch.chdir(tmp_path)
    # The cdk8s CLI sets it for the application that it runs.
    monkeypatch.delenv("CDK8S_OUTDIR", raising=False)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "production.yaml").write_text(workplaces.MINIMAL)
    return tmp_path
