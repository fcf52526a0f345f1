"""A Kustomization of Flux that rests, as an operator suspends it."""

from collections.abc import Iterator
from contextlib import contextmanager

from live.node.flux import Flux


def suspend(flux: Flux, kustomization: str, *, suspended: bool = True) -> None:
    """Stop reconciling, or go on, as ``flux suspend`` and ``flux resume`` do."""
    flux.patch("kustomization", kustomization, {"spec": {"suspend": suspended}})


@contextmanager
def suspended(flux: Flux, kustomization: str) -> Iterator[None]:
    """What the block changes by hand stays; otherwise Flux sets it back at its next look, every ten minutes.

    Afterwards it looks at once, whatever the block has left, and has looked.
    """
    suspend(flux, kustomization)
    # A look that has begun still ends.
    flux.node.wait(f"a rest of {kustomization}", lambda: not _reconciling(flux, kustomization))
    try:
        yield
    finally:
        suspend(flux, kustomization, suspended=False)
        asked = flux.reconcile(kustomization)
        flux.node.wait(f"a look of {kustomization}", lambda: _looked(flux, kustomization, asked))


def _looked(flux: Flux, kustomization: str, asked: str) -> bool:
    looked = flux.status(kustomization).get("lastHandledReconcileAt") == asked
    return looked and not _reconciling(flux, kustomization)


def _reconciling(flux: Flux, kustomization: str) -> bool:
    # The condition Reconciling stays while a failed look waits for its next try.
    return flux.condition(kustomization).get("status") == "Unknown"
