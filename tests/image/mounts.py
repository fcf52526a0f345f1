"""Mounted Secrets that change as the kubelet changes them: all files of one at once, by turning a link."""

import itertools
import shutil
from pathlib import Path

from mlflow_sso.serve.rotation import share_of_spread

PROMPT = next(name for name in map(str, range(10_000)) if share_of_spread(name) < 0.2)
"""Name of a pod whose turn to replace its workers comes at once."""

_TURNS = itertools.count(1)


class MountedSecrets:
    """The Secrets below ``root``, which held plain files until now."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for mount in root.iterdir():
            files = {file.name: file.read_bytes() for file in mount.iterdir() if file.is_file()}
            shutil.rmtree(mount)
            mount.mkdir()
            self._turn(mount, files)

    def read(self, mount: str) -> dict[str, bytes]:
        """What the Secret holds."""
        return {file.name: file.read_bytes() for file in (self.root / mount / "..data").iterdir()}

    def change(self, mount: str, **values: str) -> None:
        """Set some of a Secret's values; without any, only the link turns."""
        self._turn(self.root / mount, self.read(mount) | {name: text.encode() for name, text in values.items()})

    def replace(self, mount: str, files: dict[str, bytes]) -> None:
        """Let the Secret hold ``files`` and nothing else."""
        gone = self.read(mount).keys() - files.keys()
        self._turn(self.root / mount, files)
        for name in gone:
            (self.root / mount / name).unlink()

    def _turn(self, mount: Path, files: dict[str, bytes]) -> None:
        folder, link, before = mount / f"..{next(_TURNS)}", mount / "..data", None
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        if link.is_symlink():
            before = link.resolve()
        new = mount / "..data_tmp"
        new.symlink_to(folder.name)
        new.rename(link)
        for name in files:
            if not (mount / name).is_symlink():
                (mount / name).symlink_to(f"..data/{name}")
        if before:
            shutil.rmtree(before)
