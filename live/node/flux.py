"""Flux's kustomize-controller on the node, which applies what ``delivery/flux`` says, unchanged.

Its source-controller cannot be built from the module proxy: the archive of a folder and the status of its GitRepository
are written here instead.
"""

import hashlib
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from live.node.api import Api
from live.node.components import ADDRESS
from live.node.node import Node
from live.node.room import Room

NAMESPACE = "flux-system"
_PORT = 8090
_LISTS = {
    "gitrepository": "/apis/source.toolkit.fluxcd.io/v1/namespaces/{}/gitrepositories",
    "kustomization": "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{}/kustomizations",
}


class Flux:
    """Starts the controller; :meth:`publish` is a push to the repository."""

    def __init__(self, node: Node) -> None:
        self.node, self._api = node, Api(node)
        self._archives = node.folder / "archives"
        self._archives.mkdir(exist_ok=True)
        node.kubectl("create", "namespace", NAMESPACE)
        server = ["python3", "-m", "http.server", str(_PORT), "--bind", ADDRESS, "--directory", str(self._archives)]
        node.spawn("archives", server)
        # No notification-controller receives events here.
        addresses = {"events": "", "metrics": "127.0.0.1:9091", "health": "127.0.0.1:9092"}
        flags = [f"--{name}-addr={address}" for name, address in addresses.items()]
        # Of thirty seconds: what waits for another Kustomization would find it ready half a minute late.
        flags.append("--requeue-dependency=1s")
        node.spawn("kustomize-controller", ["kustomize-controller", *flags], RUNTIME_NAMESPACE=NAMESPACE)

    def publish(self, dist: Path, environment: str, *, source: str) -> None:
        """Give ``dist``, which has the folder ``environment``, to the GitRepository ``source``, as a new revision."""
        archive = self._archives / f"{environment}.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(dist / environment, f"dist/{environment}")
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        artifact = {
            "path": archive.name,
            "url": f"http://{ADDRESS}:{_PORT}/{archive.name}",
            # Of the form that source-controller gives, which kustomize-controller parses.
            "revision": f"main@sha1:{digest[:40]}",
            "digest": f"sha256:{digest}",
            "lastUpdateTime": now,
        }
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "Succeeded",
            "message": "stored",
            "lastTransitionTime": now,
        }
        generation = self._object("gitrepository", source)["metadata"]["generation"]
        status = {"observedGeneration": generation, "artifact": artifact, "conditions": [ready]}
        self.patch("gitrepository", source, {"status": status}, "--subresource=status")

    def revision(self, source: str) -> str:
        """The newest one of the GitRepository ``source``."""
        return str(self._object("gitrepository", source)["status"]["artifact"]["revision"])

    def reconcile(self, kustomization: str) -> str:
        """Ask for an immediate reconciliation, as ``flux reconcile`` does; returns what its status will have."""
        asked = datetime.now(UTC).isoformat()
        annotations = {"reconcile.fluxcd.io/requestedAt": asked}
        self.patch("kustomization", kustomization, {"metadata": {"annotations": annotations}})
        return asked

    def wait_ready(self, kustomization: str, *, namespace: str = "") -> None:
        """Wait until the newest revision is applied and healthy; ``namespace`` is that of its pods.

        Raises:
            NodeError: it takes longer than half an hour, or the node has no room for the pods.
        """
        room = Room(api=self._api)

        def applied() -> bool:
            if namespace:
                room.require(self._api.get(f"/api/v1/namespaces/{namespace}/pods")["items"])
            return self._applied(kustomization)

        self.node.wait(kustomization, applied)

    def status(self, kustomization: str) -> dict[str, Any]:
        """Status of a Kustomization."""
        status: dict[str, Any] = self._object("kustomization", kustomization).get("status", {})
        return status

    def condition(self, kustomization: str) -> dict[str, str]:
        """The Ready condition of a Kustomization; empty until it has one."""
        conditions = self.status(kustomization).get("conditions", [])
        return next((dict(c) for c in conditions if c["type"] == "Ready"), {})

    def _applied(self, kustomization: str) -> bool:
        body = self._object("kustomization", kustomization)
        newest = self.revision(body["spec"]["sourceRef"]["name"])
        applied = body.get("status", {}).get("lastAppliedRevision") == newest
        return applied and self.condition(kustomization).get("status") == "True"

    def _object(self, kind: str, name: str) -> dict[str, Any]:
        return self._api.get(f"{_LISTS[kind].format(NAMESPACE)}/{name}")

    def patch(self, kind: str, name: str, change: object, *flags: str) -> None:
        """Change fields of a ``gitrepository`` or ``kustomization``."""
        self.node.kubectl(
            *("patch", kind, name, "--namespace", NAMESPACE, "--type=merge", "--patch", json.dumps(change)), *flags
        )
