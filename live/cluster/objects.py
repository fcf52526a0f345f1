"""The objects of one rendered environment, by kind and name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cdk8s_mlflow.validation.problem import Manifest, read_manifests


class Unsupported(Exception):  # noqa: N818  (says what it is)
    """A manifest uses something of Kubernetes that is not done here; it is never ignored."""


@dataclass(frozen=True, slots=True)
class Objects:
    """Everything that Flux or Argo CD would apply."""

    manifests: tuple[Manifest, ...]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What stands below ``folder``, such as dist/local."""
        return cls(tuple(read_manifests(folder)))

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Bodies of every object of the ``kind``."""
        return [manifest.body for manifest in self.manifests if manifest.kind == kind]

    def one(self, kind: str, name: str | None = None) -> dict[str, Any]:
        """The only object of the ``kind``, or the one with the ``name``.

        Raises:
            LookupError: there is none, or more than one.
        """
        found = [body for body in self.all(kind) if name in (None, body["metadata"]["name"])]
        if len(found) != 1:
            raise LookupError(f"{len(found)} objects are {kind} {name or ''}, not one")
        return found[0]
