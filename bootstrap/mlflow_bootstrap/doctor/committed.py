"""The manifests of an environment as dist/ has them: what the cluster should run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from mlflow_bootstrap.doctor.cluster_reader import Object
from mlflow_bootstrap.errors import UsageError

APPLIED = ("database", "application")


@dataclass(frozen=True, slots=True)
class Committed:
    """``objects`` are applied by Flux or Argo CD; ``delivery`` are the objects of each tool."""

    objects: tuple[Object, ...]
    delivery: dict[str, tuple[Object, ...]]

    def of_kind(self, *kinds: str) -> tuple[Object, ...]:
        """The applied objects of these kinds."""
        return tuple(item for item in self.objects if item["kind"] in kinds)

    def named(self, kind: str, name: str) -> Object | None:
        """An applied object; None if the environment has none."""
        return next((item for item in self.of_kind(kind) if item["metadata"]["name"] == name), None)

    @property
    def workloads(self) -> tuple[Object, ...]:
        """Objects that create pods which run now: the server, the migration, a tunnel."""
        return self.of_kind("Deployment", "Job")


def committed(folder: Path) -> Committed:
    """The manifests below ``folder``, which is that of one environment in dist/.

    Raises:
        UsageError: there are none, or one of them is not YAML.
    """
    objects = tuple(item for part in APPLIED for item in _read(folder / part))
    if not objects:
        raise UsageError(f"there are no manifests in {folder}", remedy="run `make synth` first, or name --output")
    # By folder: a tool that the settings do not choose has none.
    tools = {tool.name: tuple(_read(tool)) for tool in sorted((folder / "delivery").glob("*")) if tool.is_dir()}
    return Committed(objects, tools)


def _read(folder: Path) -> Iterator[Object]:
    reader = YAML(typ="safe")
    for file in sorted(folder.glob("*.yaml")):
        try:
            yield from (item for item in reader.load_all(file) if item)
        except (OSError, YAMLError) as error:
            raise UsageError(f"cannot read {file} ({type(error).__name__})", remedy="run `make synth`") from None


def pod_template(item: Object) -> Object:
    """The pod template of a Deployment or a Job."""
    template: Object = item["spec"]["template"]
    return template


def images(item: Object) -> dict[str, str]:
    """The image of each container of a workload, by the container's name."""
    spec = pod_template(item)["spec"]
    return {c["name"]: c["image"] for c in (*spec.get("initContainers", ()), *spec["containers"])}
