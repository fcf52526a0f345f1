"""Annotations and labels that manifests bear and commands read or write; nothing here depends on cdk8s."""

from collections.abc import Mapping

VERSION_ANNOTATION = "cdk8s-mlflow/version"
"""On the ServiceAccount, or on the Service if that is not ours: the version of this package that wrote the manifests.

Nowhere else: on a pod template it would roll the pods with each version, in the migration it would run it again.
"""

PRUNE_GUARDS: Mapping[str, str] = {
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}
"""Annotations that keep Flux and Argo CD from deleting an object that left the repository."""

RESTRICTED: Mapping[str, str] = {
    f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")
}
"""Labels of a namespace that admits only restricted pods."""
