"""A module that is imported again when a name of it is used, by several threads at once."""

import importlib
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from mlflow_sso.imports import _reload_when_used

SOURCE = """
import sys
late = sys.modules["late"]
if hasattr(late, "gate"):
    late.entered.set()
    assert late.gate.wait(30)
    Schema = "complete"
"""


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """It has ``Schema`` only once it is imported again, which lasts until ``gate`` is set."""
    (tmp_path / "late.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("late")
    vars(module).update(gate=threading.Event(), entered=threading.Event())
    _reload_when_used(module)
    yield module
    del sys.modules["late"]


def test_second_thread_waits_for_names_of_first(late: ModuleType) -> None:
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(getattr, late, "Schema")
        assert late.entered.wait(30)
        # In the middle of the import, which has not come to the name yet.
        second = threads.submit(getattr, late, "Schema")
        with pytest.raises(TimeoutError):
            second.result(0.2)
        late.gate.set()

        assert (first.result(30), second.result(30)) == ("complete", "complete")


def test_unknown_name_stays_unknown(late: ModuleType) -> None:
    late.gate.set()

    assert not hasattr(late, "Nothing")
    assert late.Schema == "complete"
    assert not hasattr(late, "Nothing")
