"""The trimmed schemas say nothing that the products' full ones do not."""

import importlib.util
from pathlib import Path
from types import ModuleType

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
    committed = {
        file.name: file.read_text() for file in (ROOT / "imports" / "cdk8s_mlflow_crds" / "crds").glob("*.yaml")
    }

    assert trimmer().trimmed(FULL) == committed


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
