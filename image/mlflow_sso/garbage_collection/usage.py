"""Which folders are in use: those of every row that is not about to go, however its location may be read."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from mlflow_sso.garbage_collection.due import Expired
from mlflow_sso.garbage_collection.locations import UnclearLocationError, own_folder, readings
from mlflow_sso.garbage_collection.usage_rows import UsageRows, named_by
from mlflow_sso.object_store import Folder

SUFFIXES = {"run": "{id}/artifacts/", "logged_model": "models/{id}/artifacts/", "trace": "traces/{id}/artifacts/"}
"""Where the server puts what belongs to an experiment, below the experiment's location."""


class KeptError(Exception):
    """A thing that is due cannot be deleted now; ``blocked`` says that a person has to look at it."""

    def __init__(self, reason: str, *, blocked: bool) -> None:
        super().__init__(reason)
        self.blocked = blocked


@dataclass(kw_only=True)
class Usage:
    """The folders in use by ``rows``; of the experiments that are due, those that have to stay count as well."""

    rows: UsageRows
    root: Folder
    kept: frozenset[int] = frozenset()
    """Experiments that are due and stay."""

    def __post_init__(self) -> None:
        self._users: dict[Folder, set[str]] = defaultdict(set)
        self._below: dict[Folder, set[str]] = defaultdict(set)
        self.unheeded: set[str] = set()
        """Traces whose ids make their locations name the whole bucket."""
        self._tops = frozenset(self.root.upwards())
        self._names = named_by(self.rows.versions)
        self._locations = self._locations_by_experiment()
        for name, *uris in self.rows.versions:
            self._add(f"model version {name}", uris)
        for named in self.rows.named:
            self._add(f"model version {self._names[named.id]}", [named.location or ""])
        self._settle()

    def folder_of(self, item: Expired) -> Folder | None:
        """The folder of ``item``, None if it has none of its own, or is a trace whose id makes that unclear.

        Raises ``KeptError`` if it is in use, or cannot be told with certainty.
        """
        self.require_unnamed(item)
        if not item.location:
            return None
        try:
            folder = own_folder(item.location, root=self.root)
        except UnclearLocationError as error:
            # Earlier installations took any id, such as ``../..``, which must not keep its experiment for ever.
            if item.kind == "trace":
                return None
            raise KeptError(str(error), blocked=True) from None
        if item.id not in folder.prefix.split("/")[-3:] and item.kind != "trace":
            raise KeptError(f"its artifacts are at {item.location}, which it may share with others", blocked=True)
        self.require_unused(item, folder)
        return folder

    def require_unnamed(self, item: Expired) -> None:
        """Raise ``KeptError`` if a registered model version names ``item`` by its id."""
        if name := self._names.get(item.id):
            raise KeptError(f"model version {name} uses {item.kind} {item.id}", blocked=False)

    def require_unused(self, item: Expired, folder: Folder) -> None:
        """Raise ``KeptError`` if a row uses ``folder``, a folder above it or one below it."""
        own, suffix = f"experiment {item.experiment_id}", SUFFIXES.get(item.kind, "").format(id=item.id)
        itself = {own} if item.kind == "experiment" else set()
        for user in self._below.get(folder, set()) - itself:
            raise KeptError(f"{user} uses a folder below {folder}", blocked=False)
        for place in folder.upwards():
            is_parent = bool(suffix) and f"{place.prefix}{suffix}" == folder.prefix
            for user in self._users.get(place, set()) - ({own} if is_parent else itself):
                raise KeptError(f"{user} uses {place}", blocked=False)

    def _locations_by_experiment(self) -> dict[int, set[tuple[str, str]]]:
        locations: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for number, location, _ in self.rows.experiments:
            locations[number].add((f"experiment {number}", location))
        for claim in self.rows.claims:
            locations[claim.experiment_id].add((claim.user, claim.location))
        self._traces: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for claim in self.rows.traces:
            self._traces[claim.experiment_id].add((claim.user, claim.location))
        return locations

    def _settle(self) -> None:
        """Add what stays, until nothing that is due has to stay because of it."""
        due = {number: location for number, location, is_due in self.rows.experiments if is_due}
        for number in (self._locations.keys() | self._traces.keys()) - (due.keys() - self.kept):
            self._add_experiment(number)
        going = {number: location for number, location in due.items() if number not in self.kept}
        while staying := {number for number, location in going.items() if self._has_to_stay(number, location)}:
            self.kept |= staying
            for number in staying:
                self._add_experiment(number)
                del going[number]

    def _has_to_stay(self, number: int, location: str) -> bool:
        """Whether an experiment, as far as its own row tells, cannot go."""
        item = Expired(kind="experiment", id=str(number), experiment_id=number, location=location)
        try:
            if has_server_made_location(item):
                self.folder_of(item)
        except KeptError:
            return True
        return any(named.experiment_id == number for named in self.rows.named)

    def _add_experiment(self, number: int) -> None:
        for user, location in self._locations[number]:
            self._add(user, [location])
        for user, location in self._traces[number]:
            self._add_trace(user, location)

    def _add_trace(self, user: str, location: str) -> None:
        """Like ``_add``, but an id such as ``../..?`` does not keep the whole bucket."""
        folders = readings(location, self.root)
        whole = {folder for folder in folders if folder in self._tops}
        if whole and user.startswith("experiment "):
            # Told by what their locations begin with, these traces have their own folders there.
            self._add(user, [f"{location.rstrip('/')}/traces"])
        elif whole and location.endswith(f"/traces/{user.removeprefix('trace ')}/artifacts"):
            self.unheeded.add(user)
        else:
            # Whoever has chosen a place by a tag may mean all of it.
            whole = set()
        self._use(user, folders - whole)

    def _add(self, user: str, uris: Iterable[str]) -> None:
        self._use(user, (folder for uri in uris for folder in readings(uri, self.root)))

    def _use(self, user: str, folders: Iterable[Folder]) -> None:
        for folder in folders:
            self._users[folder].add(user)
            for above in folder.upwards():
                if above != folder and len(self._below[above]) < 2:
                    # Two are enough to tell whether there is any beside the one that asks.
                    self._below[above].add(user)


def has_server_made_location(experiment: Expired) -> bool:
    """Whether the whole folder is the experiment's own.

    A location that a person has chosen may be shared, so only what carries the identifier of a member is deleted there.
    """
    root = (os.environ.get("MLFLOW_DEFAULT_ARTIFACT_ROOT") or "mlflow-artifacts:/").rstrip("/")
    return experiment.location == f"{root}/{experiment.id}"
