"""Importing MLflow in two thirds of the time."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
