"""Folders and objects that no row needs, found by walking through the bucket from the top.

Below an experiment the server puts ``<run>/artifacts``, ``models/<model>/artifacts`` and ``traces/<trace>/artifacts``:
these folders are looked up by their names, a page at a time, so memory does not grow with them. Every other location
of a row is known from ``UsageRows``. Rows that are marked deleted still need their objects; that is gc's business.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mlflow_sso.garbage_collection.locations import readings
from mlflow_sso.garbage_collection.usage_rows import UsageRows
from mlflow_sso.object_store import Folder, ObjectStore, Size

NOT_DUE = -1
"""For ``UsageRows.read``: nothing was marked deleted before 1970, so every row counts."""

_KINDS = {
    "": "SELECT run_uuid FROM runs WHERE run_uuid = ANY(%s)",
    "models": "SELECT model_id FROM logged_models WHERE model_id = ANY(%s)",
    "traces": "SELECT request_id FROM trace_info WHERE request_id = ANY(%s)",
}
"""By the folder below an experiment: which of these names are those of rows."""

_ABOVE = "above"
"""Kind of a folder that is no row's own and holds some."""

_NEEDLESS = "needless"
"""Kind of a folder that no row needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A folder with all that is in it, or the objects right in it if ``whole`` is false."""

    folder: Folder
    size: Size
    whole: bool = True


@dataclass(kw_only=True)
class Orphans:
    """One walk."""

    connection: Any
    store: ObjectStore
    root: Folder

    _experiments: set[Folder] = field(default_factory=set)
    _used: set[Folder] = field(default_factory=set)
    _above: set[Folder] = field(default_factory=set)
    """Folders that are, or hold somewhere below, a used one or an experiment's."""

    def find(self) -> Iterator[Orphan]:
        """All of them, each once; raises psycopg2's errors and ``ProgramError``."""
        self._read_rows()
        # A list instead of a recursion: a key may have more folders than Python has frames.
        waiting = [(self.root, "" if self.root in self._experiments else _ABOVE)]
        while waiting:
            folder, kind = waiting.pop()
            if kind == _NEEDLESS:
                size, whole = self._size(folder), True
            else:
                size, whole = self._look_into(folder, kind, waiting), False
            # SeaweedFS goes on listing a folder for a while whose last object was deleted.
            if size.objects:
                yield Orphan(folder=folder, size=size, whole=whole)

    def _read_rows(self) -> None:
        with self.connection.cursor() as cursor:
            rows = UsageRows.read(cursor, before=NOT_DUE)
        for _, location, _ in rows.experiments:
            self._experiments |= readings(location, self.root)
        claims = rows.claims | rows.traces
        for claim in claims:
            target = self._experiments if claim.user.startswith("experiment ") else self._used
            target |= readings(claim.location, self.root)
        for name, *uris in rows.versions:
            # A source that names the whole bucket would let every folder pass for a used one.
            self._used |= {folder for uri in uris for folder in readings(uri, self.root) if name and folder.prefix}
        for named in rows.named:
            self._used |= readings(named.location or "", self.root)
        for folder in self._experiments | self._used:
            self._above |= set(folder.upwards())

    def _look_into(self, folder: Folder, kind: str, waiting: list[tuple[Folder, str]]) -> Size:
        """Add to ``waiting`` what is in ``folder`` and no row's own; gives the objects that are right in it."""
        loose = Size()
        for level in self.store.levels(folder):
            loose += Size(len(level.sizes), sum(level.sizes))
            rows = self._rows(kind, {child.name for child in level.folders}) if kind in _KINDS else set()
            waiting += [
                (child, self._kind(child, kind))
                for child in level.folders
                if child.name not in rows and child not in self._used
            ]
        return loose

    def _kind(self, child: Folder, parent: str) -> str:
        if parent == "" and child.name in _KINDS:
            return child.name
        if child in self._experiments:
            return ""
        return _ABOVE if child in self._above else _NEEDLESS

    def _rows(self, kind: str, names: set[str]) -> set[str]:
        with self.connection.cursor() as cursor:
            cursor.execute(_KINDS[kind], [sorted(names)])
            return {name for (name,) in cursor.fetchall()}

    def _size(self, folder: Folder) -> Size:
        pages = self.store.pages(folder)
        return sum((Size(1, size) for page in pages for _, size in page.objects), Size())
