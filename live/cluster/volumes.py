"""What pods mount: Secrets and ConfigMaps as folders of files, and empty folders of their own."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from live.cluster.objects import Unsupported


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of the machine and where a container sees it."""

    source: Path
    target: str
    writable: bool


@dataclass(kw_only=True)
class Volumes:
    """Data of the namespace's Secrets and ConfigMaps, and the folder below which pods' volumes are laid out."""

    folder: Path
    secrets: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    config_maps: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    _laid_out: dict[Path, dict[str, Any]] = field(init=False, default_factory=dict, repr=False)

    def lay_out(self, pod: str, volumes: list[dict[str, Any]]) -> dict[str, Path]:
        """Make each volume of the pod, by name, as a kubelet does before a pod starts.

        Raises:
            LookupError: a Secret or ConfigMap that must be there is not.
            Unsupported: a volume of another kind.
        """
        return {volume["name"]: self._made(pod, volume) for volume in volumes}

    def _made(self, pod: str, volume: Mapping[str, Any]) -> Path:
        folder: Path = self.folder / pod / volume["name"]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._fill(folder, volume)
        return folder

    def _fill(self, folder: Path, volume: Mapping[str, Any]) -> None:
        if "emptyDir" in volume:
            return
        if "secret" in volume:
            options = volume["secret"]
            self._write(folder, self.secrets, "Secret", options["secretName"], options)
        elif "configMap" in volume:
            options = volume["configMap"]
            self._write(folder, self.config_maps, "ConfigMap", options["name"], options)
        else:
            raise Unsupported(f"volume {volume['name']}: {', '.join(volume)}")
        self._laid_out[folder] = dict(volume)

    def refresh(self) -> None:
        """Bring changed data to the pods that mount it, as a kubelet does within a minute or so."""
        for folder, volume in list(self._laid_out.items()):
            self._fill(folder, volume)

    def _write(
        self, folder: Path, kind: Mapping[str, Mapping[str, str]], title: str, name: str, options: Mapping[str, Any]
    ) -> None:
        if name not in kind:
            if options.get("optional"):
                return
            raise LookupError(f"{title} {name} is not there")
        for key, path in _paths(kind[name], options):
            fresh = folder / f".{path}"
            fresh.touch(mode=int(options.get("defaultMode", 0o644)))
            fresh.write_text(kind[name][key])
            fresh.replace(folder / path)

    def discard(self, pod: str) -> None:
        """Take away the volumes of a pod that is gone."""
        for folder in [folder for folder in self._laid_out if folder.parent == self.folder / pod]:
            del self._laid_out[folder]
        shutil.rmtree(self.folder / pod, ignore_errors=True)


def _paths(data: Mapping[str, str], options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "items" in options:
        return ((item["key"], item["path"]) for item in options["items"])
    return ((key, key) for key in data)


def mounts(container: Mapping[str, Any], volumes: Mapping[str, Path]) -> list[Mount]:
    """Where the container sees its volumes, outer folders first.

    Raises:
        Unsupported: a mount with a ``subPath``.
    """
    found = [_mount(item, volumes) for item in container.get("volumeMounts", [])]
    return sorted(found, key=lambda mount: mount.target)


def _mount(item: Mapping[str, Any], volumes: Mapping[str, Path]) -> Mount:
    if "subPath" in item:
        raise Unsupported(f"subPath of the mount {item['mountPath']}")
    return Mount(volumes[item["name"]], item["mountPath"], not item.get("readOnly", False))
