"""Core objects against the schemas of the Kubernetes versions that we promise."""

from collections.abc import Iterable, Iterator
from typing import Any

from cdk8s_mlflow.validation.custom_resources import is_custom_resource
from cdk8s_mlflow.validation.problem import Manifest, ManifestProblem

OLDEST_TO_NEWEST = ("1.27", "1.30", "1.33")
"""Versions checked beside the newest that the library kubernetes-validate has."""


def kubernetes_problems(manifests: Iterable[Manifest]) -> Iterator[ManifestProblem]:
    """What a version's schema refuses, unknown fields included."""
    # Only --validate needs kubernetes_validate, which loads schemas for a second.
    import kubernetes_validate

    core = [manifest for manifest in manifests if not is_custom_resource(manifest)]
    for version in (*OLDEST_TO_NEWEST, kubernetes_validate.latest_version()):
        for manifest in core:
            reason = _refusal(manifest.body, version)
            if reason is not None:
                yield manifest.problem(f"Kubernetes {version}", reason)


_REFUSALS: dict[tuple[str, str], str | None] = {}


def _refusal(body: dict[str, Any], version: str) -> str | None:
    """Why the schema of ``version`` refuses an object; None if it accepts it."""
    # The library reads megabytes of schemas again for each object; many environments have equal ones.
    key = (repr(body), version)
    if key not in _REFUSALS:
        _REFUSALS[key] = _refused_now(body, version)
    return _REFUSALS[key]


def _refused_now(body: dict[str, Any], version: str) -> str | None:
    import kubernetes_validate

    try:
        kubernetes_validate.validate(body, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error.message)
    except kubernetes_validate.SchemaNotFoundError as error:
        return f"this version has no such object ({error.message})"
    return None
