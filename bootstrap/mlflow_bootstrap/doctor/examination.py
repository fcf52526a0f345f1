"""What the checks look at: one environment, its manifests, its cluster and its public address."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.doctor.cluster_reader import ClusterReader, Object
from mlflow_bootstrap.doctor.committed import Committed
from mlflow_bootstrap.doctor.line import Line
from mlflow_bootstrap.doctor.web import Web


@dataclass(frozen=True, kw_only=True)
class Examination:
    """``name`` is the environment's; checks run at the same time and share it."""

    name: str
    settings: Settings
    committed: Committed
    cluster: ClusterReader
    credentials: Credentials
    web: Web

    @cached_property
    def controllers(self) -> list[Object]:
        """Deployments and DaemonSets of the operators and of the ingress controller, by their usual labels."""
        found = []
        for kind in ("Deployment", "DaemonSet"):
            # Flux names a controller in `component`, the charts of the others in `name`.
            for label in ("app.kubernetes.io/name", "app.kubernetes.io/component"):
                selector = f"{label} in ({','.join(CONTROLLERS)})"
                found += self.cluster.items(f"/apis/apps/v1/{kind.lower()}s", labelSelector=selector)
        return found

    def controllers_named(self, name: str) -> list[Object]:
        """Those of one operator."""
        labels = ("app.kubernetes.io/name", "app.kubernetes.io/component")
        return [c for c in self.controllers if name in (c["metadata"].get("labels", {}).get(label) for label in labels)]


CONTROLLERS = ("cloudnative-pg", "external-secrets", "cert-manager", "traefik", "kustomize-controller", "argocd-server")
"""Values of the label ``app.kubernetes.io/name`` or ``component`` in the manifests that each of them publishes."""

Check = Callable[[Examination], Iterable[Line]]
"""Looks at one thing; may raise ``CannotReadError`` or ``BootstrapError``."""
