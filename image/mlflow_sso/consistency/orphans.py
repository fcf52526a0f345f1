"""Folders and objects that no row needs, found by walking through the bucket from the top.

Below an experiment the server puts ``<run>/artifacts``, ``models/<model>/artifacts`` and ``traces/<trace>/artifacts``:
these folders are looked up by their names, a page at a time, so memory does not grow with them. Every other location
of a row is known from ``UsageRows``. Rows that are marked deleted still need their objects; that is gc's business.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from mlflow_sso.garbage_collection.locations import readings
from mlflow_sso.garbage_collection.usage_rows import UsageRows
from mlflow_sso.object_store import Folder, ObjectStore, Size

NOT_DUE = -1
"""For ``UsageRows.read``: nothing was marked deleted before 1970, so every row counts."""

_PAGE = 1000
_KINDS = {
    "": "SELECT run_uuid FROM runs WHERE run_uuid = ANY(%s)",
    "models": "SELECT model_id FROM logged_models WHERE model_id = ANY(%s)",
    "traces": "SELECT request_id FROM trace_info WHERE request_id = ANY(%s)",
}
"""By the folder below an experiment: which of these names are those of rows."""


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
    """Folders that hold a used one or an experiment's somewhere below."""

    def find(self) -> Iterator[Orphan]:
        """All of them, each once, from the top; raises psycopg2's errors and ``ProgramError``."""
        self._read_rows()
        yield from self._walk(self.root)

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
            self._used |= {folder for uri in uris for folder in readings(uri, self.root) if name and folder.prefix}
        for named in rows.named:
            self._used |= readings(named.location or "", self.root)
        for folder in self._experiments | self._used:
            self._above |= set(_folders_above(folder))

    def _walk(self, folder: Folder) -> Iterator[Orphan]:
        """Look into ``folder``, which is not in use itself."""
        if folder in self._used and folder != self.root:
            return
        if folder not in self._experiments and folder not in self._above and folder != self.root:
            yield Orphan(folder=folder, size=self._size(folder))
            return
        loose = self._loose(folder)
        if loose.objects:
            yield Orphan(folder=folder, size=loose, whole=False)
        for some in _pages(self.store.subfolders(folder)):
            yield from self._walk_children(folder, some)

    def _walk_children(self, folder: Folder, children: Iterable[Folder]) -> Iterator[Orphan]:
        names = {child: _name(child) for child in children}
        is_experiment = folder in self._experiments
        runs = self._rows("", set(names.values())) if is_experiment else set()
        for child, name in names.items():
            if name in runs:
                continue
            if is_experiment and name in ("models", "traces"):
                yield from self._walk_kind(child, name)
            else:
                yield from self._walk(child)

    def _walk_kind(self, folder: Folder, kind: str) -> Iterator[Orphan]:
        for some in _pages(self.store.subfolders(folder)):
            names = {child: _name(child) for child in some}
            rows = self._rows(kind, set(names.values()))
            for child, name in names.items():
                if name not in rows:
                    yield from self._walk(child)

    def _rows(self, kind: str, names: set[str]) -> set[str]:
        with self.connection.cursor() as cursor:
            cursor.execute(_KINDS[kind], [sorted(names)])
            return {name for (name,) in cursor.fetchall()}

    def _loose(self, folder: Folder) -> Size:
        return sum((Size(1, size) for size in self.store.sizes_in(folder)), Size())

    def _size(self, folder: Folder) -> Size:
        total, after = Size(), ""
        while True:
            page = self.store.page(folder, after=after)
            total += sum((Size(1, size) for _, size in page.objects), Size())
            if page.is_last:
                return total
            after = page.objects[-1][0]


def _name(folder: Folder) -> str:
    return folder.prefix.rstrip("/").rpartition("/")[2]


def _pages(folders: Iterator[Folder]) -> Iterator[list[Folder]]:
    while page := list(islice(folders, _PAGE)):
        yield page


def _folders_above(folder: Folder) -> Iterator[Folder]:
    prefix = folder.prefix
    while prefix:
        prefix = prefix[: prefix.rstrip("/").rfind("/") + 1]
        yield Folder(folder.bucket, prefix)
