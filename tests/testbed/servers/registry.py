"""The image registry of Debian's package docker-registry."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from live.servers.cache import debian_program
from live.servers.process import Server, answers


@dataclass(kw_only=True)
class Registry(Server):
    """A registry without login that keeps images in its folder and lets them be deleted."""

    name: ClassVar[str] = "registry"

    @property
    def host(self) -> str:
        """What stands before the slash in an image's name."""
        return f"127.0.0.1:{self.port}"

    def prepare(self) -> Sequence[str]:
        """Write the configuration, as JSON, which is YAML too."""
        program = debian_program("docker-registry", package="docker-registry")
        configuration = self.folder / "registry.json"
        # By default it refuses to delete.
        storage = {"filesystem": {"rootdirectory": str(self.folder / "images")}, "delete": {"enabled": True}}
        content = {"version": 0.1, "storage": storage, "http": {"addr": self.host}}
        configuration.write_text(json.dumps(content))
        return [str(program), "serve", str(configuration)]

    def ready(self) -> bool:
        """Whether the API answers."""
        return answers(f"http://{self.host}/v2/")
