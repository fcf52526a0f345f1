"""One run over the parts of an environment: the store first, then the systems; a failure stops only its own part."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap import engine
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.engine import NOTHING, Change, Failure, Outcome, Report, repeats
from mlflow_bootstrap.errors import BootstrapError, UsageError
from mlflow_bootstrap.ownership import Adoption
from mlflow_bootstrap.resource import Removable, Resource
from mlflow_bootstrap.store.backend import Backend, open_backend
from mlflow_bootstrap.store.entries import DIRECTORY, MACHINES, Finder
from mlflow_bootstrap.systems import ENTRIES_OF_DATA, STORE_ENTRIES, SYSTEMS, PartName, SystemSpec
from mlflow_bootstrap.values import FixedValues

R = TypeVar("R")
Operation = Callable[[Sequence[Resource]], Outcome]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What every command works with; opens a system only when its turn comes."""

    settings: Settings
    credentials: Credentials
    report: Report
    step: Callable[[str], AbstractContextManager[None]]
    adoption: Adoption = NOTHING
    create_realm: bool = False
    probe: bool = False
    print_to: Path | None = None

    @cached_property
    def backend(self) -> Backend:
        """The secret store."""
        return open_backend(
            self.settings,
            self.credentials,
            finders=self._finders,
            print_to=self.print_to,
            adoption=self.adoption,
        )

    @cached_property
    def context(self) -> Context:
        """What systems make their resources from."""
        return Context(
            settings=self.settings,
            credentials=self.credentials,
            # Opens the store, so a command that needs no value of it uses the other context.
            values=self.backend.values,
            adoption=self.adoption,
            create_realm=self.create_realm,
            probe=self.probe,
        )

    @property
    def context_without_values(self) -> Context:
        """The same for what needs no value of ours, so that the secret store is not opened."""
        values = FixedValues({})
        return Context(settings=self.settings, credentials=self.credentials, values=values, adoption=self.adoption)

    @property
    def _finders(self) -> dict[tuple[str, str], Finder]:
        authentication = self.settings.authentication
        clients = {
            "oidc": authentication.client_id,
            MACHINES: authentication.machine_client,
            DIRECTORY: authentication.directory_client,
        }
        return {
            (entry, "client_secret"): partial(self._client_secret, client)
            for entry, client in clients.items()
            if client
        }

    def _client_secret(self, client_id: str) -> SecretStr | None:
        # The library of Keycloak is loaded only if a value is looked for there.
        from mlflow_bootstrap import keycloak

        return keycloak.existing_client_secret(self.context_without_values, client_id=client_id)

    def plan(self, parts: Sequence[PartName]) -> Outcome:
        """Plan every part; what fails in one does not keep another from its turn."""
        # A run that stops at the first failure would show one fault at a time.
        return self.each(parts, lambda resources: engine.plan(resources, report=self.report, adoption=self.adoption))

    def apply(self, parts: Sequence[PartName]) -> Outcome:
        """Apply every part, likewise."""
        return self.each(parts, lambda resources: engine.apply(resources, report=self.report, adoption=self.adoption))

    def each(self, parts: Sequence[PartName], operation: Operation) -> Outcome:
        """``operation`` on every part; an address to adopt that none of them has fails at the end."""
        seen: set[str] = set()

        def noting(resources: Sequence[Resource]) -> Outcome:
            seen.update(resource.address for resource in resources)
            return operation(resources)

        outcome = _joined(self._part(title, build, noting) for title, build in self._builders(parts))
        return _joined([outcome, *self._unknown(seen, outcome)])

    def _unknown(self, seen: set[str], outcome: Outcome) -> list[Outcome]:
        # What could not be opened has no addresses yet.
        if len(self.adoption.addresses - seen) == 0 or any("/" not in one.address for one in outcome.failures):
            return []
        failures = [Failure(address, _nothing_to_adopt(seen)) for address in sorted(self.adoption.addresses - seen)]
        for failure in failures:
            self.report(failure)
        return [Outcome(failures=tuple(failures))]

    def _builders(self, parts: Sequence[PartName]) -> Iterator[tuple[str, Callable[[], Sequence[Resource]]]]:
        systems = [system for system in SYSTEMS if system.name in parts]
        # A system that is applied by itself still needs its values, and nothing else of the store.
        entries = {entry for system in systems for entry in system.entries}
        yield "secrets", lambda: self.backend.resources(set(STORE_ENTRIES) if "secrets" in parts else entries)
        for system in systems:
            yield system.name, partial(self._resources, system)

    def _resources(self, system: SystemSpec) -> Sequence[Resource]:
        return system.resources(self.context)

    def remove(self, data: frozenset[str], operation: Callable[[Sequence[Removable]], Outcome]) -> Outcome:
        """``operation`` on what ``destroy`` deletes: the systems' part first, then the store's."""
        systems = [(system.name, partial(self._removable, system, data)) for system in SYSTEMS]
        # The store last: the logins that delete things in the systems may need what it holds.
        turns = [*systems, ("secrets", partial(self._removable_entries, data))]
        return _joined(self._part(title, build, operation) for title, build in turns)

    def _removable(self, system: SystemSpec, data: frozenset[str]) -> Sequence[Removable]:
        return system.removable(self.context, data)

    def _removable_entries(self, data: frozenset[str]) -> Sequence[Removable]:
        # The password of kept databases and the keys that encrypt their columns stay with them.
        kept = self.backend.resources(ENTRIES_OF_DATA)
        others = self.backend.resources(frozenset(STORE_ENTRIES) - ENTRIES_OF_DATA)
        return [*others, *(resource for resource in kept if resource.address in data)]

    def _part(
        self, title: str, build: Callable[[], Sequence[R]], operation: Callable[[Sequence[R]], Outcome]
    ) -> Outcome:
        try:
            with self.step(title):
                return operation(build())
        except BootstrapError as error:
            failure = Failure(title, error)
            self.report(failure)
            return Outcome(failures=(failure,))


def _nothing_to_adopt(seen: Iterable[str]) -> UsageError:
    known = ", ".join(sorted(seen))
    return UsageError("names nothing of this environment, so nothing was adopted", remedy=f"name any of {known}")


def once(report: Report) -> Report:
    """``report``, but what a failure says of an unreachable system is said once and not by each part that needs it."""
    failures: list[Failure] = []

    def reporting(item: Change | Failure) -> None:
        if isinstance(item, Failure):
            if repeats(item, failures):
                return
            failures.append(item)
        report(item)

    return reporting


def _joined(outcomes: Iterable[Outcome]) -> Outcome:
    changes: list[Change] = []
    failures: list[Failure] = []
    for outcome in outcomes:
        changes += outcome.changes
        failures += [failure for failure in outcome.failures if not repeats(failure, failures)]
    return Outcome(tuple(changes), tuple(failures))
