"""A real API server that holds dist/production as Flux applies it, each object with the status of one that works.

No controller runs, so the statuses that operators and controllers write are written here.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from live.node.operators import install_definitions
from testbed.node.api_server import ApiServer

ROOT = Path(__file__).parents[2]
PRODUCTION = ROOT / "dist/production"
READY = {"type": "Ready", "status": "True", "reason": "Ready", "message": "ready"}

_OTHERS = (
    ("external-secrets.io", "v1", "ClusterSecretStore", "Cluster"),
    ("cert-manager.io", "v1", "ClusterIssuer", "Cluster"),
    ("postgresql.cnpg.io", "v1", "Cluster", "Namespaced"),
    ("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "Namespaced"),
    ("source.toolkit.fluxcd.io", "v1", "GitRepository", "Namespaced"),
    ("argoproj.io", "v1alpha1", "Application", "Namespaced"),
    ("traefik.io", "v1alpha1", "Middleware", "Namespaced"),
)
"""Kinds whose published definitions are not in the tree, or too large for it: any content is taken."""

Item = dict[str, Any]


@dataclass(frozen=True)
class HealthyCluster:
    """``server`` with everything in it; :meth:`broken` spoils one thing for a while."""

    server: ApiServer

    @classmethod
    def create(cls, server: ApiServer) -> "HealthyCluster":
        """Fill an empty ``server``."""
        made = cls(server)
        install_definitions(server, ROOT / "imports/cdk8s_mlflow_crds/crds")
        made.apply([_definition(*other) for other in _OTHERS])
        # kubectl takes a definition without conditions, which the newest one has, for an error.
        while "error" in server.kubectl("wait", "--for=condition=Established", "crd", "--all", check=False):
            pass
        for namespace in ("postgres", "flux-system", "argocd", "operators"):
            server.kubectl("create", "namespace", namespace)
        # First of all: the files are applied in the order of their names, in which the Namespace is late.
        server.kubectl("apply", "-f", str(PRODUCTION / "application/Namespace.mlflow.k8s.yaml"))
        applied = [yaml.safe_load(file.read_text()) for file in sorted(PRODUCTION.glob("*/*.yaml"))]
        flux = [yaml.safe_load(file.read_text()) for file in sorted(PRODUCTION.glob("delivery/flux/*.yaml"))]
        made.apply([*_operators(), *_backing(), *applied, *flux])
        # A second pass, because the API server drops the status of what is applied.
        for item in [*_operators(), *_backing(), *applied, *flux]:
            if status := _status(item):
                made.set_status(item, status)
        return made

    def apply(self, items: list[Item]) -> None:
        """Apply them on the server's side."""
        self.server.kubectl(
            *("apply", "--server-side", "--force-conflicts", "-f", "-"), stdin=yaml.safe_dump_all(items)
        )

    def set_status(self, item: Item, status: Mapping[str, Any]) -> None:
        """Merge ``status`` into an object's, as a controller does."""
        patch = json.dumps({"status": status})
        self.server.kubectl("patch", *_named(item), "--subresource=status", "--type=merge", "--patch", patch)

    def find(self, kind: str, name: str, namespace: str | None = None) -> Item:
        """An object as it is."""
        return self.server.get(kind, name, *(["--namespace", namespace] if namespace else []))

    @contextmanager
    def broken(self, item: Item, patch: Mapping[str, Any] | None) -> Iterator[None]:
        """The object with ``patch`` merged into it (its status on its own), or without it if that is None."""
        before = self.server.get(*_named(item))
        if patch is None:
            self.server.kubectl("delete", *_named(item))
        else:
            status = ["--subresource=status"] if patch.keys() == {"status"} else []
            self.server.kubectl("patch", *_named(item), *status, "--type=merge", "--patch", json.dumps(patch))
        try:
            yield
        finally:
            self._restore(before, was_deleted=patch is None)

    @contextmanager
    def having(self, *items: Item) -> Iterator[None]:
        """More objects for a while."""
        self.apply(list(items))
        try:
            for item in items:
                if item.get("status"):
                    self.set_status(item, item["status"])
            yield
        finally:
            for item in items:
                # Without a kubelet no pod ever says that it has ended.
                self.server.kubectl("delete", *_named(item), "--wait=true", "--grace-period=0", "--force")

    def _restore(self, before: Item, *, was_deleted: bool) -> None:
        kept = ("name", "namespace", "labels", "annotations")
        metadata = {key: value for key, value in before["metadata"].items() if key in kept}
        item = {**before, "metadata": metadata}
        if item["kind"] == "Job":
            # The selector is created by the API server and immutable: it belongs to the Job that was deleted.
            item["spec"] = {key: value for key, value in item["spec"].items() if key != "selector"}
            item["spec"]["template"]["metadata"]["labels"] = metadata["labels"]
        verb = ["create"] if was_deleted else ["replace"]
        self.server.kubectl(*verb, "-f", "-", stdin=json.dumps(item))
        if before.get("status"):
            document = json.dumps(item)
            # Again apart from the object: `replace` and `create` ignore a status.
            self.server.kubectl("replace", "--subresource=status", "-f", "-", stdin=document)


def _named(item: Item) -> list[str]:
    group, _, version = item["apiVersion"].rpartition("/")
    kind = f"{item['kind']}.{version}.{group}" if group else item["kind"]
    namespace = item["metadata"].get("namespace")
    return [kind, item["metadata"]["name"], *(["--namespace", namespace] if namespace else [])]


def _definition(group: str, version: str, kind: str, scope: str) -> Item:
    plural = f"{kind.lower()[:-1]}ies" if kind.endswith("y") else f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {
        "name": version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [served],
        },
    }


def _operators() -> list[Item]:
    versions = {
        "cloudnative-pg": "1.30.0",
        "external-secrets": "v2.9.0",
        "cert-manager": "v1.21.0",
        "traefik": "v3.7.0",
    }
    return [controller(name, version) for name, version in versions.items()]


def controller(name: str, version: str, *arguments: str) -> Item:
    """The Deployment of an operator, labelled as their charts do."""
    labels = {"app.kubernetes.io/name": name}
    # No limit: Traefik's default of 60 s would be a finding on a healthy cluster.
    flags = arguments or ("--entrypoints.websecure.transport.respondingtimeouts.readtimeout=0",)
    container = {"name": "it", "image": f"registry.example.com/{name}:{version}", "args": list(flags)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "operators", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _backing() -> list[Item]:
    return [
        custom("external-secrets.io/v1", "ClusterSecretStore", "vault-secret-store", None),
        custom("cert-manager.io/v1", "ClusterIssuer", "letsencrypt", None),
        {**custom("postgresql.cnpg.io/v1", "Cluster", "postgres-cluster", "postgres"), "spec": {"instances": 3}},
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "traefik"},
            "spec": {"controller": "traefik.io/ingress-controller"},
        },
    ]


def custom(api_version: str, kind: str, name: str, namespace: str | None) -> Item:
    """An object of a kind that others define."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {}}


def ago(**units: float) -> str:
    """A moment in the past, as Kubernetes writes it."""
    return (datetime.now(UTC) - timedelta(**units)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _status(item: Item) -> Item:
    kind = item["kind"]
    if kind == "Deployment":
        pods = item["spec"].get("replicas", 1)
        counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        # Any number from the real generation on means that the controller has seen the object.
        return {"observedGeneration": 99, **dict.fromkeys(counts, pods)}
    if kind == "CronJob":
        return {"lastScheduleTime": ago(hours=9), "lastSuccessfulTime": ago(hours=8)}
    if kind == "Job":
        done = [
            {"type": kind, "status": "True", "lastTransitionTime": ago(hours=1)}
            # Kubernetes 1.31 and newer refuse Complete without SuccessCriteriaMet before it.
            for kind in ("SuccessCriteriaMet", "Complete")
        ]
        return {"succeeded": 1, "startTime": ago(hours=2), "completionTime": ago(hours=1), "conditions": done}
    if kind in ("Database", "DatabaseRole"):
        return {"applied": True, "observedGeneration": 99}
    if kind == "Cluster":
        return {"phase": "Cluster in healthy state", "readyInstances": 3}
    if kind == "Kustomization":
        return {"observedGeneration": 99, "lastAppliedRevision": "main@sha1:1234567", "conditions": [READY]}
    if kind in ("GitRepository", "ExternalSecret", "ClusterSecretStore", "ClusterIssuer"):
        return {"observedGeneration": 99, "conditions": [READY]}
    return {}
