"""The engines behind `make push-image`, each for real: docker's own client talks to podman, as no daemon runs here."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from live.image.built import buildah, environment_of_engines
from live.servers.cache import debian_program
from live.servers.process import Server


@dataclass(kw_only=True)
class PodmanService(Server):
    """Podman's implementation of the Docker Engine API, on the store of the tests; ``insecure`` registries lack TLS."""

    name: ClassVar[str] = "podman"

    insecure: Sequence[str] = ()

    @property
    def socket(self) -> Path:
        return self.folder / "podman.sock"

    @property
    def address(self) -> str:
        """For DOCKER_HOST."""
        return f"unix://{self.socket}"

    def prepare(self) -> Sequence[str]:
        program = debian_program("podman", package="podman")
        # A text of JSON is one of TOML as well.
        settings = "".join(f"[[registry]]\nlocation = {json.dumps(host)}\ninsecure = true\n" for host in self.insecure)
        (self.folder / "registries.conf").write_text(settings)
        # By default it ends after five seconds without a request.
        return [str(program), "system", "service", "--time", "0", self.address]

    def environment(self) -> Mapping[str, str]:
        return {
            **environment_of_engines(),
            "CONTAINERS_REGISTRIES_CONF": str(self.folder / "registries.conf"),
        }

    def ready(self) -> bool:
        return self.socket.exists()


@contextmanager
def reached(engine: str, *insecure: str) -> Iterator[Mapping[str, str]]:
    """Variables with which ``make push-image`` finds ``engine``, and it ``insecure`` registries; skips without it."""
    if engine == "podman":
        debian_program("podman", package="podman")
    if engine != "docker":
        yield {"CONTAINER_ENGINE": engine}
        return
    if not shutil.which("docker"):
        pytest.skip("docker's client is not installed")
    with PodmanService(insecure=insecure) as service:
        yield {"CONTAINER_ENGINE": engine, "DOCKER_HOST": service.address}


@contextmanager
def tagged(base: str, reference: str) -> Iterator[None]:
    """``base`` under another name."""
    buildah("tag", base, reference)
    try:
        yield
    finally:
        buildah("rmi", reference)
