"""What a check of rendered manifests found, and the manifests as the checks read them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestProblem:
    """One thing that an API server, an admission controller or a reviewer would refuse."""

    file: str
    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.check}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One object and the file that it stands in, relative to the environment's folder."""

    file: str
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.body.get("kind", ""))

    @property
    def group(self) -> str:
        """API group; empty for the core one."""
        version = str(self.body.get("apiVersion", ""))
        # The core group has no name: its apiVersion is a version only.
        return version.partition("/")[0] if "/" in version else ""

    @property
    def name(self) -> str:
        return str(self.body.get("metadata", {}).get("name", ""))

    @property
    def namespace(self) -> str:
        return str(self.body.get("metadata", {}).get("namespace", ""))

    @property
    def pod_template(self) -> dict[str, Any] | None:
        """The pod template of a workload, or None."""
        spec = self.body.get("spec", {})
        if self.kind == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        return dict(spec["template"]) if self.kind in _WORKLOADS else None

    def problem(self, check: str, message: str) -> ManifestProblem:
        return ManifestProblem(file=self.file, check=check, message=message)


_WORKLOADS = frozenset({"Deployment", "Job", "CronJob"})


def read_manifests(folder: Path) -> list[Manifest]:
    """Every object below ``folder``; no check changes one, since the same text is read once."""
    return [
        Manifest(file=str(file.relative_to(folder)), body=document)
        for file in sorted(folder.rglob("*.yaml"))
        for document in read_documents(file.read_text(encoding="utf-8"))
    ]


# Environments share most of their text, and the pure reader takes milliseconds for each file.
@lru_cache(maxsize=2048)
def read_documents(text: str, *, version: str = "1.2") -> tuple[Any, ...]:
    """The YAML documents in ``text``, as a reader of that version of YAML takes them."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    return tuple(yaml.load_all(text))


def containers(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every container of a pod template with its name, init containers too."""
    spec = template["spec"]
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        yield str(container["name"]), container
