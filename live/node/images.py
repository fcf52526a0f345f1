"""Images of one layer for static programs, as archives that ``ctr images import`` reads."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from live.files import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticImage:
    """``programs`` maps a path in the image to a file of ours; the first one is what the image runs."""

    name: str
    programs: Mapping[str, Path]
    arguments: Sequence[str] = ()
    user: str = "65532"

    def write(self, target: Path) -> None:
        """Write the archive, as ``docker save`` does; the same programs give the same bytes."""
        layer = self._layer()
        runs = {
            "Entrypoint": [f"/{next(iter(self.programs))}", *self.arguments],
            "User": self.user,
            "Env": ["PATH=/bin"],
        }
        filesystem = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}
        config = {"architecture": "amd64", "os": "linux", "config": runs, "rootfs": filesystem}
        manifest = [{"Config": "config.json", "RepoTags": [self.name], "Layers": ["layer.tar.gz"]}]
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            _add(tar, "manifest.json", json.dumps(manifest).encode())
            _add(tar, "config.json", json.dumps(config).encode())
            # Without a time, or every writing would give another digest.
            _add(tar, "layer.tar.gz", gzip.compress(layer, 1, mtime=0))
        # Nodes that start at the same time write the same archive, and a kill must not leave half of one.
        write_whole(target, archive.getvalue())

    def _layer(self) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            # A static image has no folders at all, and its programs expect a /tmp.
            tmp = tarfile.TarInfo("tmp")
            tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(tmp)
            for path, file in self.programs.items():
                _add(tar, path, file.read_bytes(), mode=0o755)
        return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))
