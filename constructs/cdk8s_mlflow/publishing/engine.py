"""The container engines: how each is asked whether it answers, builds, pushes and tells the digest."""

import os
import re
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cdk8s_mlflow.publishing.errors import PublishingError
from cdk8s_mlflow.publishing.steps import run
from cdk8s_mlflow.publishing.variables import Target

TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian's images keep the authorities that they trust."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine(ABC):
    """One engine; ``environment`` is what its program sees."""

    program: ClassVar[str]

    environment: Mapping[str, str]

    @property
    @abstractmethod
    def question(self) -> Sequence[str]:
        """The arguments of a command that fails where the engine cannot work."""

    @abstractmethod
    def build(self, target: Target, context: Path) -> None:
        """Build the image from ``context``.

        Raises:
            PublishingError: the build failed.
        """

    @abstractmethod
    def push(self, target: Target) -> str:
        """Push the image; gives the digest of what the registry took.

        Raises:
            PublishingError: the registry does not answer or refuses.
        """

    def problem(self) -> str | None:
        """Why the engine does not answer; empty if it does."""
        try:
            asked = subprocess.run(
                [self.program, *self.question],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                # A remote docker is asked by SSH, which may wait for its own timeout on the network.
                timeout=60,
                check=False,
            )
        except FileNotFoundError:
            return "is not installed"
        except subprocess.TimeoutExpired:
            return "does not answer within 60 s"
        if asked.returncode:
            lines = (asked.stderr or asked.stdout).strip().splitlines()
            return f"says: {lines[-1] if lines else f'exit code {asked.returncode}'}"
        return None


def _arguments(target: Target) -> list[str]:
    values = {
        "BASE_IMAGE": target.base_image,
        "RELEASE": target.release,
        "REVISION": target.revision,
        "STORES": target.stores,
    }
    return [word for name, value in values.items() for word in ("--build-arg", f"{name}={value}")]


def _passed_on(environment: Mapping[str, str], *names: str) -> list[str]:
    # Only by name: the engine reads the value, which may hold a login, from its environment.
    return [word for name in names if environment.get(name) for word in ("--build-arg", name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker(Engine):
    """Docker, here or where DOCKER_HOST says."""

    program = "docker"

    @property
    def question(self) -> Sequence[str]:
        return ["version", "--format", "{{.Server.Version}}"]

    def build(self, target: Target, context: Path) -> None:
        # The daemon cannot see files of ours: PIP_CERT names a file of the base image.
        passed = _passed_on(self.environment, "PIP_INDEX_URL", "PIP_CERT")
        command = ["build", *_arguments(target), *passed, "--tag", target.reference, str(context)]
        run([self.program, *command], self.environment)

    def push(self, target: Target) -> str:
        # `docker image inspect` may know other digests of the same name; this line is the registry's answer.
        said = run([self.program, "push", target.reference], self.environment, hear=True)
        digests = re.findall(r"digest: (sha256:[0-9a-f]{64})", said)
        if not digests:
            raise PublishingError(f"docker did not say the digest of {target.reference}; ask the registry for it")
        return str(digests[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildah(Engine):
    """Buildah, on this machine; needs no daemon."""

    program = "buildah"

    @property
    def question(self) -> Sequence[str]:
        return ["info"]

    def build(self, target: Target, context: Path) -> None:
        # Buildah keeps no layers unless told, and would install every package anew at each build.
        command = [self.program, "build", "--layers", *_arguments(target), *self._from_this_machine()]
        run([*command, "--tag", target.reference, str(context)], self.environment)

    def _from_this_machine(self) -> list[str]:
        arguments = _passed_on(self.environment, "PIP_INDEX_URL")
        bundle = self.environment.get("PIP_CERT") or self.environment.get("SSL_CERT_FILE")
        if bundle:
            arguments += ["--volume", f"{bundle}:{TRUSTED}:ro", "--build-arg", f"PIP_CERT={TRUSTED}"]
        return arguments

    def push(self, target: Target) -> str:
        # A registry on this machine seldom has a certificate; docker makes the same exception.
        plain = ["--tls-verify=false"] if _is_local(target.registry) else []
        handle, path = tempfile.mkstemp(prefix="digest-")
        os.close(handle)
        digest = Path(path)
        try:
            run([self.program, "push", *plain, "--digestfile", path, target.reference], self.environment)
            return digest.read_text().strip()
        finally:
            digest.unlink()


@dataclass(frozen=True, slots=True, kw_only=True)
class Podman(Buildah):
    """Podman on this machine, which builds and pushes as buildah does."""

    program = "podman"


def _is_local(registry: str) -> bool:
    return registry.partition("/")[0].partition(":")[0] in {"localhost", "127.0.0.1"}
