"""The trimmed schemas say nothing that the products' full ones do not."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FULL = ROOT.parent / "shared" / "crds"


def trimmer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("trim_crds", ROOT / "tools" / "trim_crds.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not FULL.is_dir(), reason="the full definitions (../shared/crds) are not here")
def test_trimmed_schemas_are_what_full_ones_give() -> None:
    tool, lacking = trimmer(), set()
    for group, kinds in tool.EMITTED.items():
        committed = {kind(item): item for item in tool.definitions(tool.OUTPUT, group)}
        full = {kind(item): item for item in tool.definitions(FULL, group)} if (FULL / f"{group}.yaml").exists() else {}
        for name in set(kinds) & set(full):
            assert tool.trim(full[name], kinds[name]) == committed[name], name
        lacking |= set(kinds) - set(full)
        assert list(committed) == list(kinds)
    # There are no full definitions of these two among those.
    assert lacking == {"Backup", "ObjectStore"}


def kind(definition: Mapping[str, Any]) -> str:
    return str(definition["spec"]["names"]["kind"])


def test_every_emitted_kind_has_a_class() -> None:
    generated = "".join(file.read_text() for file in (ROOT / "imports").rglob("__init__.py"))

    kinds = [kind for kinds in trimmer().EMITTED.values() for kind in kinds]
    missing = [kind for kind in kinds if f'"kind": "{kind}"' not in generated and f"class {kind}(" not in generated]
    # The import spells abbreviations its own way.
    assert missing == ["HTTPRoute", "OCIRepository"]
    assert "class HttpRoute(" in generated
    assert "class OciRepository(" in generated


def test_schemas_hold_no_texts() -> None:
    texts = "".join(file.read_text() for file in (ROOT / "imports" / "cdk8s_mlflow_crds" / "crds").glob("*.yaml"))

    assert "description:" not in texts
