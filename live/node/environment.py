"""An environment on the node: its file and manifests, what an operator prepares for it, and its delivery by Flux."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdk8s_mlflow.settings import Settings, load
from live.commands import run_to_end
from live.node.backing import BackingServices
from live.node.flux import Flux
from live.node.node import Node
from live.provisioning import Bootstrap

PREPARED = ("secrets", "keycloak", "minio")
"""What ``bootstrap.py`` creates; roles and databases are CloudNativePG's."""


class RenderingError(Exception):
    """The manifests could not be rendered."""


@dataclass(kw_only=True)
class Environment:
    """``file`` is the environment's file, ``dist`` the folder with its manifests in a folder of its name."""

    file: Path
    dist: Path
    backing: BackingServices
    constructs: Path | None = None
    """Folder of other constructs than the repository's, which render the manifests and which the bootstrap uses."""

    @property
    def name(self) -> str:
        """As its file is called."""
        return self.file.stem

    @property
    def manifests(self) -> Path:
        """Folder of its objects."""
        return self.dist / self.name

    @property
    def settings(self) -> Settings:
        """As the file says now."""
        return load(self.file)

    @property
    def namespace(self) -> str:
        """Namespace of its workloads."""
        return self.settings.namespace

    @property
    def source(self) -> str:
        """Name of Flux's GitRepository, with which the names of its Kustomizations begin."""
        return self.settings.delivery_name(self.name)

    @property
    def bootstrap(self) -> Bootstrap:
        """``bootstrap.py`` of this environment."""
        return Bootstrap(
            file=self.file, administration=self.backing.administration, variables=_import_path(self.constructs)
        )

    def render(self, settings: Mapping[str, Any]) -> None:
        """Write the environment's file, with the addresses that bootstrap.py uses from here, and its manifests.

        Addresses of the settings' own section ``bootstrap`` are kept.

        Raises:
            RenderingError: the manifests cannot be rendered.
        """
        reached = {
            "keycloak_url": self.backing.keycloak.url,
            "s3_endpoint": self.backing.minio.url,
            "postgres_host": "localhost",
            "postgres_port": self.backing.postgres.port,
            "read_timeout_seconds": 180,
        }
        self.file.parent.mkdir(parents=True, exist_ok=True)
        # JSON is YAML, too.
        self.file.write_text(json.dumps({**settings, "bootstrap": reached | settings.get("bootstrap", {})}))
        # In a process of its own: this one needs no Node.js.
        command = [sys.executable, "-O", "-m", "cdk8s_mlflow.synth.worker", str(self.dist), str(self.file)]
        variables = {**os.environ, **_import_path(self.constructs)}
        done = run_to_end(command, environment=variables)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["it said nothing"]
            raise RenderingError(f"rendering {self.file} failed: {said[-1]}")

    def provision(self) -> None:
        """Create what is missing in Keycloak, MinIO and the secret store, and mend what differs.

        Raises:
            ProvisioningError: the bootstrap fails.
        """
        for part in PREPARED:
            self.bootstrap.succeed("apply", part, *(["--create-realm"] if part == "keycloak" else []))

    def prepare(self, node: Node) -> None:
        """What an operator does once: bootstrap, the namespace, a private authority and a certificate in it.

        Raises:
            ProvisioningError: the bootstrap fails.
        """
        self.provision()
        self.prepare_namespace(node)

    def prepare_namespace(self, node: Node) -> None:
        """Create the namespace, with a private authority and a certificate in it."""
        (namespace,) = (self.manifests / "application").glob("Namespace.*.yaml")
        node.apply(namespace)
        tls, where = self.backing.certificate, ["--namespace", self.namespace]
        bundle = self.settings.server.ca_bundle
        if bundle:
            node.kubectl("create", "configmap", bundle.name, f"--from-file={bundle.key}={tls.ca}", *where)
        if not (secret := self.settings.ingress.tls_secret):
            return
        node.kubectl("create", "secret", "tls", secret, f"--cert={tls.certificate}", f"--key={tls.key}", *where)

    def deliver(self, flux: Flux) -> None:
        """Apply the delivery objects and publish the manifests, then wait until both Kustomizations are ready.

        Raises:
            NodeError: they are not ready in time.
        """
        flux.node.apply(self.manifests / "delivery/flux")
        self.publish(flux)

    def publish(self, flux: Flux) -> None:
        """Commit the manifests, as it were, and wait until Flux has applied them and finds them healthy.

        Raises:
            NodeError: they are not ready in time.
        """
        flux.publish(self.dist, self.name, source=self.source)
        for part in ("database", "application"):
            flux.reconcile(f"{self.source}-{part}")
            flux.wait_ready(f"{self.source}-{part}", namespace=self.namespace)


def with_changes(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of an environment's document with other values; ``changes`` has dotted keys."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    for key, value in changes.items():
        *sections, last = key.split(".")
        target = copy
        for section in sections:
            target = target.setdefault(section, {})
        target[last] = value
    return copy


def _import_path(constructs: Path | None) -> dict[str, str]:
    """The variable that makes Python find ``cdk8s_mlflow`` in ``constructs`` first."""
    return {"PYTHONPATH": str(constructs)} if constructs else {}
