"""Deletes what bootstrap created, and data only if its address is named."""

from collections.abc import Callable, Sequence

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap import engine
from mlflow_bootstrap.engine import Outcome
from mlflow_bootstrap.errors import UsageError
from mlflow_bootstrap.run import Run
from mlflow_bootstrap.systems import ENTRIES_OF_DATA, SYSTEMS


def data_addresses(settings: Settings, store: str) -> tuple[str, ...]:
    """All that ``--delete-data`` may name: databases, bucket, groups in use, and the entries that belong to them."""
    return (
        # Only these names are taken: a mistyped address must not pass as a thing that is gone already.
        *(address for system in SYSTEMS for address in system.data(settings)),
        *(f"secrets/{store}/{entry}" for entry in sorted(ENTRIES_OF_DATA)),
    )


def check_addresses(run: Run, named: Sequence[str]) -> frozenset[str]:
    """``named`` as a set of addresses; a group may be named without the part before its name.

    Raises:
        UsageError: one of them is no address of data of this environment.
    """
    allowed = data_addresses(run.settings, run.backend.kind)
    # Group names may hold a slash, so the short form is tried before it is taken for an address.
    addresses = [f"keycloak/group/{name}" if f"keycloak/group/{name}" in allowed else name for name in named]
    for address in addresses:
        if address not in allowed:
            raise UsageError(f"{address} names no data of this environment", remedy=f"name any of {', '.join(allowed)}")
    return frozenset(addresses)


def confirm(environment: str, data: frozenset[str], *, yes: bool, ask: Callable[[str], str] | None) -> None:
    """Have the environment's name typed.

    Raises:
        UsageError: something else was typed, or standard input is not a terminal.
    """
    if yes:
        return
    if ask is None:
        raise UsageError("cannot prompt: not a terminal", remedy="run it on a terminal, or add --yes")
    loss = f" and all data of {', '.join(sorted(data))}" if data else ""
    if ask(f"this deletes what bootstrap created for {environment}{loss}; type its name to go on") != environment:
        raise UsageError("the name does not match", remedy="nothing was done; run it again and type the name")


def delete_all(run: Run, data: frozenset[str]) -> Outcome:
    """Delete what is ours, the systems' part before the secrets."""
    return run.remove(data, lambda resources: engine.destroy(resources, report=run.report))
