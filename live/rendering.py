"""An environment of one machine without a node, with ports, names and a release of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from cdk8s_mlflow.releases import RELEASES
from cdk8s_mlflow.settings import Settings, load
from cdk8s_mlflow.settings.sources import read_document
from live.cluster.image import ROOT
from live.cluster.objects import Objects
from live.servers.process import free_port

NAME = "local"
FILE = ROOT / "tests" / "live" / "environments" / f"{NAME}.yaml"
DOOR_NETWORK = "127.0.0.0/8"
"""Where the door's requests come from; in a cluster those are Traefik's pods."""


class RenderingError(Exception):
    """The copy could not be rendered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """An environment file, its settings, and the manifests made from it."""

    file: Path
    settings: Settings
    objects: Objects
    changes: Mapping[str, Any] = field(default_factory=dict)
    """By which a copy differs from what the repository has, its release aside."""
    constructs: Path | None = None
    """Folder of other constructs than the repository's, which made the manifests and which the bootstrap shall use."""

    @classmethod
    def copy(
        cls, folder: Path, *, release: str, changes: Mapping[str, Any] | None = None, constructs: Path | None = None
    ) -> Self:
        """Render a copy into ``folder``; ``changes`` are dotted keys of the settings and their new values.

        ``constructs`` is a folder whose ``cdk8s_mlflow`` makes the manifests instead of the repository's.

        Raises:
            SettingsError: the changed settings cannot be used.
            RenderingError: they could not be rendered.
        """
        document, changes = read_document(FILE), changes or {}
        for key, value in {"release": release, **_of_release(release), **changes}.items():
            document = _with(document, key.split("."), value)
        file = folder / f"{NAME}.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        # JSON is YAML, too.
        file.write_text(json.dumps(document), encoding="utf-8")
        settings = load(file)
        _render(file, folder / "dist", constructs)
        objects = Objects.read(folder / "dist" / NAME)
        return cls(file=file, settings=settings, objects=objects, changes=changes, constructs=constructs)

    def of_release(self, folder: Path, release: str) -> Self:
        """The same environment with another release, rendered into ``folder``.

        Raises:
            SettingsError: the release cannot do what the settings ask.
            RenderingError: it could not be rendered.
        """
        return self.copy(folder, release=release, changes=self.changes)


def free_addresses() -> dict[str, Any]:
    """Changes that give every server, and the door, a free port."""
    redis = load(FILE).authentication.redis
    return {
        "artifacts.endpoint": f"https://localhost:{free_port()}",
        "authentication.keycloak_port": free_port(),
        "authentication.redis": redis and {"host": redis.host, "port": free_port()},
        "database.port": free_port(),
        "ingress.public_port": free_port(),
    }


def own_names(label: str) -> dict[str, Any]:
    """Changes that give an environment its own realm, databases, bucket and secrets between shared neighbours.

    ``label`` has lowercase letters and digits alone.
    """
    return {
        "authentication.realm": f"mlflow-{label}",
        "artifacts.bucket": f"mlflow-{label}",
        "artifacts.user": f"mlflow-{label}",
        "artifacts.policy": f"mlflow-bucket-{label}",
        "database.name": f"mlflow_{label}",
        "database.auth_name": f"mlflow_auth_{label}",
        "database.role": f"mlflow_{label}",
        "secrets.vault_prefix": f"mlflow-{label}",
    }


def _of_release(release: str) -> dict[str, Any]:
    setting = "server.trusted_proxies"
    return {} if setting in RELEASES[release].unused_settings else {setting: [DOOR_NETWORK]}


def _with(document: Mapping[str, Any], keys: list[str], value: Any) -> dict[str, Any]:
    first, *rest = keys
    return {**document, first: _with(document.get(first) or {}, rest, value) if rest else value}


def import_path(constructs: Path | None) -> dict[str, str]:
    """The variable that makes Python find ``cdk8s_mlflow`` in ``constructs`` first."""
    return {"PYTHONPATH": str(constructs)} if constructs else {}


def _render(file: Path, output: Path, constructs: Path | None) -> None:
    # In a process of its own: this one needs no Node.js.
    command = [sys.executable, "-O", "-m", "cdk8s_mlflow.synth.worker", str(output), str(file)]
    environment = {**os.environ, **import_path(constructs)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderingError(
            f"rendering {file} failed: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}"
        )
