"""Core objects against the schemas of the Kubernetes versions that we promise."""

from collections.abc import Iterable, Iterator

from cdk8s_mlflow.validation.custom_resources import is_custom_resource
from cdk8s_mlflow.validation.problem import Manifest, ManifestProblem

OLDEST_TO_NEWEST = ("1.27", "1.30", "1.33")
"""Versions checked beside the newest that the library kubernetes-validate has."""


def kubernetes_problems(manifests: Iterable[Manifest]) -> Iterator[ManifestProblem]:
    """What a version's schema refuses, unknown fields included."""
    import kubernetes_validate

    core = [manifest for manifest in manifests if not is_custom_resource(manifest)]
    for version in (*OLDEST_TO_NEWEST, kubernetes_validate.latest_version()):
        for manifest in core:
            try:
                kubernetes_validate.validate(manifest.body, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield manifest.problem(f"Kubernetes {version}", error.message)
            except kubernetes_validate.SchemaNotFoundError as error:
                yield manifest.problem(f"Kubernetes {version}", f"this version has no such object ({error.message})")
