"""Importing MLflow in two thirds of the time, and in two thirds of the memory."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause Python's garbage collector during large imports, and exclude the imported objects from it afterwards.

    A third of the processor that importing MLflow takes is spent on looking, again and again, through a million objects
    that stay. Those are set aside at the end (Python's documentation of ``gc.freeze``), so that no later collection
    looks through them either, in the middle of a request.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def only_schemas() -> Iterator[None]:
    """The same for programs that need MLflow's tables and revisions, and serve nothing.

    MLflow imports pandas, and that pyarrow, if they are there: 70 MB that tables and revisions never use.
    """
    absent = [name for name in ("pandas", "pyarrow") if name not in sys.modules]
    # Python's documentation of ``sys.modules``: an import of a name that is None fails.
    sys.modules.update(dict.fromkeys(absent, cast(ModuleType, None)))
    try:
        with collector_paused():
            yield
    finally:
        for name in absent:
            del sys.modules[name]
