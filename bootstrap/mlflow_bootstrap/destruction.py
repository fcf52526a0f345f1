"""Takes away what the bootstrap made, and data only where it is named."""

from collections.abc import Callable, Sequence

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap import engine
from mlflow_bootstrap.engine import Outcome
from mlflow_bootstrap.errors import UsageError
from mlflow_bootstrap.run import KEPT_WITH_DATA, Run


def data_addresses(settings: Settings, store: str) -> tuple[str, ...]:
    """All that ``--delete-data`` may name: databases, bucket, groups in use, and the entries that belong to them."""
    database, login = settings.database, settings.authentication
    return (
        *(f"keycloak/group/{name}" for name in dict.fromkeys((login.admin_group, login.user_group))),
        f"postgres/database/{database.name}",
        f"postgres/database/{database.auth_name}",
        f"minio/bucket/{settings.artifacts.bucket}",
        *(f"secrets/{store}/{entry}" for entry in sorted(KEPT_WITH_DATA)),
    )


def check_addresses(run: Run, named: Sequence[str]) -> frozenset[str]:
    """``named`` as a set of addresses; a group may be named without the part before its name.

    Raises:
        UsageError: one of them is no address of data of this environment.
    """
    allowed = data_addresses(run.settings, run.backend.kind)
    addresses = [f"keycloak/group/{name}" if f"keycloak/group/{name}" in allowed else name for name in named]
    for address in addresses:
        if address not in allowed:
            raise UsageError(f"{address} names no data of this environment", remedy=f"name any of {', '.join(allowed)}")
    return frozenset(addresses)


def confirm(environment: str, data: frozenset[str], *, yes: bool, ask: Callable[[str], str] | None) -> None:
    """Have the environment's name typed.

    Raises:
        UsageError: something else was typed, or there is nobody to ask.
    """
    if yes:
        return
    if ask is None:
        raise UsageError("there is nobody to ask", remedy="run it on a terminal, or add --yes")
    loss = f" and all data of {', '.join(sorted(data))}" if data else ""
    if ask(f"this takes away what bootstrap made for {environment}{loss}; type its name to go on") != environment:
        raise UsageError("the name does not match", remedy="nothing was done; run it again and type the name")


def take_away(run: Run, data: frozenset[str]) -> Outcome:
    """Take away what is ours, the systems' part before the secrets."""
    return run.remove(data, lambda resources: engine.destroy(resources, report=run.report))
