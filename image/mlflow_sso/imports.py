"""Importing MLflow in less time and memory: without what few requests need."""

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib import metadata, reload
from importlib.util import find_spec
from threading import RLock
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
def without_data_frames(*more: str) -> Iterator[None]:
    """Import MLflow as mlflow-skinny is: without pandas and pyarrow, which take 70 MB and a quarter of the time.

    Also without the packages ``more``. Afterwards all of them can be imported.
    """
    absent = [name for name in ("pandas", "pyarrow", *more) if name not in sys.modules]
    # Python's documentation of ``sys.modules``: an import of a name that is None fails.
    sys.modules.update(dict.fromkeys(absent, cast(ModuleType, None)))
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def without_http_client() -> Iterator[None]:
    """Import aiohttp, of 6 MB, only when a module of MLflow uses it: a route of the assistant that has a model answer.

    Modules that take names out of it cannot be imported.
    """
    client = _stand_in("aiohttp")
    if client is None:
        yield
        return
    sys.modules["aiohttp"] = client
    try:
        yield
    finally:
        del sys.modules["aiohttp"]
    _import_when_used(client)


def _stand_in(name: str) -> ModuleType | None:
    """An empty module in place of one that is installed and not imported yet."""
    spec = None if name in sys.modules else find_spec(name)
    if spec is None:
        return None
    module = ModuleType(name)
    # Without, whoever asks whether the package is installed would get an error.
    module.__spec__ = spec
    return module


def _import_when_used(stand_in: ModuleType) -> None:
    from mlflow.utils.lazy_load import LazyLoader

    name = stand_in.__name__
    for module in [one for one in sys.modules.values() if getattr(one, "__dict__", {}).get(name) is stand_in]:
        vars(module)[name] = LazyLoader(name, vars(module), name)


@contextmanager
def entry_points_read_once() -> Iterator[None]:
    """Read the entry points of all packages once; MLflow asks for ten groups, and each time every package is read."""
    module: Any = metadata
    read = module.entry_points
    every = cache(read)

    def selected(**parameters: str) -> Any:
        return every().select(**parameters)

    module.entry_points = selected
    try:
        yield
    finally:
        module.entry_points = read


@contextmanager
def models_built_late() -> Iterator[None]:
    """Define pydantic's models without their validators, which each gets when it is first used.

    Of the 370 models of MLflow and its plugin a server uses some dozens (pydantic's documentation of ``defer_build``).
    Not with the pydantic of MLflow 3.6.0, where two threads may build one model at a time.
    """
    from pydantic import main
    from pydantic._internal import _config

    if not hasattr(main, "_rebuild_lock"):
        yield
        return
    defaults: Any = _config.config_defaults
    defaults["defer_build"] = True
    try:
        yield
    finally:
        defaults["defer_build"] = False


@contextmanager
def only_schemas() -> Iterator[None]:
    """Both, for programs that need MLflow's tables and revisions, and serve nothing."""
    with without_data_frames(), collector_paused():
        yield


@contextmanager
def serving_routes(variables: Mapping[str, str]) -> Iterator[None]:
    """All, for the server: few requests have data frames. What MLflow leaves out is there when it is used.

    The AI gateway's modules cannot be imported without them.
    """
    with collector_paused(), entry_points_read_once(), ExitStack() as deferred:
        if not switched_on(variables, "MLFLOW_ENABLE_AI_GATEWAY"):
            deferred.enter_context(without_data_frames("numpy"))
            deferred.enter_context(without_http_client())
        deferred.enter_context(models_built_late())
        yield
    _complete_when_used()


IMPORTED_IF_INSTALLED = (
    ("mlflow.models.evaluation.base", "pd", "pandas"),
    ("mlflow.genai.evaluation.utils", "pd", "pandas"),
    ("mlflow.genai.scorers.validation", "pd", "pandas"),
    ("mlflow.data.evaluation_dataset", "pd", "pandas"),
    ("mlflow.data.evaluation_dataset", "np", "numpy"),
)
"""Modules of MLflow, and the package that each imports under a short name if it is there."""
WAIT_SECONDS = 60.0
"""For another thread's import, which may itself wait for what this thread imports."""
COMPLETE_IF_INSTALLED = (("mlflow.types", "Schema"), ("mlflow.models", "ModelSignature"))
"""Modules with a name that each has only if pandas and numpy are there, like most others of its names."""


def _complete_when_used() -> None:
    from mlflow.utils.lazy_load import LazyLoader

    for name, short, package in IMPORTED_IF_INSTALLED:
        if name in sys.modules:
            module = vars(sys.modules[name])
            module.setdefault(short, LazyLoader(short, module, package))
    for name, known in COMPLETE_IF_INSTALLED:
        # On 3.6.0 mlflow.types fails without numpy, and is imported when it is used.
        if name in sys.modules and not hasattr(sys.modules[name], known):
            _reload_when_used(sys.modules[name])


def _reload_when_used(module: ModuleType) -> None:
    """Import it again when a name is asked for that it has not; who asks meanwhile waits until that has ended."""
    lock, begun = RLock(), False

    def import_again(name: str) -> Any:
        nonlocal begun
        # Python itself looks for names with underscores in any module.
        if not name.startswith("__") and lock.acquire(timeout=WAIT_SECONDS):
            try:
                # Not again by what the import itself asks for.
                if not begun:
                    begun = True
                    reload(module)
                    # Only now, as another thread would find neither the name nor this function.
                    vars(module).pop("__getattr__", None)
            finally:
                lock.release()
        if name not in vars(module):
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        return vars(module)[name]

    vars(module)["__getattr__"] = import_again
