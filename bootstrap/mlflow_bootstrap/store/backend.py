"""The two ways to keep secrets, seen alike: resources for a plan, values for the systems, and rotation."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.engine import NOTHING
from mlflow_bootstrap.errors import OwnershipError
from mlflow_bootstrap.ownership import Adoption, Standing
from mlflow_bootstrap.resource import Removable
from mlflow_bootstrap.store.authority import copied_values
from mlflow_bootstrap.store.entries import NOT_GIVEN, EntryPlan, Finder, entry_plans
from mlflow_bootstrap.store.entry import Entry, Store, StoredEntry, StoredValues
from mlflow_bootstrap.values import SecretValues


class Backend(Protocol):
    """Where an environment's secrets are kept."""

    @property
    def values(self) -> SecretValues:
        """What is kept now."""

    def resources(self, entries: Collection[str]) -> Sequence[Removable]:
        """The named entries."""

    @property
    def kind(self) -> str:
        """What addresses call the store."""

    def address(self, entry: str) -> str:
        """Address of an entry."""

    def rotate(self, entry: str, given: Mapping[str, str] = NOT_GIVEN) -> tuple[str, ...]:
        """Renew what may be renewed of an entry; gives the fields. Those that are ``given`` take that value."""


class EntryBackend:
    """Entries of a store that keeps fields as they are."""

    def __init__(
        self,
        store: Store,
        plans: Sequence[EntryPlan],
        credentials: Credentials,
        *,
        instance: str,
        adoption: Adoption = NOTHING,
    ) -> None:
        self.values = StoredValues(store, refused=self._refused)
        self._adoption = adoption
        self._entries = {
            plan.name: StoredEntry(store=self.values, plan=plan, credentials=credentials, instance=instance)
            for plan in plans
        }

    def _refused(self, name: str, entry: Entry) -> OwnershipError | None:
        """Why no value of an entry may be used: others own it."""
        resource = self._entries.get(name)
        owner = resource.owner(entry) if resource else None
        # An entry of an earlier release is ours in all but the mark, and adopted by `apply`.
        if resource is None or owner is None or owner.standing is not Standing.FOREIGN:
            return None
        if self._adoption.covers(resource.address, owner):
            return None
        return OwnershipError(
            f"needs {resource.address}, which belongs to {owner.name}",
            remedy=f"take it over with --adopt {resource.address}, or name another in {owner.setting}",
            flag=f"--adopt {resource.address}",
        )

    def resources(self, entries: Collection[str]) -> Sequence[StoredEntry]:
        """The named entries, in the contract's order."""
        return [entry for name, entry in self._entries.items() if name in entries]

    @property
    def kind(self) -> str:
        """What addresses call the store."""
        return self.values.kind

    def address(self, entry: str) -> str:
        """Address of an entry."""
        return self._entries[entry].address

    def rotate(self, entry: str, given: Mapping[str, str] = NOT_GIVEN) -> tuple[str, ...]:
        """Renew what may be renewed of an entry."""
        return self._entries[entry].rotate(given)


def open_backend(
    settings: Settings,
    credentials: Credentials,
    *,
    finders: Mapping[tuple[str, str], Finder],
    print_to: Path | None,
    adoption: Adoption = NOTHING,
) -> Backend:
    """The store that the settings name, or the new file ``print_to``.

    Raises:
        UsageError: the store's address is missing, or the file already exists.
    """
    plans = entry_plans(settings, finders=finders, copied=copied_values(settings, credentials))
    if print_to is not None:
        from mlflow_bootstrap.store.printed import PrintedStore

        return EntryBackend(PrintedStore(settings, print_to), plans, credentials, instance=settings.instance)
    if settings.secrets.mode == "kubernetes":
        from mlflow_bootstrap.store.kubernetes import KubernetesBackend

        return KubernetesBackend(settings, plans, credentials, adoption)
    # Each store's client library is loaded only if the settings choose that store.
    from mlflow_bootstrap.store.vault import VaultStore

    store = VaultStore(settings, credentials)
    return EntryBackend(store, plans, credentials, instance=settings.instance, adoption=adoption)
