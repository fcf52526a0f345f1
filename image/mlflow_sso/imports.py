"""Importing MLflow in two thirds of the time, and in two thirds of the memory."""

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib import reload
from types import ModuleType
from typing import Any, cast

from mlflow_sso.variables import switched_on


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
def without_data_frames() -> Iterator[None]:
    """Import MLflow as mlflow-skinny is: without pandas and pyarrow, which take 70 MB and a quarter of the time.

    Afterwards both can be imported.
    """
    absent = [name for name in ("pandas", "pyarrow") if name not in sys.modules]
    # Python's documentation of ``sys.modules``: an import of a name that is None fails.
    sys.modules.update(dict.fromkeys(absent, cast(ModuleType, None)))
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def only_schemas() -> Iterator[None]:
    """Both, for programs that need MLflow's tables and revisions, and serve nothing."""
    with without_data_frames(), collector_paused():
        yield


@contextmanager
def serving_routes(variables: Mapping[str, str]) -> Iterator[None]:
    """Both, for the server: few requests have data frames. What MLflow leaves out is there when it is used.

    The AI gateway's modules cannot be imported without them.
    """
    deferred = nullcontext() if switched_on(variables, "MLFLOW_ENABLE_AI_GATEWAY") else without_data_frames()
    with collector_paused(), deferred:
        yield
    _complete_when_used()


PANDAS_IF_INSTALLED = (
    "mlflow.models.evaluation.base",
    "mlflow.genai.evaluation.utils",
    "mlflow.genai.scorers.validation",
)
"""Modules of MLflow that import it as ``pd`` if it is there."""
MODELS = "mlflow.models"
"""Imports signatures and input examples if pandas is there."""


def _complete_when_used() -> None:
    from mlflow.utils.lazy_load import LazyLoader

    for module in (sys.modules[name] for name in PANDAS_IF_INSTALLED if name in sys.modules):
        vars(module).setdefault("pd", LazyLoader("pd", vars(module), "pandas"))
    models = sys.modules[MODELS]

    def import_again(name: str) -> Any:
        # Python itself looks for names with underscores in any module.
        if not name.startswith("__") and vars(models).pop("__getattr__", None):
            reload(models)
        if name not in vars(models):
            raise AttributeError(f"module {MODELS!r} has no attribute {name!r}")
        return vars(models)[name]

    if not hasattr(models, "ModelSignature"):
        vars(models)["__getattr__"] = import_again
