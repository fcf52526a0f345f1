"""Deletes the objects of many folders in few requests.

The folders of runs lie side by side below their experiment, so one page of a listing that starts at the first of them
shows the objects of many. If what lies between them belongs to others the pages get smaller, so that little of it is
read; no key is deleted that is not below one of the folders.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from mlflow_sso.object_store import PAGE, Folder, ObjectStore, Size

AT_ONCE = 4
"""Requests that delete at the same time, a thousand keys each: the object store takes longer for one than we do."""
SMALLEST_PAGE = 50
SIDE_BY_SIDE = 4
"""Folders below one parent for which it is worth listing the parent."""


@dataclass(kw_only=True)
class Sweep:
    """What was found in some folders, and deleted unless it is a rehearsal."""

    store: ObjectStore
    dry_run: bool
    limit: int
    """Objects after which it stops."""

    sizes: dict[Folder, Size] = field(default_factory=lambda: defaultdict(Size))
    total: Size = field(default_factory=Size)
    is_complete: bool = True
    """False if it stopped at ``limit`` and there may be more."""

    def run(self, folders: Iterable[Folder]) -> None:
        """Go through ``folders``, which may lie within one another; raises ``ProgramError``."""
        keys: list[str] = []
        bucket = Folder("", "")
        with self._deleting() as delete:
            for page_bucket, page in self._pages(folders):
                if page_bucket != bucket:
                    delete(bucket, keys)
                    bucket, keys = page_bucket, []
                keys += page
                while len(keys) >= PAGE:
                    delete(bucket, keys[:PAGE])
                    keys = keys[PAGE:]
                if self.total.objects >= self.limit and not self.dry_run:
                    self.is_complete = False
                    break
            delete(bucket, keys)

    @contextmanager
    def _deleting(self) -> Iterator[Callable[[Folder, list[str]], None]]:
        """Deletes some keys while the next are listed; at the end all are deleted, or the first error is raised."""
        waiting: deque[Future[None]] = deque()
        with ThreadPoolExecutor(AT_ONCE) as pool:

            def delete(bucket: Folder, keys: list[str]) -> None:
                if keys and not self.dry_run:
                    waiting.append(pool.submit(self.store.delete_keys, bucket, keys))
                # So that listing does not run far ahead, and the error of a deletion comes up soon.
                while len(waiting) > AT_ONCE:
                    waiting.popleft().result()

            try:
                yield delete
                while waiting:
                    waiting.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _pages(self, folders: Iterable[Folder]) -> Iterator[tuple[Folder, list[str]]]:
        for parent, inside in _by_parent(_outermost(folders)).items():
            together = self.store.lists_from_any_key and len(inside) >= SIDE_BY_SIDE
            for scope, some in [(parent, inside)] if together else [(folder, [folder]) for folder in inside]:
                for page in self._objects(scope, some):
                    yield scope.at(""), page

    def _objects(self, scope: Folder, folders: list[Folder]) -> Iterator[list[str]]:
        """Keys below ``folders``, which are in order and all below ``scope``, page by page."""
        remaining, limit = iter(folders), PAGE
        folder = next(remaining, None)
        after = ""
        while folder is not None:
            # Starts before the folder's own marker object, whose key is the prefix itself.
            page = self.store.page(scope, after=max(after, folder.prefix.removesuffix("/")), limit=limit)
            keys: list[str] = []
            for key, size in page.objects:
                while folder is not None and key > folder.prefix and not key.startswith(folder.prefix):
                    folder = next(remaining, None)
                if folder is not None and key.startswith(folder.prefix):
                    keys.append(key)
                    self.sizes[folder] += Size(1, size)
                    self.total += Size(1, size)
                after = key
            yield keys
            if page.is_last:
                return
            limit = PAGE if 2 * len(keys) >= len(page.objects) else max(SMALLEST_PAGE, 4 * len(keys))


def _outermost(folders: Iterable[Folder]) -> list[Folder]:
    """In the order of their keys, without those that lie within another."""
    outermost: list[Folder] = []
    # S3 lists keys in the order of their bytes in UTF-8, and the pages are read along with this list.
    for folder in sorted(set(folders), key=lambda folder: (folder.bucket, folder.prefix.encode())):
        last = outermost[-1] if outermost else None
        if last is None or folder.bucket != last.bucket or not folder.prefix.startswith(last.prefix):
            outermost.append(folder)
    return outermost


def _by_parent(folders: list[Folder]) -> dict[Folder, list[Folder]]:
    """By the folder that holds the experiment's runs, or its logged models, or its traces."""
    parents: dict[Folder, list[Folder]] = defaultdict(list)
    for folder in folders:
        above = folder.prefix.rstrip("/").split("/")[:-2]
        parents[folder.at("".join(f"{part}/" for part in above))].append(folder)
    return parents
