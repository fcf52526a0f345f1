"""What the tests of the store share: the store of an environment, its entries, and what OpenBao holds of them."""

from typing import Any

from cdk8s_mlflow.settings import Settings
from live.servers import OpenBao
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.store.entries import entry_plans
from mlflow_bootstrap.store.entry import StoredEntry, StoredValues
from mlflow_bootstrap.store.vault import VaultStore


def opened(server: OpenBao, settings: Settings, **environ: str) -> VaultStore:
    """The environment's store as root; ``environ`` overrides address and token."""
    return VaultStore(settings, Credentials(environ={"VAULT_ADDR": server.url, "VAULT_TOKEN": server.token} | environ))


def entries(store: Any, settings: Settings, **environ: str) -> list[StoredEntry]:
    """All entries, each with a memory of its own, as a new run has; ``environ`` is what the operator hands over."""
    given = {"MLFLOW_POSTGRES_CA_CRT": "a certificate"} | environ
    return [
        StoredEntry(
            store=StoredValues(store),
            plan=plan,
            credentials=Credentials(environ=given, ask=None),
            instance=settings.instance,
        )
        for plan in entry_plans(settings, finders={})
    ]


def unheard(_: object) -> None:
    """Discard the report."""


def data(server: OpenBao, settings: Settings, entry: str) -> dict[str, Any]:
    """An entry's values as ``data``, and its version in ``metadata``."""
    return dict(server.call("GET", f"secret/data/{settings.secrets.vault_prefix}/{entry}")["data"])
