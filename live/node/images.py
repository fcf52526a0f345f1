"""Images of one layer for static programs, as OCI archives that ``ctr images import`` reads."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

_OCI = "application/vnd.oci.image."


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticImage:
    """``programs`` maps a path in the image to a file of ours; the first one is what the image runs."""

    name: str
    programs: Mapping[str, Path]
    arguments: Sequence[str] = ()
    user: str = "65532"

    def write(self, target: Path) -> None:
        """Write the archive; the same programs give the same bytes."""
        archive = _Archive()
        layer = self._layer()
        # Without a time, or every writing would give another digest.
        packed = archive.add(gzip.compress(layer, 1, mtime=0), "layer.v1.tar+gzip")
        runs = {
            "Entrypoint": [f"/{next(iter(self.programs))}", *self.arguments],
            "User": self.user,
            "Env": ["PATH=/bin"],
        }
        filesystem = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}
        config = {"architecture": "amd64", "os": "linux", "config": runs, "rootfs": filesystem}
        manifest = archive.add(
            _encoded(
                {
                    "schemaVersion": 2,
                    "mediaType": f"{_OCI}manifest.v1+json",
                    "config": archive.add(_encoded(config), "config.v1+json"),
                    "layers": [packed],
                }
            ),
            "manifest.v1+json",
        )
        archive.write(target, {**manifest, "annotations": {"io.containerd.image.name": self.name}})

    def _layer(self) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            # A static image has no folders at all, and its programs expect a /tmp.
            tmp = tarfile.TarInfo("tmp")
            tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(tmp)
            for path, file in self.programs.items():
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = file.stat().st_size, 0o755
                with file.open("rb") as content:
                    tar.addfile(entry, content)
        return buffer.getvalue()


@dataclass(slots=True)
class _Archive:
    blobs: dict[str, bytes] = field(default_factory=dict)

    def add(self, data: bytes, kind: str) -> dict[str, Any]:
        """Keep a blob; its descriptor."""
        digest = hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return {"mediaType": f"{_OCI}{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    def write(self, target: Path, manifest: Mapping[str, Any]) -> None:
        files = {
            "oci-layout": _encoded({"imageLayoutVersion": "1.0.0"}),
            "index.json": _encoded({"schemaVersion": 2, "manifests": [manifest]}),
            **{f"blobs/sha256/{digest}": data for digest, data in self.blobs.items()},
        }
        # Nodes that start at the same time write the same archive, and a kill must not leave half of one.
        fresh = NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-", delete=False)  # noqa: SIM115
        with fresh, tarfile.open(fileobj=fresh, mode="w") as tar:
            for name, data in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
        Path(fresh.name).replace(target)


def _encoded(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
